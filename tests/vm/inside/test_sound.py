"""A real ALSA card of the kernel's (snd-aloop) under the phone: sound checked by content.

The card's other end is a mouth and an ear of ours. The phone is the one that systemd runs.
"""

import os
import signal
import threading
import time
from pathlib import Path

import alsaaudio
import pytest

from firmware.control import schema as s
from hal.board import CardSpec
from hal.boards.cards import open_card
from tests.support.waiting import wait_for
from tests.vm.inside import desk
from tests.vm.inside.kernel_cards import has_card
from tests.vm.inside.loopback import RATE, FarSide

DIAL_TONE = (350, 440)  # ITU-T E.180 Suppl. 2: the United States
VOICE = 700
DRIVER = Path("/sys/bus/platform/drivers/snd_aloop")
CARD = "snd_aloop.0"


@pytest.fixture
def far():
    with FarSide() as far_side:
        yield far_side


@pytest.fixture
def call(far):
    """A call to the echo from the handset, heard."""
    desk.wait("registration", lambda found: found.lines[0].registered, 60)
    desk.lift()
    try:
        desk.ask(s.Dial(target="600"))
        desk.wait("the echo's answer", lambda found: found.state == "talking")
        far.say(VOICE)
        far.wait_tone(VOICE)
        yield far
    finally:
        desk.replace()
        desk.wait("the end of the call", lambda found: not found.calls and found.state == "idle")


def test_the_dial_tone_is_heard_when_the_handset_is_lifted(far, record_property):
    desk.lift()
    took = max(far.wait_tone(hertz) for hertz in DIAL_TONE)
    record_property("hook to dial tone, ms (emulated)", round(took * 1000))

    desk.replace()
    far.wait_silence(DIAL_TONE[0])


def test_the_echo_of_the_practice_pbx_comes_back(call, record_property):
    call.say(None)
    call.wait_silence(VOICE)
    began = time.monotonic()
    call.say(1000)
    call.wait_tone(1000, floor=-30)
    record_property("mouth to ear through the echo, ms (emulated)",
                    round((time.monotonic() - began) * 1000))  # fmt: skip


def test_muted_the_far_end_hears_nothing(call):
    desk.ask(s.Mute(on=True))
    call.wait_silence(VOICE)
    desk.ask(s.Mute(on=False))
    call.wait_tone(VOICE)


def test_f32_a_buffer_that_ran_dry_is_refilled_and_counted(call):
    before = desk.status().audio.xruns

    engine = desk.audio_pid()
    os.kill(engine, signal.SIGSTOP)
    call.wait_silence(VOICE)
    os.kill(engine, signal.SIGCONT)

    call.wait_tone(VOICE)
    found = desk.wait("the count of it", lambda found: found.audio.xruns > before)
    assert found.state == "talking"
    assert desk.audio_pid() == engine, "it took this machine so long that the engine was replaced"


def test_f33_a_card_that_is_pulled_out_in_a_call_and_comes_back(call, record_property):
    unbind = threading.Thread(target=(DRIVER / "unbind").write_text, args=(CARD,))
    unbind.start()  # it waits until everybody has let go of the card
    wait_for("the card to be gone", lambda: not has_card("Loopback"))
    unbind.join(10)
    assert not unbind.is_alive(), "somebody does not let go of the card"
    gone = desk.wait("what the phone says", lambda found: "card" in found.reason)
    assert gone.state == "talking"
    assert gone.calls

    (DRIVER / "bind").write_text(CARD)
    took = call.wait_tone(VOICE)
    record_property("sound again after the card came back, s (emulated)", round(took, 2))
    # Promised are two seconds, on a machine that is not emulated.
    assert took < 10
    assert desk.status().state == "talking"


def test_what_is_written_is_heard_soon_after(record_property):
    """One frame of our adapter, from `write` to the other end of the card."""
    card = open_card(CardSpec("alsa", "hw:CARD=Loopback,DEV=0,SUBDEV=3"), (), RATE)
    ear = alsaaudio.PCM(
        type=alsaaudio.PCM_CAPTURE,
        device="plughw:CARD=Loopback,DEV=1,SUBDEV=3",
        rate=RATE,
        channels=1,
        format=alsaaudio.PCM_FORMAT_S16_LE,
        periodsize=80,
        periods=8,
    )
    delays, written = [], []

    def listen():
        loud = False
        while len(delays) < 10:
            count, pcm = ear.read()
            peak = max(memoryview(pcm).cast("h"), default=0) if count > 0 else 0
            if peak > 10_000 and not loud:
                delays.append(time.monotonic() - written[-1])
            loud = peak > 10_000

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    silence, click = bytes(640), b"\x00\x40" * 320
    for number in range(600):
        if number % 25 == 24:
            written.append(time.monotonic())
        card.write(click if number % 25 == 24 else silence)
        if not listener.is_alive():
            break
    card.close()
    listener.join(5)
    delays.sort()
    record_property("write to capture, ms (emulated)", round(delays[5] * 1000))
    assert len(delays) == 10
    # Two of its buffers would be 200 ms.
    assert delays[5] < 0.2
    record_property("xruns meanwhile (emulated)", card.xruns)
