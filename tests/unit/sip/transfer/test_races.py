"""What crosses a REFER: holds, hang-ups, CANCELs, and garbage in its place."""

import random

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    IncomingCall,
    OfferWanted,
    ReofferAnswered,
    TransferAsked,
    TransferFailed,
    TransferSucceeded,
)
from tests.unit.sip.transfer.conftest import ANSWER, aor

NEW = CallRef("new")
TARGET = ("Refer-To", f"<{aor('103')}>")


def everything_ended(world, *parties):
    for party in parties:
        for call in list(party.agent._core.calls):
            party.agent.end(call, world.now)
    world.run(400)
    assert [len(party.agent) for party in parties] == [0] * len(parties)


def test_a_refer_while_our_hold_has_no_answer(world, desk, far):
    """RFC 5407 §3.1 is about INVITEs; REFER is another transaction and goes its own way."""
    call = far.calls()
    desk.agent.reoffer(call, b"v=0 hold", world.now)
    world.run(0.02)
    hold = far.requests("INVITE")[-1]
    desk.agent.transfers.blind(call, "103", world.now)
    world.run(0.02)
    refer = far.requests("REFER")[-1]
    far.answers(refer, 202)
    far.notifies("SIP/2.0 200 OK\r\n", "terminated;reason=noresource")
    assert desk.of(TransferSucceeded)
    far.answers(hold, 200, ("Contact", "<sip:far@192.0.2.2>"))
    world.run(0.1)
    assert desk.of(ReofferAnswered) or desk.last(CallEnded)
    everything_ended(world, desk)


def test_the_far_end_hangs_up_right_after_its_refer(world, desk, far):
    """RFC 5589 §6.1 lets it: we call all the same, and whoever asked hears no more."""
    far.calls()
    far.refers(TARGET)
    transfer = desk.last(TransferAsked).transfer
    far.ask("BYE")
    assert desk.of(CallEnded)
    desk.agent.transfers.follow(transfer, NEW, world.now)
    world.run(0.1)
    assert [x for x in desk.of(OfferWanted) if x.call == NEW]
    everything_ended(world, desk)
    assert len(desk.agent.transfers) == 0


def test_the_far_end_hangs_up_before_its_answer_to_our_refer(world, desk, far):
    call = far.calls()
    desk.agent.transfers.blind(call, "103", world.now)
    world.run(0.02)
    far.ask("BYE")
    world.run(400)
    assert len(desk.of(TransferFailed)) + len(desk.of(TransferSucceeded)) == 1
    everything_ended(world, desk)


def test_the_call_that_was_asked_for_is_cancelled_while_it_rings(world, office):
    """The transferee gives up: the target is cancelled, the transferor told 487."""
    boss, ann, bob = office
    call, _ = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    world.run(0.1)
    ann.agent.transfers.follow(ann.last(TransferAsked).transfer, NEW, world.now)
    world.run(0.1)
    bob.agent.ring(bob.last(IncomingCall).call, world.now)
    world.run(0.1)
    ann.agent.end(NEW, world.now)
    world.run(1)
    assert boss.last(TransferFailed).status == 487
    assert bob.of(CallEnded)
    everything_ended(world, boss, ann, bob)


def test_a_refer_to_each_other_at_the_same_time(world, office):
    """Glare: both are asked, both may refuse; the call is as it was."""
    boss, ann, _ = office
    call, theirs = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("103"), world.now)
    ann.agent.transfers.blind(theirs, aor("103"), world.now)
    world.run(0.1)
    for party in (boss, ann):
        party.agent.transfers.refuse(party.last(TransferAsked).transfer, 491, world.now)
    world.run(0.1)
    assert boss.last(TransferFailed).status == ann.last(TransferFailed).status == 491
    assert not boss.of(CallEnded)
    everything_ended(world, boss, ann)


def test_a_refer_to_the_caller_itself(world, office):
    """Ann is sent to who sends her: a second call between the two, no loop."""
    boss, ann, _ = office
    call, _ = boss.calls(ann, "out")
    boss.agent.transfers.blind(call, aor("101"), world.now)
    world.run(0.1)
    ann.agent.transfers.follow(ann.last(TransferAsked).transfer, NEW, world.now)
    world.run(0.1)
    boss.agent.accept(boss.last(IncomingCall).call, ANSWER, world.now)
    world.run(0.1)
    assert ann.last(CallAnswered).call == NEW
    everything_ended(world, boss, ann)


PIECES = (
    *("<", ">", "sip:", "tel:", "103@192.0.2.3", "?Replaces=", "%3B", "%", "%00", ";method=", "\t"),
    *(
        "Replaces",
        "a;to-tag=b;from-tag=c",
        ",",
        '"',
        "\\",
        "é",
        "gr=",
        " ",
        "@",
        ":",
        "[::1]",
    ),
)


@pytest.mark.parametrize("seed", range(5))
def test_p01_garbage_in_refer_is_answered_and_nothing_stays(world, desk, far, seed):
    """P1: a hundred REFERs of pieces that are almost right."""
    dice = random.Random(seed)  # noqa: S311 - a test
    far.calls()
    for _ in range(100):
        rows = [
            (name, "".join(dice.choices(PIECES, k=dice.randint(0, 8))))
            for name in dice.choices(("Refer-To", "Referred-By", "Target-Dialog", "Refer-Sub"), k=3)
        ]
        outside = {"to": f"<{aor('101')}>", "call_id": "x"} if dice.random() < 0.4 else {}
        far.ask("REFER", *rows, **outside)
        for asked in desk.of(TransferAsked):
            desk.agent.transfers.refuse(asked.transfer, 603, world.now)
    refused = [x for status in (400, 403, 416, 481) for x in far.responses(status)]
    assert len(refused) > 50
    assert not desk.of(OfferWanted)
    everything_ended(world, desk)
