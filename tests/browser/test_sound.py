"""Sound through the page: from the fake microphone to `audio.sock`, from there to the ear."""

import asyncio
import struct

import numpy as np
import pytest

from firmware.control.schema import Answer, RingEvent
from tests.support.fake_phone import FRAME, RATE, call, tone
from tests.support.web_page import HEARD, MICROPHONE_TONE, says, until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


def is_loud(heard):
    return heard["level"] > -30


def is_silent(heard):
    return heard["level"] < -60


async def lift(phone, page):
    """Lift the handset; gives the phone's end of the sound."""
    await page.get_by_role("button", name="Lift the handset").click()
    phone.show("off_hook", off_hook=True, path="handset")
    return await phone.card()


async def frames(card, seconds):
    """So much sound as the page sends it, as samples."""
    loop = asyncio.get_running_loop()
    packets = [
        await asyncio.wait_for(loop.sock_recv(card, 4096), 10) for _ in range(int(seconds * 50))
    ]
    assert {len(packet) for packet in packets} == {1920}
    return np.concatenate([struct.unpack(f"<{FRAME}h", packet) for packet in packets]).astype(float)


def pitch(samples):
    """The loudest frequency, between the bins of the spectrum."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    top = int(spectrum.argmax())
    left, middle, right = np.log(spectrum[top - 1 : top + 2] + 1e-9)
    return (top + 0.5 * (left - right) / (left - 2 * middle + right)) * RATE / len(samples)


async def play(card, sounds):
    """Send frames at the phone's pace until cancelled."""
    loop = asyncio.get_running_loop()
    at = loop.time()
    for number in range(10_000):
        card.send(sounds[number % len(sounds)])
        at += 0.02
        await asyncio.sleep(max(0.0, at - loop.time()))


async def test_the_microphone_arrives_at_the_phone_with_the_right_pitch_and_level(open_desk):
    phone, page = await open_desk()
    with await lift(phone, page) as card:
        await frames(card, 0.5)
        samples = await frames(card, 1.0)
    assert pitch(samples) == pytest.approx(MICROPHONE_TONE, rel=0.002)
    # The file has a peak of 9000: nothing in between may take it for noise or turn it up.
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(9000 / np.sqrt(2), rel=0.15)


async def test_nothing_but_the_tone_comes_out_of_the_rate_converter(open_desk):
    phone, page = await open_desk()
    with await lift(phone, page) as card:
        await frames(card, 0.5)
        samples = await frames(card, 1.0)
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    near = np.abs(hz - MICROPHONE_TONE) < 20
    assert 10 * np.log10(spectrum[near].sum() / spectrum[~near].sum()) > 40


async def test_a_tone_of_the_phone_arrives_in_the_pages_ear(open_desk):
    phone, page = await open_desk()
    with await lift(phone, page) as card:
        player = asyncio.create_task(play(card, tone(1000, 1.0)))
        # Its beginning is a click, which has no pitch.
        await until(page, HEARD, lambda heard: is_loud(heard) and abs(heard["hz"] - 1000) <= 15)
        player.cancel()


async def test_a_stall_adds_no_lasting_delay(open_desk):
    phone, page = await open_desk()
    with await lift(phone, page) as card:
        # Much at once, as after a stall, then silence: all but the last moments are dropped.
        for frame in tone(1000, 3.0)[:60]:
            await asyncio.get_running_loop().sock_sendall(card, frame)
        await until(page, HEARD, is_loud)
        player = asyncio.create_task(play(card, [bytes(1920)]))
        await until(page, HEARD, is_silent, seconds=1.5)
        player.cancel()


async def test_the_microphone_is_open_only_while_the_handset_is_up(open_desk):
    phone, page = await open_desk()
    assert await page.text_content("#microphone") == "closed"
    with await lift(phone, page) as card:
        await frames(card, 0.2)
        await says(page, "#microphone", "open")
        await page.wait_for_timeout(2100)
        phone.show("idle")
        await says(page, "#microphone", "closed")
        await until(page, "window.deskphone.sound.stream === null")


async def test_a_call_answered_by_a_button_opens_the_microphone(open_desk):
    phone, page = await open_desk()
    phone.show("ringing", call("ringing_here"))
    await page.get_by_role("button", name="Answer").click()
    assert isinstance(await phone.asked(), Answer)
    phone.show("talking", call("talking"), path="speaker")
    with await phone.card() as card:
        assert np.abs(await frames(card, 0.5)).max() > 0


async def test_a_refused_microphone_is_said_in_words(open_desk):
    phone, page = await open_desk(grant=False)
    with await lift(phone, page):
        await says(page, "#trouble", "The browser does not let this page use the microphone")
        await says(page, "#microphone", "not available")


async def test_without_a_microphone_the_phone_is_still_heard(open_desk):
    phone, page = await open_desk(grant=False)
    with await lift(phone, page) as card:
        player = asyncio.create_task(play(card, tone(800, 1.0)))
        await until(page, HEARD, is_loud)
        player.cancel()


async def test_the_page_that_was_touched_last_has_the_sound(open_desk):
    phone, first = await open_desk()
    with await lift(phone, first) as card:
        await frames(card, 0.2)
    # The phone cut the first page off, as it does when another attaches.
    await says(first, "#loudspeaker", "used by another page")
    await says(first, "#microphone", "closed")


async def test_the_bell_rings_in_its_cadence_once_the_page_was_touched(open_desk):
    phone, page = await open_desk()
    await page.keyboard.press("Shift")
    await until(page, "window.deskphone.bell.context?.state === 'running'")
    phone.publish(RingEvent(0.0, (0.2, 0.2)))
    await until(page, "window.deskphone.bell.output !== null")
    phone.publish(RingEvent(0.0, ()))
    await until(page, "window.deskphone.bell.output === null")
