import asyncio

import aiohttp
import pytest

from firmware.control.schema import (
    GapEvent,
    Hook,
    HookMove,
    Key,
    KeyMove,
    LampsEvent,
    RecordEvent,
    Role,
    ScreenEvent,
)
from firmware.web.live import desk_request
from firmware.web.open_sockets import FULL, LIMIT
from hal.keys import Key as KeyCap
from tests.support.fake_phone import call, message, picture, row


async def test_a_page_that_opens_sees_the_phone_as_it_is(desk):
    _, visitor = desk
    async with visitor.live() as page:
        assert (await message(page, "status"))["status"]["state"] == "idle"
        assert (await message(page, "said"))["text"] == "Ready. Registered: 201."
        assert (await message(page, "screen"))["width"] == 128
        assert (await message(page, "lamps"))["lamps"] == {"message": "off"}


async def test_a_page_sees_what_happens(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        phone.show("ringing", call("ringing_here", "Boss 100"))
        assert (await message(page, "said"))["text"] == "Boss 100 calls."
        phone.publish(LampsEvent(0.0, {"ring": "fast"}))
        assert (await message(page, "lamps"))["lamps"] == {"ring": "fast"}


async def test_two_pages_see_the_same(desk):
    phone, visitor = desk
    async with visitor.live() as first, visitor.live() as second:
        for page in (first, second):
            await message(page, "lamps")
        phone.show("off_hook", off_hook=True)
        for page in (first, second):
            assert (await message(page, "status"))["status"]["off_hook"]


async def test_a_key_press_reaches_the_phone_as_somebody_who_may_only_use_it(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        await page.send_json({"verb": "key", "key": "5", "move": "down", "role": "admin"})
        asked = await phone.asked()
    assert isinstance(asked, Key)
    assert (asked.key, asked.move, asked.role) == (KeyCap.DIGIT_5, KeyMove.DOWN, Role.PHONE)


async def test_lifting_the_handset_reaches_the_phone(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        await page.send_json({"verb": "hook", "move": "up"})
        asked = await phone.asked()
    assert isinstance(asked, Hook)
    assert asked.move is HookMove.UP


async def test_a_refusal_is_said_to_the_page_that_asked(desk):
    phone, visitor = desk
    phone.refusal = "there is no call to hang up"
    async with visitor.live() as page:
        await page.send_json({"verb": "hangup"})
        assert (await message(page, "refused"))["text"] == "there is no call to hang up"


async def test_a_call_that_ends_appears_in_the_list(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        assert (await message(page, "log"))["rows"] == []
        phone.publish(RecordEvent(0.0, row("Ann")))
        phone.publish(RecordEvent(0.0, row("Bob")))
        log = await message(page, "log", 2)
    assert [each["name"] for each in log["rows"]] == ["Bob", "Ann"]


async def test_a_phone_that_goes_is_said_to_be_gone_and_one_that_comes_back_is_seen(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        await phone.stop()
        assert (await message(page, "link"))["up"] is False
        assert (await message(page, "said"))["text"] == "The phone is not running."
        await page.send_json({"verb": "hook", "move": "up"})
        assert "not running" in (await message(page, "refused"))["text"]
        await phone.start()
        assert (await message(page, "status"))["status"]["state"] == "idle"


async def test_after_a_gap_the_page_is_told_the_present_state(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        phone.publish(GapEvent(3))
        await message(page, "lamps")


async def test_there_is_room_for_so_many_pages_and_no_more(desk):
    _, visitor = desk
    pages = [await visitor.live() for _ in range(LIMIT)]
    async with visitor.live() as late:
        answer = await asyncio.wait_for(late.receive(), 10)
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.CLOSE, FULL)
    await pages.pop().close()
    async with visitor.live() as page:
        await message(page, "lamps")
    for page in pages:
        await page.close()


async def test_a_page_gets_the_latest_picture_at_last(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        for number in range(50):
            phone.publish(ScreenEvent(float(number), 128, 64, picture(str(number))))
        while (await message(page, "screen"))["at"] != 49.0:
            pass


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"verb": "key"}',
        '{"verb": "key", "key": "bogus"}',
        '{"verb": "reload"}',
        '{"verb": "ladder"}',
        '{"verb": "play", "file": "/etc/passwd"}',
        '{"verb": "events"}',
        '{"verb": "key", "key": "5", "more": 1}',
        "[" * 4000,
    ],
)
def test_what_no_person_at_the_desk_can_do_is_no_request(wrong):
    assert desk_request(wrong) is None


async def test_nonsense_from_a_page_is_passed_over(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        await page.send_str("no json")
        await page.send_bytes(b"\x00\xff")
        await page.send_json({"verb": "reload"})
        await page.send_json({"verb": "hook", "move": "up"})
        assert isinstance(await phone.asked(), Hook)
