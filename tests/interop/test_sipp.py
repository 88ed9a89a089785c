"""SIPp's stock scenarios, a thousand times."""

import pytest

from firmware.control import schema as s
from tests.support import sipp
from tests.support.phone import Phone, line
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]


@pytest.fixture
def phone(need, network, tmp_path):
    """A phone without registrar that answers SIPp at once, a hundred calls at a time."""
    need("sipp")
    caller = network.party()
    lines = line("perf", caller, register=False, peers=[caller], auto_answer="always")
    ours = Phone(
        tmp_path / "phone",
        lines,
        namespace=network,
        address=network.party(),
        max_calls=100,
        loop=True,
    )
    ours.caller = caller
    yield ours
    ours.close()


def test_a_thousand_calls_from_sipp_without_a_failure(phone, network, tmp_path):
    sipp.call(
        network,
        tmp_path / "sipp",
        address=phone.caller,
        target=f"{phone.address}:5060",
        user="perf",
        calls=1000,
        rate=100,
    )
    phone.wait("every call to be gone", lambda status: not status.calls)
    stats = phone.ask(s.Stats(), s.StatsReply)
    assert stats.counters["handler_failures"] == 0
    assert "Traceback" not in phone.log()


def test_a_thousand_calls_to_sipp_without_a_failure(need, network, tmp_path):
    need("sipp")
    far = sipp.Callee(network, tmp_path / "sipp")
    ours = Phone(
        tmp_path / "phone",
        line("perf", far.address, register=False),
        namespace=network,
        address=network.party(),
    )
    for _ in range(1000):
        ours.ask(s.Dial(target="service"))
        ours.wait_state("talking")
        ours.ask(s.HangUp())
        ours.wait("the end of the call", lambda status: not status.calls)
    ours.close()
    far.close()
    assert not far.errors()


def test_who_calls_a_reflector_hears_what_was_said(need, network, tmp_path):
    """RFC 3550 §8.2: our packets come back as they are, under our own SSRC."""
    need("sipp")
    far = sipp.Callee(network, tmp_path / "sipp", echoes=True)
    text = line("perf", far.address, register=False)
    ours = Phone(tmp_path / "phone", text, namespace=network, address=network.party(), tone_hz=620)
    ours.ask(s.Dial(target="service"))
    ours.wait_state("talking")
    ours.wait("sound", lambda found: found.calls[0].rtp and found.calls[0].rtp.received > 100)
    figures = ours.status().calls[0].rtp
    ours.ask(s.HangUp())
    ours.wait("the end of the call", lambda status: not status.calls)
    ours.close()
    far.close()
    found, _, purity = loudest_tone(ours.heard)
    assert found == pytest.approx(620, rel=0.01)
    assert purity > 0.9
    assert figures.lost == 0
    assert "SSRC" not in ours.log(), "nobody else has ours"
