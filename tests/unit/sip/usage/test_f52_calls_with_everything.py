"""F52 again with every extension on: reliable answers, UPDATE, timers, re-INVITE, redirection."""

import pytest

from firmware.sip.notifications import (
    CallConfirmed,
    CallProgress,
    CallRef,
    IncomingCall,
    Notification,
    OfferWanted,
    ReofferAnswered,
    ReofferReceived,
)
from tests.support.lives import LIVES


class Caller:
    """Offers, changes its media while it rings, answers a hold."""

    def __init__(self, desk):
        self.desk = desk
        desk.script = self.hear

    def hear(self, heard: Notification) -> None:
        agent, now = self.desk.agent, self.desk.now
        match heard:
            case OfferWanted(call):
                agent.offer(call, b"v=0 offer", now)
            case CallProgress(call, _, _, _, _, True):
                agent.reoffer(call, b"v=0 update", now)
            case ReofferReceived(call, _, fork):
                agent.answer_reoffer(call, b"v=0 answer", now, fork)


class Callee:
    """Rings with an answer, lifts after the UPDATE, holds, hangs up."""

    def __init__(self, desk):
        self.desk = desk
        self.confirmed = 0
        desk.script = self.hear

    def hear(self, heard: Notification) -> None:
        agent, now = self.desk.agent, self.desk.now
        match heard:
            case IncomingCall(call):
                agent.ring(call, now, b"v=0 early")
            case ReofferReceived(call):
                agent.answer_reoffer(call, b"v=0 answer", now)
                agent.accept(call, b"", now)
            case CallConfirmed(call):
                self.confirmed += 1
                agent.reoffer(call, b"v=0 hold", now)
            case ReofferAnswered(call):
                agent.end(call, now)


@pytest.mark.timeout(240)
@LIVES
def test_f52_calls_with_every_extension_leave_nothing(world, pair, sip, lives):
    """RFC 3262, RFC 3311, RFC 4028: each a call placed and a call taken."""
    left, right = pair
    world.wire.delay = 0.0
    for desk, far in ((left, right), (right, left)):
        desk.line(far.endpoint.host, register=False, accept_any_user=True, session_expires=90)
    Caller(left)
    callee = Callee(right)
    for number in range(lives // 2):
        left.agent.invite(CallRef(f"c{number}"), sip.LINE, "600", world.now)
        if number % 100 == 99:
            world.run(70.0)
            assert len(left.agent) == len(right.agent) == 0
            for log in (world.log, left.heard, right.heard):
                log.clear()
    assert callee.confirmed == lives // 2
