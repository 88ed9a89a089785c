"""What a person sees and hears of encryption: the lock, calls that fail for want of it."""

import pytest

from firmware.base.values import replace
from firmware.call.negotiation import Negotiation
from firmware.call.secrecy import Material, secrecy_of
from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import EngineLost, KeysFailed
from firmware.phone.view import CallState, Mode
from firmware.sdp.description import Format
from firmware.sdp.keying import Handshake
from firmware.sdp.negotiate import Capabilities
from firmware.sip import notifications as n
from tests.support.desk import ANN, Desk, only, sdp, settings

SUITE = "AEAD_AES_256_GCM"
PCMU = Capabilities((Format(0, "PCMU", 8000),))
OURS = Material(b"o" * 32, "sha-256 " + ":".join(["AA"] * 32))
THEIRS = Material(b"t" * 32, "sha-256 " + ":".join(["BB"] * 32))
CLEAR, EMPTY = sdp(), Material()


def desk(srtp="require", ways="auto", transport="tls", material=OURS, **more):
    tree = settings()
    line = replace(tree.lines[0], srtp=srtp, srtp_keys=ways, transport=transport, **more)
    made = Desk(replace(tree, lines=(line,)))
    made.material = material
    return made


def far(srtp="prefer", ways="auto", *, protected=True):
    secrecy = secrecy_of(srtp, ways, THEIRS, protected=protected, emergency=False)
    return Negotiation.open(PCMU, "10.0.0.9", 5000, 9, secrecy)


def calling(made, *, protected=True):
    """Dialled, and the offer is out; returns it."""
    made.lift()
    made.dials("201")
    (offer,) = only(made.way_found(protected=protected), c.SendOffer)
    return offer.sdp


def talking(made, there, *, protected=True):
    """Ann answers; returns what that led to."""
    _, answer = there.answer(calling(made, protected=protected), held=False)
    return made.far_end_answers(answer)


def locked(made):
    return made.view.front_call.secure


def test_a_call_with_keys_in_sdp():
    made = desk()
    commands = talking(made, far())
    (configured,) = only(commands, m.ConfigureStream)
    (keys,) = only(commands, m.SetKeys)
    assert configured.secure
    assert keys.keys.suite == SUITE
    kinds = [type(each.order) for each in commands if isinstance(each, c.MediaOrder)]
    assert kinds.index(m.ConfigureStream) < kinds.index(m.SetKeys)
    assert only(commands, c.MakeKeys) == []


def test_nothing_is_heard_in_the_clear_before_the_answer_of_a_call_that_requires_keys():
    made = desk()
    made.lift()
    made.dials("201")
    (opened,) = only(made.way_found(protected=True), m.OpenStream)
    assert opened.secure
    other = desk("prefer")
    other.lift()
    other.dials("201")
    (opened,) = only(other.way_found(protected=True), m.OpenStream)
    assert not opened.secure


def test_the_lock_is_what_the_engine_says():
    made = desk()
    talking(made, far())
    assert not locked(made)
    made.send(m.StreamSecured(made.front_stream, SUITE))
    assert locked(made)
    made.send(m.StreamSecured(made.front_stream, ""))
    assert not locked(made)


def test_a_new_engine_is_told_the_keys_and_the_lock_waits_for_its_word():
    made = desk()
    talking(made, far())
    made.send(m.StreamSecured(made.front_stream, SUITE))
    made.send(EngineLost())
    assert not locked(made)
    commands = made.engine_ready()
    assert only(commands, m.OpenStream)[0].secure
    assert len(only(commands, m.SetKeys)) == 1
    made.send(m.StreamSecured(made.front_stream, SUITE))
    assert locked(made)


def test_keys_that_others_could_read_make_no_lock():
    made = desk(ways="sdes", transport="udp")
    talking(made, far(ways="sdes"), protected=False)
    made.send(m.StreamSecured(made.front_stream, SUITE))
    assert not locked(made)


@pytest.mark.parametrize("transport", ["udp", "tcp", "auto", "ws"])
def test_without_tls_keys_are_made_by_dtls(transport):
    made = desk(transport=transport)
    offer = calling(made, protected=False)
    assert b"inline" not in offer
    assert b"UDP/TLS/RTP/SAVP" in offer


def test_a_line_with_tls_whose_call_came_by_another_way_writes_no_keys():
    made = desk()
    assert b"inline" not in calling(made, protected=False)


def test_a_handshake_is_asked_for_with_the_far_ends_certificate():
    made = desk(ways="dtls")
    commands = talking(made, far(ways="dtls"))
    (wish,) = only(commands, c.MakeKeys)
    assert wish.handshake == Handshake(active=False, prints=(("sha-256", b"\xbb" * 32),))
    assert wish.remote == ("10.0.0.9", 5000)
    assert only(commands, m.ConfigureStream)[0].secure
    made.send(m.StreamSecured(made.front_stream, SUITE))
    assert locked(made)
    made.send(EngineLost())
    assert len(only(made.engine_ready(), c.MakeKeys)) == 1


