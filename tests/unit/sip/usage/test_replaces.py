"""Calls that take the place of others (RFC 3891), asked for by us and by others."""

import pytest

from firmware.sip.errors import ParseError
from firmware.sip.invite.replaces import Replaces, naming, parse_replaces
from firmware.sip.notifications import CallConfirmed, CallEnded, CallRef, IncomingCall, OfferWanted

OUT, NEW = CallRef("out"), CallRef("new")


@pytest.fixture
def invites(world, desk, pbx, sip):
    """Send an INVITE with these headers; returns the final statuses so far."""
    count = iter(range(1, 100))

    def invite(*rows):
        number = next(count)
        how = {"call_id": f"call{number}", "branch": f"z9hG4bKi{number}", "body": sip.OFFER}
        pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, **how), desk)
        world.run(0.05)
        return [m.status for m in pbx.inbox if getattr(m, "status", 0) >= 200]

    return invite


def dialog_of(desk, call):
    return desk.agent._core.calls[call].dialog


def test_a_call_that_is_up_is_named_to_the_phone(world, desk, invites):
    """RFC 3891 §3: the phone answers the new call and hangs up the old one."""
    invites()
    old = desk.last(IncomingCall).call
    desk.agent.accept(old, b"v=0", world.now)
    world.run(0.05)
    kept = dialog_of(desk, old)
    value = f"{kept.call_id};to-tag={kept.local_tag};from-tag={kept.remote_tag}"
    invites(("Replaces", value), ("Require", "replaces"))
    assert desk.last(IncomingCall).replaces == old
    assert not desk.of(CallEnded)


