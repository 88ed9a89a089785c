import asyncio
import contextlib

import pytest

from firmware.control.errors import NoPhoneError
from firmware.control.schema import LampsEvent, Mute, RecordEvent, ScreenEvent, StatusEvent
from firmware.web.phone_link import LOG_ROWS, PhoneLink
from tests.support.fake_phone import FakePhone, row


@pytest.fixture
async def phone(tmp_path):
    phone = FakePhone(tmp_path)
    yield phone
    await phone.stop()
    phone.close()


@contextlib.asynccontextmanager
async def running(link):
    """The link at work; gives the queue of what it tells."""
    told = asyncio.Queue()
    task = asyncio.create_task(link.run())
    with link.listening(told.put_nowait):
        yield told
    task.cancel()
    await asyncio.wait([task])


async def until(told, kind):
    """The next event of a kind (None: come or gone)."""
    while True:
        event = await asyncio.wait_for(told.get(), 10)
        if event is None if kind is None else isinstance(event, kind):
            return event


async def test_the_link_knows_the_present_state(phone):
    await phone.start()
    link = PhoneLink(phone.control)
    async with running(link) as told:
        await until(told, LampsEvent)
        assert link.is_up
        assert {type(event) for event in link.present()} == {StatusEvent, ScreenEvent, LampsEvent}


async def test_a_phone_that_starts_late_is_found(phone):
    link = PhoneLink(phone.control, first_pause=0.01)
    async with running(link) as told:
        with pytest.raises(NoPhoneError):
            await link.ask(Mute())
        await phone.start()
        await until(told, StatusEvent)
        await link.ask(Mute())
    assert isinstance(await phone.asked(), Mute)


async def test_a_phone_that_is_gone_leaves_nothing_behind_but_the_call_list(phone):
    phone.log = (row("Ann"),)
    await phone.start()
    link = PhoneLink(phone.control)
    async with running(link) as told:
        await until(told, LampsEvent)
        await phone.stop()
        await until(told, None)
        assert not link.is_up
        assert link.present() == []
        assert link.log == [row("Ann")]


async def test_the_call_list_stays_short(phone):
    await phone.start()
    link = PhoneLink(phone.control)
    async with running(link) as told:
        await until(told, LampsEvent)
        for number in range(LOG_ROWS + 5):
            phone.publish(RecordEvent(0.0, row(str(number))))
        for _ in range(LOG_ROWS + 5):
            await until(told, RecordEvent)
    assert len(link.log) == LOG_ROWS
    assert link.log[0].name == str(LOG_ROWS + 4)


def test_ten_thousand_listeners_leave_nothing_behind(tmp_path):
    link = PhoneLink(tmp_path / "control.sock")
    for _ in range(10_000):
        with link.listening(lambda _event: None):
            assert len(link) == 1
    assert len(link) == 0