@pytest.mark.parametrize("follows", [True, False])
def test_a08_a_handshake_follows_a_far_end_where_the_line_says_so(follows):
    made = desk(ways="dtls", symmetric_rtp=follows)
    commands = talking(made, far(ways="dtls"))
    (wish,) = only(commands, c.MakeKeys)
    assert (wish.symmetric, wish.checked) == (follows, False)


def test_a_failed_handshake_ends_the_call_and_says_why():
    """RFC 8643 §3.2: where key management fails the media must fail, not fall back."""
    made = desk("prefer", ways="dtls")
    talking(made, far(ways="dtls"))
    commands = made.send(KeysFailed(made.front_stream, "no answer to the handshake"))
    assert len(only(commands, c.EndCall)) == 1
    assert made.mode is Mode.RELEASED
    assert made.notice == "call_keys_failed"
    assert made.send(KeysFailed(77, "nobody's")) == []


def test_an_answer_in_the_clear_ends_a_call_that_requires_keys():
    made = desk()
    calling(made)
    commands = made.far_end_answers(sdp())
    assert len(only(commands, c.EndCall)) == 1
    assert only(commands, m.ConfigureStream) == []
    assert made.notice == "call_nothing_in_common"


def test_an_answer_in_the_clear_is_a_call_in_the_clear_where_keys_are_only_preferred():
    made = desk("prefer")
    calling(made)
    commands = made.far_end_answers(sdp())
    assert not only(commands, m.ConfigureStream)[0].secure
    assert only(commands, m.SetKeys) == []
    assert made.mode is Mode.TALKING
    assert not locked(made)


def test_a_caller_in_the_clear_is_refused_in_words_where_keys_are_required():
    made = desk()
    (refusal,) = only(made.calls_us(protected=True), c.RejectCall)
    assert (refusal.status, refusal.warning) == (
        488,
        "the offer is not encrypted, and this line takes no other call",
    )
    assert len(made.phone) == 0


def test_a_caller_who_wants_keys_is_refused_in_words_where_they_are_off():
    _, offer = far("require").make_offer(held=False)
    (refusal,) = only(desk("off").calls_us(body=offer), c.RejectCall)
    assert (refusal.status, refusal.warning) == (
        488,
        "encryption is switched off for this line",
    )


@pytest.mark.parametrize("ways", ["sdes", "dtls"])
def test_a_caller_with_keys_is_answered(ways):
    made = desk(ways=ways)
    there, offer = far("require", ways=ways).make_offer(held=False)
    made.calls_us(body=offer, protected=True)
    (accepted,) = only(made.lift(), c.AcceptCall)
    there = there.take_answer(accepted.sdp)
    assert there.media.keying is not None
    made.acknowledged()
    assert made.view.front_call.state is CallState.TALKING


def test_a09_a_re_invite_in_the_clear_is_refused_and_the_call_is_as_before():
    made = desk("prefer")
    talking(made, far())
    made.send(m.StreamSecured(made.front_stream, SUITE))
    (refusal,) = commands = made.send(n.ReofferReceived(made.front, CLEAR))
    assert commands == [
        c.RejectReoffer(made.front, 488, "the call is encrypted and stays so"),
    ]
    assert refusal.status == 488
    assert locked(made)


def test_a09_our_own_hold_answered_in_the_clear_leaves_the_media_as_it_was():
    made = desk("prefer")
    talking(made, far())
    made.send(a.Hold())
    commands = made.send(n.ReofferAnswered(made.front, sdp(direction="recvonly")))
    assert only(commands, m.ConfigureStream) == []


def test_without_anything_to_make_keys_of_there_is_no_call():
    made = desk(material=EMPTY)
    made.lift()
    made.dials("201")
    commands = made.way_found(protected=True)
    assert only(commands, c.SendOffer) == []
    assert len(only(commands, c.EndCall)) == 1
    assert made.notice == "call_no_keys"
    other = desk(material=EMPTY)
    (refusal,) = only(other.calls_us(), c.RejectCall)
    assert refusal.status == 488


def test_an_emergency_call_is_made_without_keys_if_it_must_be():
    made = desk(material=EMPTY)
    made.send(a.Dial("911"))
    (offer,) = only(made.way_found(protected=True), c.SendOffer)
    assert b"RTP/AVP" in offer.sdp
    made.far_end_answers(sdp(), remote=ANN)
    assert made.view.front_call.state is CallState.TALKING


def test_a_call_on_a_line_that_was_removed_meanwhile_is_in_the_clear():
    made = desk()
    made.calls_us(line=n.LineName("gone"), protected=True)
    made.lift()
    assert made.mode is Mode.TALKING