def test_our_own_call_that_nobody_answered_yet_may_be_replaced(world, desk, pbx, sip, invites):
    """RFC 3891 §3: an early dialog that we began."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
    world.run(0.01)
    invite = pbx.requests("INVITE")[0]
    pbx.tell(sip.answer_to(invite, 180, ("Contact", "<sip:bob@192.0.2.9>"), tag="bob"), desk)
    world.run(0.01)
    ours = invite.headers.get("From").split("tag=")[1]
    call_id = invite.headers.get("Call-ID")
    value = f"{call_id};from-tag=bob;to-tag={ours};early-only"
    invites(("Replaces", value))
    assert desk.last(IncomingCall).replaces == OUT


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("{id};to-tag={to};from-tag={from_};early-only", 486),
        ("{id};to-tag={from_};from-tag={to}", 481),
        ("other;to-tag={to};from-tag={from_}", 481),
        ("{id};to-tag={to}", 400),
        ("{id}", 400),
        (";to-tag=a;from-tag=b", 400),
    ],
)
def test_what_does_not_fit(world, desk, invites, value, status):
    """RFC 3891 §3: 486 for a call that is up and early-only, 481 without a match."""
    invites()
    call = desk.last(IncomingCall).call
    desk.agent.accept(call, b"v=0", world.now)
    world.run(0.05)
    kept = dialog_of(desk, call)
    text = value.format(id=kept.call_id, to=kept.local_tag, from_=kept.remote_tag)
    assert invites(("Replaces", text))[-1] == status
    assert len(desk.of(IncomingCall)) == 1
    assert not desk.of(CallEnded)


def test_a_call_that_rings_here_is_not_replaced(world, desk, invites):
    """RFC 3891 §3: an early dialog that we did not begin."""
    invites()
    call = desk.last(IncomingCall).call
    desk.agent.ring(call, world.now)
    world.run(0.05)
    kept = dialog_of(desk, call)
    value = f"{kept.call_id};to-tag={kept.local_tag};from-tag={kept.remote_tag}"
    assert invites(("Replaces", value))[-1] == 481


def test_a_call_that_has_just_ended_is_declined(world, desk, pbx, invites):
    """RFC 3891 §3: 603, so that nothing rings for a call that nobody wants."""
    invites()
    call = desk.last(IncomingCall).call
    desk.agent.accept(call, b"v=0", world.now)
    world.run(0.05)
    kept = dialog_of(desk, call)
    pbx.reply = lambda _: []
    desk.agent.end(call, world.now)
    value = f"{kept.call_id};to-tag={kept.local_tag};from-tag={kept.remote_tag}"
    assert invites(("Replaces", value))[-1] == 603


@pytest.mark.parametrize("rows", [("Replaces", "a;to-tag=b;from-tag=c"), ("Join", "a;to-tag=b")])
def test_two_that_contradict_each_other_are_400(invites, rows):
    """RFC 3891 §3."""
    assert invites(("Replaces", "x;to-tag=y;from-tag=z"), rows)[-1] == 400


def test_join_is_an_extension_we_do_not_have(invites):
    """RFC 3261 §8.2.2.3: who insists hears 420."""
    assert invites(("Require", "join"), ("Join", "x;to-tag=y;from-tag=z"))[-1] == 420


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("{id};to-tag={to};from-tag={from_}", 488),
        ("{id};to-tag={from_};from-tag={to}", 481),
        ("other;to-tag={to};from-tag={from_}", 481),
        ("{id};to-tag={to}", 400),
        ("{id}", 400),
    ],
)
@pytest.mark.parametrize("stage", ["rings", "up", "ended"])
def test_nobody_joins_a_call_of_ours(desk, pbx, invites, value, status, stage):
    """RFC 3911 §4: 488 where there is something to join, 603 if it has just ended."""
    world = desk.world
    invites()
    call = desk.last(IncomingCall).call
    desk.agent.ring(call, world.now)
    if stage != "rings":
        desk.agent.accept(call, b"v=0", world.now)
    world.run(0.05)
    kept = dialog_of(desk, call)
    if stage == "ended":
        pbx.reply = lambda _: []
        desk.agent.end(call, world.now)
        status = 603 if status == 488 else status
    text = value.format(id=kept.call_id, to=kept.local_tag, from_=kept.remote_tag)
    assert invites(("Join", text))[-1] == status
    assert len(desk.of(IncomingCall)) == 1
    assert stage == "ended" or not desk.of(CallEnded)


@pytest.mark.parametrize(
    "rows", [("Replaces", "a;to-tag=b;from-tag=c"), ("Join", "a;to-tag=b;from-tag=c")]
)
def test_two_joins_or_one_that_contradicts_are_400(invites, rows):
    """RFC 3911 §4."""
    assert invites(("Join", "x;to-tag=y;from-tag=z"), rows)[-1] == 400


@pytest.mark.parametrize("name", ["Join", "Replaces"])
@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "SUBSCRIBE"])
def test_only_an_invite_may_replace_or_join(world, desk, pbx, sip, name, method):
    """RFC 3911 §4, RFC 3891 §3."""
    row = (name, "x;to-tag=y;from-tag=z")
    pbx.tell(sip.request(method, "sip:101@192.0.2.1", row), desk)
    world.run(0.05)
    assert pbx.responses(400)


def test_we_ask_another_phone_to_replace_a_call(talking, sip):
    """RFC 3891 §4: the tags as the other phone sees them; Require, so that others refuse."""
    world, left, right, out, arrived = talking
    value = naming(dialog_of(left, out))
    left.agent.invite(NEW, sip.LINE, "600", world.now, replaces=value, headers=(("Subject", "x"),))
    world.run(0.1)
    asked = right.last(IncomingCall)
    assert asked.replaces == arrived
    right.agent.accept(asked.call, sip.ANSWER, world.now)
    right.agent.end(arrived, world.now)
    world.run(0.1)
    assert right.last(CallConfirmed).call == asked.call
    assert left.last(CallEnded).call == out
    invite = next(data for *_, data in world.log[::-1] if data.startswith(b"INVITE"))
    assert b"Require: replaces" in invite
    assert b"Subject: x" in invite


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a@b;to-tag=1;from-tag=2", Replaces("a@b", "1", "2")),
        ("a@b ; from-tag=2 ;to-tag=1;early-only", Replaces("a@b", "1", "2", early_only=True)),
        ("a;to-tag=0;from-tag=2", Replaces("a", "", "2")),
    ],
)
def test_it_is_read(text, value):
    """RFC 3891 §6.1: a tag of zero is no tag."""
    assert parse_replaces(text) == value


def test_it_is_written():
    """RFC 3891 §6.1."""
    assert str(Replaces("a", "1", "", early_only=True)) == "a;to-tag=1;from-tag=0;early-only"
    odd = Replaces("a", "x;y", '"')
    assert str(odd) == 'a;to-tag="x;y";from-tag="\\""'
    assert parse_replaces(str(odd)) == odd
    with pytest.raises(ParseError):
        parse_replaces("a;to-tag=1")
