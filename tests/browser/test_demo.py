"""The whole demonstration in a real browser: page, phone, audio process, practice PBX.

A person opens the printed address, lifts the handset, dials with the computer's keyboard and
listens.
"""

import asyncio
import contextlib
import sys

import pytest

from tests.support.free_port import free_port
from tests.support.web_page import HEARD, MICROPHONE_TONE, says, until

pytestmark = [pytest.mark.interop, pytest.mark.realtime, pytest.mark.timeout(120)]

DIAL_TONE = (350, 440)  # ITU-T E.180 supplement 2, United States
ANNOUNCED_TONE = 1000


def sounds_like(hertz, loudest=-45):
    """Whether what is heard is this tone."""
    return lambda heard: heard["level"] > loudest and abs(heard["hz"] - hertz) <= 15


@contextlib.asynccontextmanager
async def demonstration():
    """`deskphone demo` on a free port; gives the address it prints."""
    port = free_port()
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "firmware", "demo", "--no-browser", "--port", str(port)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            while not (line := (await program.stdout.readline()).decode()).startswith("http://"):
                assert line, "the demonstration ended before it printed its address"
        yield line.strip()
    finally:
        if program.returncode is None:
            program.terminate()
        try:
            await asyncio.wait_for(program.wait(), 20)
        except TimeoutError:
            program.kill()
            await program.wait()
            raise


@pytest.fixture
async def desk(browser):
    """The page of a demonstration whose line is registered, without echo cancelling."""
    async with demonstration() as address:
        made = await browser()
        page = await made.new_page()
        await page.goto(address)
        await page.wait_for_url("**/")
        await says(page, "#said", "Ready.", seconds=20)
        # The sentence may have come with the page; the keys mean something once the link is up.
        await until(page, "document.body.dataset.state", lambda state: state == "idle")
        yield page
        await made.close()


async def dial(page, number):
    await page.keyboard.press("h")
    await says(page, "#said", "The handset is up")
    for digit in number:
        await page.keyboard.press(digit)
    await page.keyboard.press("Enter")


async def test_a_lifted_handset_gives_dial_tone(desk):
    await desk.get_by_role("button", name="Lift the handset").click()
    either = [sounds_like(tone) for tone in DIAL_TONE]
    await until(desk, HEARD, lambda heard: any(is_it(heard) for is_it in either))
    await desk.get_by_role("button", name="Put the handset down").click()
    await until(desk, HEARD, lambda heard: heard["level"] < -80)


async def test_the_tone_of_601_arrives_in_the_page(desk):
    await dial(desk, "601")
    await says(desk, "#said", "In a call with 601")
    await until(desk, HEARD, sounds_like(ANNOUNCED_TONE), seconds=30)


async def test_the_microphone_comes_back_from_600_with_the_right_pitch(desk):
    await dial(desk, "600")
    await says(desk, "#said", "In a call with 600")
    await until(desk, HEARD, sounds_like(MICROPHONE_TONE), seconds=20)


async def test_602_is_busy_and_says_so(desk):
    await dial(desk, "602")
    await says(desk, "#said", "602 is busy")


async def test_605_calls_back_and_is_answered_by_lifting_the_handset(desk):
    await dial(desk, "605")
    await until(desk, "document.body.dataset.state", lambda state: state != "dialling")
    await desk.keyboard.press("h")
    await says(desk, "#said", "Practice PBX calls.", seconds=20)
    await until(desk, "window.deskphone.bell.output !== null")
    await desk.keyboard.press("h")
    await says(desk, "#said", "In a call with Practice PBX")
