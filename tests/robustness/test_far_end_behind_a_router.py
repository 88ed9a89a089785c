"""A far end that names an address nobody can reach, as one behind a router does."""

import pytest

from firmware.control import schema as s
from tests.support.far_end import media_port, pitch
from tests.support.phone import line
from tests.support.waiting import wait_for


def test_it_is_spoken_to_where_it_speaks_from(far_end, start_phone):
    """RFC 4961 §3, on a line that says so (A8)."""
    far_end.named = "192.0.2.1"
    phone = start_phone(line("101", far_end.server, symmetric_rtp=True))
    phone.wait_registered()
    phone.ask(s.Dial(target="204"))
    port = media_port(far_end.wait_call().offer)
    phone.wait_state("talking")
    assert not far_end.heard
    far_end.speak_to((phone.address, port))
    wait_for("half a second of sound", lambda: len(far_end.heard) > 30)
    assert pitch(far_end.heard[5:]) == pytest.approx(440, abs=20)
    assert phone.status().reason == ""
