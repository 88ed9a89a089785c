import asyncio

import aiohttp
import pytest

from firmware.web.sound import FRAME_BYTES, NO_SOUND, TAKEN
from tests.support.fake_phone import tone

FRAMES = tone(440, 0.2)


async def received(card):
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(card, 4096), 10)


async def test_a_frame_from_the_page_reaches_the_phone(desk):
    phone, visitor = desk
    async with visitor.live("/sound") as page:
        with await phone.card() as card:
            await page.send_bytes(FRAMES[0])
            assert await received(card) == FRAMES[0]


async def test_a_frame_from_the_phone_reaches_the_page(desk):
    phone, visitor = desk
    async with visitor.live("/sound") as page:
        with await phone.card() as card:
            card.send(FRAMES[0])
            assert await asyncio.wait_for(page.receive_bytes(), 10) == FRAMES[0]


@pytest.mark.parametrize("length", [0, 1, FRAME_BYTES - 1, FRAME_BYTES + 1, 2 * FRAME_BYTES])
async def test_what_is_no_frame_stays_outside(length, desk):
    phone, visitor = desk
    async with visitor.live("/sound") as page:
        with await phone.card() as card:
            await page.send_bytes(bytes(length))
            await page.send_str("no sound")
            await page.send_bytes(FRAMES[1])
            assert await received(card) == FRAMES[1]


async def test_a_page_that_is_cut_off_learns_that_another_has_the_sound(desk):
    phone, visitor = desk
    async with visitor.live("/sound") as page:
        (await phone.card()).close()
        answer = await asyncio.wait_for(page.receive(), 10)
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.CLOSE, TAKEN)


async def test_without_a_phone_there_is_no_sound(desk):
    phone, visitor = desk
    phone.close()
    async with visitor.live("/sound") as page:
        answer = await asyncio.wait_for(page.receive(), 10)
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.CLOSE, NO_SOUND)


async def test_a_page_that_leaves_lets_the_phone_know(desk):
    phone, visitor = desk
    async with visitor.live("/sound"):
        card = await phone.card()
    with card:
        assert await received(card) == b""


async def test_a_phone_that_does_not_listen_holds_nothing_up(desk):
    phone, visitor = desk
    async with visitor.live("/sound") as page:
        with await phone.card() as card:
            for _ in range(2000):
                await page.send_bytes(FRAMES[0])
            # The page's own direction still works, at once.
            card.send(FRAMES[2])
            assert await asyncio.wait_for(page.receive_bytes(), 10) == FRAMES[2]
