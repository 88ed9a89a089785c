"""Transfers between three user agents of ours (RFC 5589)."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    FailureCause,
    IncomingCall,
    TransferAsked,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)
from firmware.sip.uri import parse_uri
from tests.support.sip_link import LINE
from tests.unit.sip.transfer.conftest import ANSWER, aor

NEW = CallRef("new")


def follows(party):
    """A transferee agrees; gives what it was asked."""
    asked = party.last(TransferAsked)
    party.agent.transfers.follow(asked.transfer, NEW, party.now)
    party.world.run(0.1)
    return asked


def is_called(party):
    """A target's name for the call that has come to it."""
    return party.last(IncomingCall).call


def test_blind_transfer(world, office):
    """RFC 5589 §6.1, RFC 3515 §2.4.4: REFER, NOTIFY 100, 180, 200, then our BYE.

    Our BYE and nobody else's: RFC 5589 §6.
    """
    boss, ann, bob = office
    call, anns = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    asked = follows(ann)
    assert (asked.call, asked.target.user, asked.referrer.user) == (anns, "103", "101")
    assert not asked.replaces
    bob.agent.ring(is_called(bob), world.now)
    world.run(0.1)
    assert [x.status for x in boss.of(TransferProgress)] == [100, 100, 180]
    bob.agent.accept(is_called(bob), ANSWER, world.now)
    world.run(0.1)
    assert ann.last(CallAnswered).call == NEW
    assert boss.of(TransferSucceeded) == [TransferSucceeded(call)]
    boss.agent.end(call, world.now)
    ann.agent.end(NEW, world.now)
    world.run(400)
    assert [len(party.agent) for party in office] == [0, 0, 0]


def test_the_target_learns_who_sent_the_call(world, office):
    """RFC 3892 §2.2: the Referred-By of the REFER stands in the INVITE, letter by letter.

    RFC 3892 §2.3.
    """
    boss, ann, bob = office
    call, _ = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    follows(ann)
    said = boss.sent("REFER")[0].headers.get("Referred-By")
    assert said == "<sip:101@192.0.2.1>"
    assert ann.sent("INVITE")[-1].headers.get("Referred-By") == said
    assert is_called(bob)


def test_attended_transfer(world, office):
    """RFC 5589 §7.3, RFC 3891 §4: the new call takes the place of the consultation."""
    boss, ann, bob = office
    call, _ = boss.calls(ann, "out")
    consultation, bobs = boss.calls(bob, "consultation")
    boss.agent.transfers.attended(call, consultation, world.now)
    world.run(0.1)
    assert follows(ann).replaces
    arrived = bob.last(IncomingCall)
    assert arrived.replaces == bobs
    bob.agent.accept(arrived.call, ANSWER, world.now)
    bob.agent.end(bobs, world.now)
    world.run(0.1)
    assert boss.of(TransferSucceeded) == [TransferSucceeded(call)]
    assert boss.last(CallEnded).call == consultation
    invite = ann.sent("INVITE")[-1]
    assert invite.headers.get("Require") == "replaces"


def test_complaint_25_attended_transfer_names_the_right_call(world, office):
    """Tags the wrong way round are why attended transfers end in nowhere (RFC 3891 §3)."""
    boss, ann, bob = office
    call, _ = ann.calls(boss, "to-boss")[::-1]
    consultation, bobs = boss.calls(bob, "consultation")
    boss.agent.transfers.attended(call, consultation, world.now)
    world.run(0.1)
    target = parse_uri(boss.sent("REFER")[0].headers.get("Refer-To").strip("<>"))
    replaces = dict(target.headers)["Replaces"]
    invite = boss.sent("INVITE")[0].headers
    ours = invite.get("From").split("tag=")[1]
    call_id, to_tag, from_tag = replaces.split(";")
    assert call_id == invite.get("Call-ID")
    assert from_tag == f"from-tag={ours}"
    assert to_tag not in (f"to-tag={ours}", "to-tag=")
    follows(ann)
    assert bob.last(IncomingCall).replaces == bobs


