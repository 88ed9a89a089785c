"""A phone that leaves silence out: what the far end gets while nobody speaks."""

import pytest

from firmware.control import schema as s
from tests.support.far_end import pitch
from tests.support.phone import line
from tests.support.waiting import wait_for


def test_on_hold_comfort_noise_takes_the_place_of_silence(far_end, start_phone):
    """RFC 3389 §4: once, then each second; the far end need not take us for gone."""
    far_end.rests = True
    phone = start_phone(line("101", far_end.server), leave_out_silence=True)
    phone.wait_registered()
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 10)
    assert not far_end.noises
    phone.ask(s.Hold())
    wait_for("a description of the silence", lambda: far_end.noises)
    said = len(far_end.heard)
    wait_for("another one", lambda: len(far_end.noises) > 1)
    assert len(far_end.heard) == said
    assert {len(noise) for noise in far_end.noises} == {1}
    phone.ask(s.Resume())
    wait_for("half a second of sound", lambda: len(far_end.heard) > said + 25)
    assert pitch(far_end.heard[said + 5 :]) == pytest.approx(440, abs=20)
