import asyncio
import contextlib
import os
import signal
import socket
import sys

import aiohttp
import pytest

from firmware.control.schema import PageEvent
from firmware.net.errors import PortTakenError
from firmware.web.app import TAKEN, serving
from firmware.web.wanted import Wanted
from tests.support.fake_phone import FakePhone, Place


@pytest.fixture
async def phone(tmp_path):
    phone = FakePhone(tmp_path)
    await phone.start()
    yield phone
    await phone.stop()
    phone.close()


@contextlib.asynccontextmanager
async def program(control):
    """`deskphone web` as a process."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "firmware", "web", "--control", str(control)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"DESKPHONE_WEB_TOKEN": "given"},
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def address_of(started):
    return (await asyncio.wait_for(started.stdout.readline(), 30)).decode().strip()


async def wait_until(true):
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.01)


async def answers(address):
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        return answer.status


async def test_the_page_is_served_where_the_phone_wants_it_and_moves_when_it_says_so(phone):
    phone.publish(PageEvent(0.0, listen="127.0.0.2", port=0))
    async with program(phone.control) as started:
        first = await address_of(started)
        assert first.startswith("http://127.0.0.2:")
        assert first.endswith("/?token=given")
        assert await answers(first) == 200

        phone.publish(PageEvent(1.0, listen="127.0.0.3", port=0))
        second = await address_of(started)
        assert second.startswith("http://127.0.0.3:")
        assert await answers(second) == 200
        with pytest.raises(aiohttp.ClientConnectionError):
            await answers(first)

        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 30) == 0


async def test_a_page_that_is_not_wanted_waits_until_it_is(phone):
    phone.publish(PageEvent(0.0, enabled=False))
    async with program(phone.control) as started:
        waiting = asyncio.ensure_future(address_of(started))
        await wait_until(lambda: phone.clients)
        phone.publish(PageEvent(1.0, port=0))
        assert await answers(await waiting) == 200


async def test_a_taken_port_is_named_with_its_holder_and_ends_with_3(phone):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        phone.publish(PageEvent(0.0, port=port))
        async with program(phone.control) as started:
            assert await asyncio.wait_for(started.wait(), 30) == TAKEN
            said = (await started.stderr.read()).decode()
    assert f"port {port} for the page is taken by" in said
    assert f"(pid {os.getpid()})" in said


async def test_without_a_phone_the_page_waits_a_moment_and_is_then_where_it_usually_is(tmp_path):
    wanted = Wanted(tmp_path / "control.sock", pause=0.01)
    task = asyncio.ensure_future(wanted.run())
    await wanted.known(patience=0.05)
    assert (wanted.page.enabled, wanted.page.listen, wanted.page.port) == (True, "127.0.0.1", 8080)

    phone = FakePhone(tmp_path)
    phone.publish(PageEvent(0.0, port=8181))
    await phone.start()
    await asyncio.wait_for(wanted.changed(), 10)
    assert wanted.page.port == 8181
    await phone.stop()
    phone.close()
    task.cancel()
    await asyncio.wait([task])


async def test_a_taken_port_leaves_nothing_running(tmp_path):
    before = asyncio.all_tasks()
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = Place(tmp_path / "control.sock", port=other.getsockname()[1])
        with pytest.raises(PortTakenError):
            async with serving(place):
                pass
    assert asyncio.all_tasks() == before


async def test_the_address_carries_the_token_that_was_given(tmp_path):
    place = Place(tmp_path / "control.sock", port=0, token="given")
    async with serving(place) as address:
        assert address.endswith("/?token=given")


async def test_the_page_works_on_ipv6_too(tmp_path):
    if not socket.has_ipv6:
        return
    async with serving(Place(tmp_path / "control.sock", listen="::1", port=0)) as address:
        assert address.startswith("http://[::1]:")
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            assert answer.status == 200
