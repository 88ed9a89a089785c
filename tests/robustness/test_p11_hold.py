"""P11: who is on hold does not hear the room, whatever the wire carries; then they do again."""

import pytest

from firmware.control import schema as s
from tests.support.far_end import arriving, loudest, pitch
from tests.support.ground import BOTH_FAMILIES
from tests.support.waiting import wait_for

pytestmark = BOTH_FAMILIES
QUIET = 40
"""A sample: PCMU's noise around nothing is 8; the phone's tone has 9,000."""


def since(phone, far_end, seconds):
    """What the far end hears in the next seconds of the call."""
    begin = arriving()
    enough = phone.status().calls[0].duration + seconds
    phone.wait("that much of the call", lambda status: status.calls[0].duration > enough)
    return [packet for packet in list(far_end.heard) if packet.arrived > begin]


def test_p11_on_hold_the_far_end_hears_nothing_and_after_it_the_phone_again(phone, far_end):
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 25)
    assert pitch(since(phone, far_end, 0.6)) == pytest.approx(440, abs=10)

    phone.ask(s.Hold())
    phone.wait("hold", lambda status: status.calls[0].held)
    on_hold = since(phone, far_end, 1.5)[10:]  # what was under way when the key was pressed
    assert loudest(on_hold) < QUIET, "the room is heard on hold"

    phone.ask(s.Resume())
    phone.wait("resume", lambda status: not status.calls[0].held)
    again = since(phone, far_end, 1.0)
    assert pitch(again[-25:]) == pytest.approx(440, abs=20)
    assert loudest(again) > 5000


def test_p11_muted_the_far_end_hears_nothing(phone, far_end):
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 25)
    phone.ask(s.Mute(on=True))
    since(phone, far_end, 0.2)
    assert loudest(since(phone, far_end, 1.0)) < QUIET
    phone.ask(s.Mute(on=False))
    since(phone, far_end, 0.2)
    assert loudest(since(phone, far_end, 0.5)) > 5000
