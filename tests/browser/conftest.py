"""A real Chromium in front of the real page; the phone behind it is only its two sockets.

The browser has a fake microphone: a file with a tone that the tests can tell from silence.
"""

import math
import os
import struct
import wave
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.support.fake_phone import phone_with_page
from tests.support.web_page import MICROPHONE_TONE, until

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
)


def pytest_collection_modifyitems(items):
    """Without Chromium these tests say so, unless everything must run."""
    if CHROMIUM.exists() or os.environ.get("DESKPHONE_NO_SKIP") == "1":
        return
    missing = pytest.mark.skip(reason="/usr/bin/chromium is missing (Debian package chromium)")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(missing)


def write_tone(file, frequency, rate=48_000, seconds=4):
    """A WAV that loops without a click: whole periods only."""
    samples = (
        round(9000 * math.sin(2 * math.pi * frequency * at / rate)) for at in range(rate * seconds)
    )
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


@pytest.fixture
async def browser(tmp_path):
    """Open browsers; `grant` False = whoever is asked for the microphone says no."""
    microphone = tmp_path / "microphone.wav"
    write_tone(microphone, MICROPHONE_TONE)
    opened = []
    async with async_playwright() as playwright:

        async def open_browser(*, grant=True):
            flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
            # Without this flag the headless browser refuses every question.
            flags += ["--use-fake-ui-for-media-stream"] if grant else []
            made = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            opened.append(made)
            return made

        yield open_browser
        for each in opened:
            await each.close()


@pytest.fixture
async def phone_and_address(tmp_path):
    async with phone_with_page(tmp_path) as both:
        yield both


class Faults(list):
    """What went wrong in a page: exceptions and console errors."""

    def watch(self, page):
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", lambda line: line.type == "error" and self.append(line.text))


@pytest.fixture
async def open_desk(browser, phone_and_address):
    """`await open_desk()` → (phone, page) with the desk on the screen; no fault may be left."""
    phone, address = phone_and_address
    faults = Faults()

    async def open_page(*, grant=True, **context):
        page = await (await browser(grant=grant)).new_page(**context)
        faults.watch(page)
        await page.goto(address)
        await page.wait_for_url("**/")
        await until(page, "document.body.dataset.state === 'idle'")
        return phone, page

    yield open_page
    assert faults == []
