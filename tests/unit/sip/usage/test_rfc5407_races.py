"""Every race of RFC 5407 §3 between two desks of ours, so that each plays both roles at once."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from firmware.sip.notifications import (
    CallConfirmed,
    CallEnded,
    CallRef,
    FailureCause,
    IncomingCall,
    Notification,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)
from tests.support.sip_link import Desk, World

OUT = CallRef("out")
OFFER, ANSWER = b"v=0 offer 2", b"v=0 answer 2"


@dataclass
class Stage:
    """Alice calls Bob; `statuses` are the answers on the wire, `drop` loses messages."""

    world: World
    alice: Desk
    bob: Desk
    arrived: CallRef = OUT

    def ring(self) -> "Stage":
        self.alice.agent.invite(OUT, "desk", "600", self.world.now)
        self.world.run(0.05)
        self.arrived = self.bob.last(IncomingCall).call
        self.bob.agent.ring(self.arrived, self.world.now)
        self.world.run(0.05)
        return self

    def lift(self) -> None:
        self.bob.agent.accept(self.arrived, b"v=0 answer 1", self.world.now)

    def talk(self) -> "Stage":
        self.ring().lift()
        self.world.run(0.05)
        return self

    def hang_up(self, *desks: Desk) -> None:
        for desk in desks:
            desk.agent.end(OUT if desk is self.alice else self.arrived, self.world.now)

    def offer(self, *desks: Desk) -> None:
        for desk in desks:
            call = OUT if desk is self.alice else self.arrived
            desk.agent.reoffer(call, OFFER, self.world.now)

    def agree(self, desk: Desk) -> None:
        call = OUT if desk is self.alice else self.arrived
        desk.agent.answer_reoffer(call, ANSWER, self.world.now)

    def drop(self, start: bytes, count: int) -> None:
        """Lose the next messages that begin so."""
        send, left = self.world.send, [count]

        def lossy(sender, data, flow):
            if data.startswith(start) and left[0]:
                left[0] -= 1
            else:
                send(sender, data, flow)

        self.world.send = lossy

    def answers(self, status: int, method: str) -> int:
        """How many different responses of this status to requests of this method there were."""
        found = {
            data
            for _, _, _, data in self.world.log
            if data.startswith(f"SIP/2.0 {status}".encode())
            and f" {method}\r\n".encode() in data.partition(b"CSeq:")[2][:40]
        }
        return len(found)

    def over(self) -> bool:
        return all(len(desk.of(CallEnded)) == 1 for desk in (self.alice, self.bob))


def told(desk: Desk, kind: type[Notification]) -> int:
    return len(desk.of(kind))


@pytest.fixture
def stage(world, pair):
    return Stage(world, *pair)


# --- RFC 5407 §3.1: the callee has answered and waits for the ACK ---------------------------------


def test_3_1_1_invite_again_after_the_200(stage):
    """RFC 5407 §3.1.1: the first 180 and 200 are lost; the 200 comes again, and nothing more."""
    stage.ring()
    stage.drop(b"SIP/2.0 200", 2)
    stage.lift()
    stage.world.run(3.0)
    assert told(stage.bob, CallConfirmed) == 1
    assert stage.answers(200, "INVITE") == 1


def test_3_1_2_cancel_meets_200(stage):
    """RFC 5407 §3.1.2: the call stands by then: ACK, then BYE."""
    stage.ring()
    stage.hang_up(stage.alice)
    stage.lift()
    stage.world.run(1.0)
    assert stage.answers(200, "CANCEL") == 1
    assert stage.answers(200, "INVITE") == 1
    assert stage.answers(200, "BYE") == 1
    assert stage.answers(487, "INVITE") == 0
    assert stage.over()


def test_3_1_3_bye_of_the_caller_meets_200(stage, sip):
    """RFC 5407 §3.1.3: a caller may end an early dialog by BYE; ours says CANCEL, but takes it."""
    stage.ring()
    stage.lift()
    dialog = stage.bob.agent._core.calls[stage.arrived].dialog
    bye = sip.request("BYE", str(dialog.remote_target), cseq=50, branch="z9hG4bKearly")
    bye.headers.set("From", dialog.remote)
    bye.headers.set("To", dialog.local)
    bye.headers.set("Call-ID", dialog.call_id)
    sip.Stranger(stage.world, "192.0.2.77").tell(bye, stage.bob)
    stage.world.run(0.02)
    assert told(stage.bob, CallEnded) == 1
    assert stage.bob.last(CallEnded).cause is None
    stage.hang_up(stage.alice)


def test_3_1_4_reinvite_while_the_ack_is_lost(stage):
    """RFC 5407 §3.1.4: an answer went out in the 2xx, so the re-INVITE is taken."""
    stage.ring()
    stage.drop(b"ACK", 1)
    stage.lift()
    stage.world.run(0.05)
    stage.offer(stage.alice)
    stage.world.run(0.05)
    stage.agree(stage.bob)
    stage.world.run(1.0)
    assert told(stage.alice, ReofferAnswered) == 1
    assert told(stage.bob, CallConfirmed) == 2
    assert not stage.alice.of(CallEnded)


def test_3_1_5_reinvite_while_our_offer_waits_for_the_ack(stage):
    """RFC 5407 §3.1.5: an offer went out in the 2xx, so the re-INVITE gets 491."""
    stage.alice.script = lambda heard: _empty_offer(stage, heard)
    stage.ring()
    stage.drop(b"ACK", 1)
    stage.lift()
    stage.world.run(0.05)
    stage.agree(stage.alice)
    stage.world.run(0.05)
    stage.offer(stage.alice)
    stage.world.run(0.05)
    assert stage.answers(491, "INVITE") == 1
    stage.world.run(5.0)
    assert told(stage.bob, ReofferReceived) == 1
    assert not stage.alice.of(CallEnded)


def _empty_offer(stage: Stage, heard: Notification) -> None:
    if type(heard).__name__ == "OfferWanted":
        stage.alice.agent.offer(OUT, b"", stage.world.now)


def test_3_1_6_bye_while_the_ack_is_lost(stage):
    """RFC 5407 §3.1.6: the 200 that comes again does not bring the call back."""
    stage.ring()
    stage.drop(b"ACK", 1)
    stage.lift()
    stage.world.run(0.05)
    stage.hang_up(stage.alice)
    stage.world.run(3.0)
    assert stage.over()
    assert stage.answers(200, "BYE") == 1


# --- RFC 5407 §3.2: a BYE is on its way -----------------------------------------------------------


def test_3_2_1_both_hang_up_at_once(stage):
    """RFC 5407 §3.2.1: each BYE gets its 200."""
    stage.talk()
    stage.hang_up(stage.alice, stage.bob)
    stage.world.run(0.05)
    assert stage.answers(200, "BYE") == 2
    assert stage.over()


def test_3_2_2_reinvite_meets_bye(stage):
    """RFC 5407 §3.2.2: the re-INVITE gets 481, and its ACK goes out all the same."""
    stage.talk()
    stage.hang_up(stage.alice)
    stage.offer(stage.bob)
    stage.world.run(1.0)
    assert stage.answers(481, "INVITE") == 1
    assert stage.over()
    assert not stage.bob.of(ReofferAnswered)


def test_3_2_3_the_200_of_a_reinvite_after_bye(stage):
    """RFC 5407 §3.2.3: it is acknowledged, and means nothing."""
    stage.talk()
    stage.offer(stage.bob)
    stage.world.run(0.007)
    stage.agree(stage.alice)
    stage.hang_up(stage.bob)
    stage.world.run(1.0)
    acks = [data for _, _, _, data in stage.world.log if data.startswith(b"ACK")]
    assert len(acks) == 2
    assert stage.over()
    assert not stage.bob.of(ReofferAnswered)


def test_3_2_4_ack_meets_bye(stage):
    """RFC 5407 §3.2.4: who hangs up before the ACK says BYE after it (RFC 3261 §15)."""
    stage.ring()
    stage.lift()
    stage.hang_up(stage.bob)
    stage.world.run(1.0)
    assert stage.over()
    assert not stage.bob.of(CallConfirmed)
    assert stage.answers(200, "BYE") == 1


# --- RFC 5407 §3.3: other races -------------------------------------------------------------------


def test_3_3_1_two_reinvites_cross(stage):
    """RFC 5407 §3.3.1: 491 to both; who did not make the Call-ID comes first."""
    stage.talk()
    stage.offer(stage.alice, stage.bob)
    stage.world.until(lambda: bool(stage.alice.of(ReofferReceived)), 2.1)
    assert stage.answers(491, "INVITE") == 2
    assert stage.alice.last(ReofferRejected).status == 491
    stage.agree(stage.alice)
    stage.world.run(0.05)
    assert told(stage.bob, ReofferAnswered) == 1


def test_3_3_2_update_and_reinvite_cross(stage):
    """RFC 5407 §3.3.2: 491 to both."""
    stage.ring()
    stage.bob.agent.ring(stage.arrived, stage.world.now, b"v=0 early")
    stage.world.run(0.05)
    # Bob's UPDATE left while he rang; Alice's re-INVITE right after his 200.
    stage.bob.agent.reoffer(stage.arrived, OFFER, stage.world.now)
    stage.lift()
    stage.world.run(0.008)
    stage.offer(stage.alice)
    stage.world.run(0.05)
    assert stage.answers(491, "INVITE") + stage.answers(491, "UPDATE") >= 1 or stage.alice.of(
        ReofferRejected
    )
    stage.world.run(20.0)
    assert not stage.alice.of(CallEnded)
    assert not stage.bob.of(CallEnded)


def test_3_3_3_a_request_meets_bye(stage, sip):
    """RFC 5407 §3.3.3: what would begin something new in a dialog that ends is refused."""
    stage.talk()
    dialog = stage.alice.agent._core.calls[OUT].dialog
    stage.hang_up(stage.alice)
    rows = (("Refer-To", "<sip:1@192.0.2.5>"), ("Contact", "<sip:bob@192.0.2.2>"))
    refer = sip.request("REFER", str(dialog.remote_target), *rows, cseq=9, branch="z9hG4bKref")
    refer.headers.set("From", dialog.remote)
    refer.headers.set("To", dialog.local)
    refer.headers.set("Call-ID", dialog.call_id)
    far = sip.Stranger(stage.world, "192.0.2.77")
    far.tell(refer, stage.alice)
    stage.world.run(0.02)
    assert far.responses(481)


def test_each_of_them_leaves_nothing(stage):
    """Every race once more, one after the other: all stores are empty in the end."""
    checks: list[Callable[[Stage], None]] = [
        test_3_1_1_invite_again_after_the_200,
        test_3_1_2_cancel_meets_200,
        test_3_1_4_reinvite_while_the_ack_is_lost,
        test_3_1_6_bye_while_the_ack_is_lost,
        test_3_2_1_both_hang_up_at_once,
        test_3_2_2_reinvite_meets_bye,
        test_3_2_3_the_200_of_a_reinvite_after_bye,
        test_3_2_4_ack_meets_bye,
        test_3_3_1_two_reinvites_cross,
    ]
    for check in checks:
        for desk in (stage.alice, stage.bob):
            desk.heard.clear()
        stage.world.log.clear()
        check(stage)
        stage.hang_up(stage.alice, stage.bob)
        stage.world.run(150.0)
        for desk in (stage.alice, stage.bob):
            assert len(desk.agent) == 0, check.__name__


def test_f23_no_ack_at_all(stage):
    """RFC 3261 §13.3.1.4: after 64·T1 the callee says so and hangs up."""
    stage.ring()
    stage.drop(b"ACK", 1000)
    stage.lift()
    stage.world.run(33.0)
    assert stage.bob.last(CallEnded).cause is FailureCause.NO_ACK
    assert stage.over()
