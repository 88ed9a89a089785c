"""Registered at a real registrar, called through a real proxy."""

import time

import pytest

from firmware.control import schema as s
from tests.support.kamailio import FORBIDS, SAYS_NOTHING, Kamailio
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


@pytest.fixture
def setup(request):
    """What is special about this test's Kamailio; parametrise it indirectly."""
    return getattr(request, "param", {})


@pytest.fixture
def kamailio(need, network, tmp_path, setup):
    need("kamailio")
    return Kamailio(network, tmp_path / "kamailio", **setup)


@pytest.fixture
def make_phone(network, tmp_path, kamailio):
    phones = []
    # All of them first: an address that comes later would be a change to those that run.
    addresses = iter([network.party(ipv6=kamailio.ipv6) for _ in range(2)])

    def make(user: str, **more) -> Phone:
        server = more.pop("server", kamailio.server)
        options = {"namespace": network, "address": next(addresses)}
        settings = {key: more.pop(key) for key in list(more) if key in OPTIONS}
        phone = Phone(tmp_path / user, line(user, server, **more), **options, **settings)
        phones.append(phone)
        return phone

    yield make
    for phone in reversed(phones):
        phone.close()


OPTIONS = ("codecs", "tone_hz", "max_calls", "loop")


def test_two_phones_talk_through_the_proxy(make_phone):
    alice = make_phone("101", tone_hz=440)
    bob = make_phone("102", tone_hz=620, auto_answer="always")
    talk(alice, bob)


def talk(alice, bob):
    """Alice (440 Hz) calls Bob (620 Hz), and each hears the other."""
    alice.wait_registered()
    bob.wait_registered()
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    alice.wait("two seconds of sound", lambda status: status.calls[0].duration > 2)
    alice.ask(s.HangUp())
    alice.wait_state("idle")
    bob.wait("the end of the call", lambda status: not status.calls)
    alice.close()
    bob.close()
    for phone, tone in ((alice, 620), (bob, 440)):
        hertz, _, purity = loudest_tone(phone.heard)
        assert hertz == pytest.approx(tone, rel=0.01)
        assert purity > 0.9


def test_on_hold_the_far_end_hears_nothing_and_after_it_both_hear_again(make_phone):
    alice = make_phone("101", tone_hz=440)
    bob = make_phone("102", tone_hz=620, auto_answer="always")
    alice.wait_registered()
    bob.wait_registered()
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    assert level(bob) > -30
    alice.ask(s.Hold())
    bob.wait("the hold", lambda status: status.calls[0].held_by_them)
    level(bob, 0.5)  # what was still under way
    assert level(bob) < -60, "the held party hears the room"
    alice.ask(s.Resume())
    bob.wait("the resume", lambda status: not status.calls[0].held_by_them)
    before = {phone: phone.heard.stat().st_size for phone in (alice, bob)}
    enough = alice.status().calls[0].duration + 3
    alice.wait("sound", lambda status: status.calls[0].duration > enough)
    for phone, tone in ((alice, 620), (bob, 440)):
        hertz, _, purity = loudest_tone(phone.heard, after=before[phone])
        assert hertz == pytest.approx(tone, rel=0.01)
        assert purity > 0.9


def level(phone, seconds=2.0):
    """In dBov, the loudest half second that somebody hears from now on."""
    before = phone.heard.stat().st_size
    enough = phone.status().calls[0].duration + seconds
    phone.wait("time to pass", lambda status: status.calls[0].duration > enough)
    return loudest_tone(phone.heard, after=before)[1]


def test_a_wrong_password_is_said_in_words(make_phone):
    phone = make_phone("101", password="guess")
    status = phone.wait("a reason", lambda found: found.lines[0].reason and found.reason)
    assert "password" in status.lines[0].reason.lower()


def test_tcp_carries_register_and_call(make_phone):
    alice = make_phone("101", transport="tcp")
    bob = make_phone("102", transport="tcp", auto_answer="always", loop=True)
    alice.wait_registered()
    bob.wait_registered()
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    alice.wait("sound", lambda status: status.calls[0].duration > 1.5)
    alice.close()
    hertz, _, _ = loudest_tone(alice.heard)
    assert hertz == pytest.approx(440, rel=0.01)


@pytest.mark.parametrize(
    "setup",
    [{}, {"unknown_caller": FORBIDS}, {"unknown_caller": SAYS_NOTHING}],
    indirect=True,
    ids=["404", "403", "no answer"],
)
def test_f17_a_call_that_fails_after_a_restart_makes_its_caller_register_at_once(
    make_phone, kamailio
):
    alice, bob = make_phone("101", recheck=0), make_phone("102", recheck=0, auto_answer="always")
    for phone, user in ((alice, "101"), (bob, "102")):
        phone.wait_registered()
        assert kamailio.knows(user)
        assert phone.status().lines[0].expires_in > 3000, "no refresh can help in this test"
    kamailio.process.terminate()
    kamailio.process.wait(10)
    kamailio.start()
    assert not kamailio.knows("101")
    assert not kamailio.knows("102")

    for phone in (alice, bob):
        phone.ask(s.Dial(target="103"))
    for phone, user in ((alice, "101"), (bob, "102")):
        phone.wait("the call to fail", lambda found: found.state in ("released", "idle"), 40)
        wait_for("Kamailio to know the caller", lambda user=user: kamailio.knows(user), 3)
        phone.ask(s.HangUp())
        phone.wait_state("idle")
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")


def test_f17_p04_a_restart_between_two_probes_is_found_out_within_a_minute(make_phone, kamailio):
    """Nobody asks anything while it is away, and it answers OPTIONS after that as before."""
    phone = make_phone("101")
    phone.wait_registered()
    assert kamailio.knows("101")
    kamailio.process.terminate()
    kamailio.process.wait(10)
    kamailio.start()
    began = time.monotonic()
    assert not kamailio.knows("101"), "it has forgotten"
    assert phone.status().lines[0].registered, "and the phone could not see it"
    wait_for("Kamailio to know the phone again", lambda: kamailio.knows("101"), 75)
    assert time.monotonic() - began < 60, "P4"


@pytest.mark.parametrize("setup", [{"ipv6": True}], indirect=True, ids=["IPv6"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_f54_two_phones_talk_over_ipv6_alone(make_phone, transport):
    alice = make_phone("101", tone_hz=440, transport=transport)
    bob = make_phone("102", tone_hz=620, transport=transport, auto_answer="always")
    talk(alice, bob)