def test_a_busy_target_leaves_the_call_as_it_was(world, office):
    """RFC 3515 §2.4.5: a final status line of a failure."""
    boss, ann, bob = office
    call, anns = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    follows(ann)
    bob.agent.reject(is_called(bob), 486, world.now)
    world.run(0.1)
    failed = boss.last(TransferFailed)
    assert (failed.call, failed.cause, failed.status) == (call, FailureCause.BUSY, 486)
    assert failed.reached
    assert not boss.of(CallEnded)
    assert {x.call for x in ann.of(CallEnded)} == {NEW}
    assert anns


def test_a_transferee_who_declines(world, office):
    """RFC 3515 §2.4.2: approval may be denied at once."""
    boss, ann, _ = office
    call, _ = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    ann.agent.transfers.refuse(ann.last(TransferAsked).transfer, 603, world.now)
    world.run(0.1)
    failed = boss.last(TransferFailed)
    assert (failed.cause, failed.status, failed.reached) == (FailureCause.DECLINED, 603, False)


def test_a_second_try_after_the_first_failed(world, office):
    """RFC 3515 §2.4.6: each NOTIFY says which REFER it is about."""
    boss, ann, bob = office
    call, _ = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    follows(ann)
    bob.agent.reject(is_called(bob), 486, world.now)
    world.run(0.1)
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    follows(ann)
    bob.agent.accept(is_called(bob), ANSWER, world.now)
    world.run(0.1)
    assert boss.of(TransferSucceeded) == [TransferSucceeded(call)]
    events = {x.headers.get("Event") for x in ann.sent("NOTIFY")}
    numbers = {x.headers.get("CSeq").split()[0] for x in boss.sent("REFER")}
    assert events == {f"refer;id={number}" for number in numbers}


def test_what_cannot_be_transferred(world, office):
    boss, ann, _ = office
    call, _ = boss.calls(ann, "out")
    transfers = boss.agent.transfers
    with pytest.raises(LocalError):
        transfers.blind(CallRef("nobody"), "103", world.now)
    with pytest.raises(LocalError):
        transfers.blind(call, "with space", world.now)
    with pytest.raises(LocalError):
        transfers.attended(call, call, world.now)
    transfers.blind(call, aor("103"), world.now)
    with pytest.raises(LocalError):
        transfers.blind(call, aor("103"), world.now)
    with pytest.raises(LocalError):
        ann.agent.transfers.refuse("any", 200, world.now)


def test_the_phone_is_switched_off_in_the_middle(world, office):
    boss, ann, _ = office
    call, _ = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    follows(ann)
    for party in office:
        party.agent.shut_down(world.now)
    world.run(100)
    assert [len(party.agent) for party in office] == [0, 0, 0]


def test_f51_a_transfer_with_other_calls_around(world, office):
    """Other calls of the same people go on."""
    boss, ann, bob = office
    call, _ = boss.calls(ann, "out")
    for number in range(3):
        bob.agent.invite(CallRef(f"b{number}"), LINE, aor("101"), world.now)
    world.run(0.1)
    waiting = {x.call for x in boss.of(IncomingCall)}
    assert len(waiting) == 3
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    follows(ann)
    bob.agent.accept(is_called(bob), ANSWER, world.now)
    world.run(0.1)
    assert boss.of(TransferSucceeded) == [TransferSucceeded(call)]
    assert not {x.call for x in boss.of(CallEnded)} & waiting


@pytest.mark.slow
def test_a_thousand_transfers_leave_nothing(world, office):
    """Half of them reach their target; ten thousand REFERs by hand are in `test_referred`."""
    boss, ann, bob = office
    ringing = []
    bob.script = lambda x: ringing.append(x.call) if isinstance(x, IncomingCall) else None
    call, _ = boss.calls(ann, "out")
    for number in range(1000):
        boss.agent.transfers.blind(call, aor("103"), world.now)
        world.run(0.05)
        new = CallRef(f"new-{number}")
        ann.agent.transfers.follow(ann.last(TransferAsked).transfer, new, world.now)
        world.run(0.05)
        if number % 2:
            bob.agent.accept(ringing.pop(), ANSWER, world.now)
        else:
            bob.agent.reject(ringing.pop(), 486, world.now)
        world.run(0.1)
        ann.agent.end(new, world.now)
        for party in office:
            party.heard.clear()
        world.log.clear()
    boss.agent.end(call, world.now)
    world.run(400)
    assert [len(party.agent) for party in office] == [0, 0, 0]
    assert len(boss.agent.transfers) == 0
