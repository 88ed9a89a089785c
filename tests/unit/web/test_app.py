import asyncio
import os
import signal
import socket
import sys

import aiohttp
import pytest

from firmware import config
from firmware.net.errors import PortTakenError
from firmware.web.app import BAD_CONFIG, TAKEN, main, place_of, serving
from tests.support.fake_phone import Place

FIVE_LINES = """
[[line]]
user = "201"
password = "secret"
server = "127.0.0.1:5080"
"""


def test_without_a_configuration_the_page_is_on_loopback(tmp_path):
    place = place_of(None, tmp_path / "control.sock", {})
    assert (place.listen, place.port, place.language) == ("127.0.0.1", 8080, "en")
    assert place.control == tmp_path / "control.sock"
    assert place.token == ""


def test_place_and_phone_come_from_the_configuration(tmp_path):
    file = tmp_path / "deskphone.toml"
    file.write_text(
        FIVE_LINES + '[web]\nlisten = "127.0.0.2"\nport = 8181\n[control]\npath = "/run/c.sock"\n'
    )
    place = place_of(str(file), None, {"DESKPHONE_WEB_TOKEN": "given"})
    assert (place.listen, place.port, str(place.control)) == ("127.0.0.2", 8181, "/run/c.sock")
    assert place.token == "given"


def test_a_phone_that_nobody_named_is_looked_for_where_it_would_be(tmp_path):
    place = place_of(None, None, {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert place.control == tmp_path / "deskphone" / "control.sock"


def test_a_faulty_configuration_is_reported_and_ends_with_2(tmp_path, capsys):
    file = tmp_path / "deskphone.toml"
    file.write_text("[web]\nport = 99999\n")
    assert main(file, None) == BAD_CONFIG
    said = capsys.readouterr().err
    assert "deskphone.toml:2: web.port: " in said
    assert "65535" in said


def test_faults_are_not_hidden_from_callers(tmp_path):
    file = tmp_path / "deskphone.toml"
    file.write_text("[web]\nport = 99999\n")
    with pytest.raises(config.ConfigErrors):
        place_of(file, None, {})


def test_a_taken_port_is_named_with_its_holder_and_ends_with_3(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        file = tmp_path / "deskphone.toml"
        file.write_text(f"{FIVE_LINES}[web]\nport = {port}\n")
        assert main(file, tmp_path / "control.sock") == TAKEN
    said = capsys.readouterr().err
    assert f"port {port} for the page is taken by" in said
    assert f"(pid {os.getpid()})" in said


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


async def test_the_program_prints_its_address_and_ends_on_a_signal(tmp_path):
    file = tmp_path / "deskphone.toml"
    file.write_text(FIVE_LINES + "[web]\nport = 0\n")
    code = "import sys; from firmware.web import app; sys.exit(app.main(*sys.argv[1:]))"
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(file), str(tmp_path / "control.sock")),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"DESKPHONE_WEB_TOKEN": "given"},
    )
    try:
        address = (await asyncio.wait_for(program.stdout.readline(), 30)).decode().strip()
        assert address.endswith("/?token=given")
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            assert answer.status == 200
        program.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(program.wait(), 30) == 0
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
