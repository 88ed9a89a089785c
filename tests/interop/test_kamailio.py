"""Registered at a real registrar, called through a real proxy."""

import pytest

from firmware.control import schema as s
from tests.support.kamailio import Kamailio
from tests.support.phone import Phone, line
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


@pytest.fixture
def kamailio(need, network, tmp_path):
    need("kamailio")
    # Short registrations: a phone whose registrar has forgotten it finds out soon (F19 as well).
    return Kamailio(network, tmp_path / "kamailio", longest=20)


@pytest.fixture
def make_phone(network, tmp_path, kamailio):
    phones = []

    def make(user: str, **more) -> Phone:
        server = more.pop("server", kamailio.server)
        options = {"namespace": network, "address": network.party()}
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
    hertz, _, purity = loudest_tone(alice.heard)
    assert hertz == pytest.approx(620, rel=0.01)
    assert purity > 0.9
    hertz, _, purity = loudest_tone(bob.heard)
    assert hertz == pytest.approx(440, rel=0.01)
    assert purity > 0.9


def test_after_hold_and_resume_both_hear_again(make_phone):
    alice = make_phone("101", tone_hz=440)
    bob = make_phone("102", tone_hz=620, auto_answer="always")
    alice.wait_registered()
    bob.wait_registered()
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking")
    alice.ask(s.Hold())
    bob.wait("the hold", lambda status: status.calls[0].held_by_them)
    alice.ask(s.Resume())
    bob.wait("the resume", lambda status: not status.calls[0].held_by_them)
    before = {phone: phone.heard.stat().st_size for phone in (alice, bob)}
    enough = alice.status().calls[0].duration + 3
    alice.wait("sound", lambda status: status.calls[0].duration > enough)
    for phone, tone in ((alice, 620), (bob, 440)):
        hertz, _, purity = loudest_tone(phone.heard, after=before[phone])
        assert hertz == pytest.approx(tone, rel=0.01)
        assert purity > 0.9


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


def test_f17_after_a_restart_of_the_registrar_a_call_makes_the_phone_register_again(
    make_phone, kamailio
):
    alice = make_phone("101", expires=60)
    bob = make_phone("102", expires=60, auto_answer="always")
    alice.wait_registered()
    bob.wait_registered()
    kamailio.process.terminate()
    kamailio.process.wait(10)
    kamailio.start()
    alice.wait(
        "both phones to be registered anew",
        lambda _: _called(alice, "102"),
        75,
    )


def _called(phone: Phone, number: str) -> bool:
    phone.ask(s.Dial(target=number))
    status = phone.wait(
        "an answer or a refusal", lambda found: found.state in ("talking", "released", "idle")
    )
    if status.state == "talking":
        return True
    phone.ask(s.Hook(move=s.HookMove.DOWN))
    return False
