"""A real phone of somebody else's at the far end, judged by the sound on both sides."""

import time

import pytest

from firmware.control import schema as s
from tests.support.baresip import Baresip, both_heard
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone, sides, spectrum_peak

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


OURS = {"L16": "l16/16000"}
"""Our word for a codec, where it is another one."""


@pytest.fixture
def office(need, network, tmp_path):
    """Kamailio, our phone 101 (440 Hz) and baresip 102 (1000 Hz), all registered."""
    need("kamailio", "baresip")
    opened = []

    def open_office(
        codec: str = "PCMU", *, leave_out_silence: bool = False, **more
    ) -> tuple[Phone, Baresip]:
        kamailio = Kamailio(network, tmp_path / "kamailio")
        account = f"<sip:102@{kamailio.server}>;auth_pass=s102;regint=60"
        far = Baresip(network, tmp_path / "baresip", account, codec=codec)
        ours = Phone(
            tmp_path / "phone",
            line("101", kamailio.server, **more),
            namespace=network,
            address=network.party(),
            codecs=(OURS.get(codec, codec.lower()),),
            leave_out_silence=leave_out_silence,
        )
        opened.extend((far, ours))
        far.wait_registered()
        ours.wait_registered()
        return ours, far

    yield open_office
    for phone in reversed(opened):
        phone.close()


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722", "OPUS", "L16"])
def test_we_call_baresip_and_both_hear(office, codec):
    ours, far = office(codec)
    ours.ask(s.Dial(target="102"))
    status = ours.wait_state("talking")
    assert status.calls[0].codec.upper() == codec
    both_heard(ours, far)


def test_baresip_calls_us_and_both_hear(office):
    ours, far = office(auto_answer="always")
    far.command("dial", "101")
    ours.wait_state("talking")
    both_heard(ours, far)


def test_a_ringing_phone_is_answered_by_its_hook(office):
    ours, far = office()
    far.command("dial", "101")
    ours.wait_state("ringing")
    ours.ask(s.Hook(move=s.HookMove.UP))
    ours.wait_state("talking")
    far.wait_event("CALL_ESTABLISHED")
    ours.ask(s.Hook(move=s.HookMove.DOWN))
    far.wait_event("CALL_CLOSED")
    ours.wait_state("idle")


def hear_now(phone: Phone) -> None:
    """The far end's tone has to be in what was heard since this moment."""
    begin = phone.heard.stat().st_size
    enough = phone.status().calls[0].duration + 3
    phone.wait("three seconds of sound", lambda status: status.calls[0].duration > enough)
    hertz, _, purity = loudest_tone(phone.heard, after=begin)
    assert hertz == pytest.approx(1000, rel=0.01)
    assert purity > 0.9


def test_hold_by_baresip_is_seen_and_its_end_too(office):
    ours, far = office()
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    hear_now(ours)
    far.command("hold")
    ours.wait("the screen to say so", lambda status: status.calls[0].held_by_them)
    far.command("resume")
    ours.wait("the screen to say so", lambda status: not status.calls[0].held_by_them)
    hear_now(ours)


def test_we_hold_baresip_and_take_it_back(office):
    ours, _ = office()
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    ours.ask(s.Hold())
    ours.wait("hold", lambda status: status.calls[0].held)
    ours.ask(s.Resume())
    ours.wait("resume", lambda status: not status.calls[0].held)
    hear_now(ours)


def test_hold_after_comfort_noise_was_offered_and_we_hear_again(office):
    """RFC 3389 §5.1; baresip knows none, so silence is sent to it as before."""
    ours, _ = office(leave_out_silence=True)
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    ours.ask(s.Hold())
    ours.wait("hold", lambda status: status.calls[0].held)
    pause(ours, 1)
    ours.ask(s.Resume())
    ours.wait("resume", lambda status: not status.calls[0].held)
    hear_now(ours)


@pytest.mark.parametrize("codec", ["PCMU", "OPUS"])
def test_a_recorded_call_has_us_on_the_left_and_baresip_on_the_right(office, codec):
    ours, _ = office(codec)
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    (file,) = ours.ask(s.Record(on=True), s.RecordReply).files
    began = time.monotonic()
    pause(ours, 2.5)
    ours.ask(s.Hold())
    ours.wait("hold", lambda status: status.calls[0].held)
    pause(ours, 2)
    ours.ask(s.HangUp())
    lasted = time.monotonic() - began
    wait_for("the file", lambda: f"Recorded: {file}" in ours.log())
    rate, left, right = sides(file)
    assert rate == (8000 if codec == "PCMU" else 16000)
    talked = slice(rate, 2 * rate)
    for side, tone in ((left, 440), (right, 1000)):
        hertz, _, purity = spectrum_peak(side[talked], rate)
        assert hertz == pytest.approx(tone, rel=0.01)
        assert purity > 0.9
    for side in (left, right):
        assert abs(side[-rate:]).max() == 0, "on hold nobody is heard"
    assert len(left) / rate == pytest.approx(lasted, abs=0.7)


def pause(phone: Phone, seconds: float) -> None:
    """Let so much of the call pass."""
    until = phone.status().calls[0].duration + seconds
    phone.wait("some of the call", lambda status: status.calls[0].duration > until)


@pytest.mark.parametrize("codec", ["PCMU", "OPUS"])
def test_dtmf_from_baresip_arrives(office, codec):
    ours, far = office(codec)
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    for digit in "159":
        far.command("sndcode", digit)
    wait_for("three digits", lambda: "159" in _digits(ours))


def test_dtmf_of_8000_beside_opus_lasts_as_long_as_it_should(office):
    """baresip knows events of 8,000 only, and the speech runs on 48,000."""
    ours, far = office("OPUS")
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    ours.ask(s.Dtmf(digits="159"))
    wait_for("three digits", lambda: _pressed(far) == "159")


def _pressed(far: Baresip) -> str:
    """The keys that baresip says it was sent."""
    far.command("uastat")
    events = [event for event in far.events if event.get("type") == "CALL_DTMF_START"]
    return "".join(str(event.get("param")) for event in events)


def _digits(phone: Phone) -> str:
    return phone.status().calls[0].digits


def test_keepalives_while_baresip_holds_us_disturb_nothing(office):
    """RFC 6263 §4.6: baresip ignores them, stays in the call, and both hear again afterwards."""
    ours, far = office()
    ours.ask(s.Dial(target="102"))
    ours.wait_state("talking")
    hear_now(ours)
    far.command("hold")
    ours.wait("the screen to say so", lambda status: status.calls[0].held_by_them)
    # The first leaves after 13 to 14 s without media.
    resting = ours.status().calls[0].duration + 16
    ours.wait("a keepalive", lambda status: status.calls[0].duration > resting, 30)
    far.command("resume")
    ours.wait("the screen to say so", lambda status: not status.calls[0].held_by_them)
    hear_now(ours)
    both_heard(ours, far)
