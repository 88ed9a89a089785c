"""P12, F46: a process is killed while somebody talks; the call or the far end is saved."""

import os
import signal
import time

import pytest

from firmware.control import schema as s
from tests.support.far_end import arriving, media_port, pitch
from tests.support.ground import BOTH_FAMILIES
from tests.support.own_time import HeldUp
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone

pytestmark = BOTH_FAMILIES


@pytest.fixture
def talking(phone, far_end):
    """A call is up: the phone says 440 Hz, the far end 620 Hz."""
    phone.ask(s.Dial(target="204"))
    port = media_port(far_end.wait_call().offer)
    far_end.speak_to((phone.address, port))
    phone.wait_state("talking")
    wait_for("half a second of sound", lambda: len(far_end.heard) > 25)
    return port


def test_p12_a_killed_audio_process_is_back_within_a_second(phone, far_end, talking):
    first = far_end.heard[-1]
    assert first.port == talking
    dead = phone.child()

    os.kill(dead, signal.SIGKILL)
    killed, held = arriving(), HeldUp(phone.pid)

    back = far_end.wait_heard("sound again", lambda packet: packet.ssrc != first.ssrc, 20)
    assert back.arrived - killed < 1 + held.seconds(phone.child())
    assert back.port == talking
    mark = phone.heard.stat().st_size
    wait_for("a second of sound", lambda: far_end.heard[-1].at > back.at + 1.5)
    again = [packet for packet in far_end.heard if packet.ssrc == back.ssrc]
    assert pitch(again[25:]) == pytest.approx(440, abs=10)
    assert phone.child() != dead
    status = phone.status()
    assert status.state == "talking"
    assert status.audio.alive
    phone.ask(s.HangUp())
    far_end.wait_ended()
    phone.wait_state("idle")
    phone.close()
    hertz, _, purity = loudest_tone(phone.heard, after=mark)
    assert hertz == pytest.approx(620, rel=0.01)
    assert purity > 0.9


def test_p12_f46_a_killed_phone_is_registered_again_and_the_far_end_is_released(
    phone, far_end, talking
):
    contact = far_end.registrations[0].contact
    before = len(far_end.registrations)

    killed, held = time.monotonic(), HeldUp()
    phone.kill()
    phone.start()

    again = far_end.wait_registered(before + 1)
    assert again.at - killed < 5 + held.seconds(phone.pid)
    assert again.contact == contact  # one phone, not a new one
    far_end.wait_ended(seconds=2)
    status = phone.status()
    assert (status.state, status.calls) == ("idle", ())
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")


def test_p12_the_audio_process_ends_with_the_phone(phone, talking):
    child = phone.child()
    phone.kill()
    wait_for("the end of the audio process", lambda: not _lives(child))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
