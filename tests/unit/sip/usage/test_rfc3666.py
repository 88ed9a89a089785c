"""Calls with the telephone network (RFC 3666), at the phone's end: what a gateway says and hears.

Left out are those in which a phone has no part of its own: an ENUM query of the caller (RFC 3666
§2.4; the server asks here), and calls that never reach a phone (RFC 3666 §3.4, §3.7, §3.8).
"""

import pytest

from firmware.base.values import replace
from firmware.sip.message import Request
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    IncomingCall,
)

OUT = CallRef("out")
NUMBER = "+19725552222"
EARLY = b"v=0 what the network plays"
CONTACT = ("Contact", "<sip:ngw1@192.0.2.9>")
MEDIA = ("Content-Type", "application/sdp")
CALLER = ("From", "<sip:+13145551111@192.0.2.9;user=phone>;tag=gw")


class Gateway:
    """Proxy and gateway in one: answers an INVITE as it is told, and 200 to the rest."""

    def __init__(self, world, desk, pbx, sip):
        self.world, self.desk, self.pbx, self.sip = world, desk, pbx, sip
        pbx.reply = self.reply

    def reply(self, message):
        if not isinstance(message, Request) or message.method in ("INVITE", "ACK"):
            return []
        return [self.sip.answer_to(message, 200, tag="gw")]

    def is_called(self):
        """A number of the network is dialled here."""
        self.desk.agent.invite(OUT, self.sip.LINE, f"tel:{NUMBER}", self.world.now)
        self.world.run(0.01)
        self.desk.agent.offer(OUT, self.sip.OFFER, self.world.now)
        self.world.run(0.1)
        assert self.pbx.requests("INVITE")[0].uri == f"sip:{NUMBER}@192.0.2.9;user=phone"

    def says(self, status, body=b""):
        rows = (CONTACT, MEDIA) if body else (CONTACT,)
        answer = self.sip.answer_to(self.pbx.requests("INVITE")[0], status, *rows, tag="gw")
        self.pbx.tell(replace(answer, body=body), self.desk)
        self.world.run(0.1)

    def calls(self):
        """Somebody in the network calls this phone."""
        uri = "sip:101@192.0.2.1;user=phone"
        request = self.sip.request("INVITE", uri, body=self.sip.OFFER)
        request.headers.set(*CALLER)
        self.pbx.tell(request, self.desk)
        self.world.run(0.1)
        return self.desk.last(IncomingCall).call

    def hangs_up(self):
        tag = self.pbx.responses(200)[-1].headers.get("To").partition("tag=")[2]
        bye = self.sip.request("BYE", "sip:101@192.0.2.1", tag=tag, branch="z9hG4bKbye", cseq=2)
        bye.headers.set(*CALLER)
        self.pbx.tell(bye, self.desk)
        self.world.run(0.1)


@pytest.fixture
def gateway(world, desk, pbx, sip):
    return Gateway(world, desk, pbx, sip)


@pytest.mark.parametrize("first", [(183, EARLY), (180, b"")])
def test_2_1_2_2_2_3_the_network_is_heard_before_it_answers(world, desk, pbx, sip, gateway, first):
    """RFC 3666 §2.1, §2.2, §2.3; RFC 4504 §2.4: another gateway after the first is the proxy's."""
    gateway.is_called()
    gateway.says(100)
    gateway.says(*first)
    told = desk.last(CallProgress)
    assert (told.status, told.body) == first
    gateway.says(200, sip.ANSWER)
    assert desk.last(CallAnswered).body == sip.ANSWER
    assert len(pbx.requests("ACK")) == 1
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert len(pbx.requests("BYE")) == 1
    assert desk.last(CallEnded).by_us


def test_2_5_a_recording_says_why_and_the_caller_gives_up(world, desk, pbx, gateway):
    """RFC 3666 §2.5: the network plays its tone or words in a 183 and never answers."""
    gateway.is_called()
    gateway.says(183, EARLY)
    assert desk.last(CallProgress).body == EARLY
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert len(pbx.requests("CANCEL")) == 1
    assert not pbx.requests("BYE")
    gateway.says(487)
    assert len(pbx.requests("ACK")) == 1
    assert desk.last(CallEnded).by_us


@pytest.mark.parametrize(
    ("early", "status", "cause"),
    [
        (b"", 404, FailureCause.NOT_FOUND),
        (EARLY, 480, FailureCause.NO_ANSWER),
    ],
)
def test_2_6_2_7_a_call_that_the_network_releases(desk, pbx, gateway, early, status, cause):
    """RFC 3666 §2.6: a number that is none; RFC 3666 §2.7: nobody answers until it is given up."""
    gateway.is_called()
    if early:
        gateway.says(183, early)
    gateway.says(status)
    assert len(pbx.requests("ACK")) == 1
    ended = desk.last(CallEnded)
    assert (ended.status, ended.cause, ended.by_us) == (status, cause, False)


@pytest.mark.parametrize("rings", [True, False])
def test_3_1_3_2_3_3_a_number_calls(world, desk, pbx, sip, gateway, rings):
    """RFC 3666 §3.1, §3.3; RFC 3666 §3.2: answered before it rang."""
    call = gateway.calls()
    assert desk.last(IncomingCall).caller.user == "+13145551111"
    if rings:
        desk.agent.ring(call, world.now)
        world.run(0.1)
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.1)
    assert len(pbx.responses(180)) == int(rings)
    assert pbx.responses(200)[0].body == sip.ANSWER
    gateway.hangs_up()
    assert not desk.last(CallEnded).by_us


def test_3_5_3_6_nobody_here_takes_the_call(world, desk, pbx, gateway):
    """RFC 3666 §3.5, §3.6: what the gateway makes of it, a cause or a tone, is its own."""
    call = gateway.calls()
    desk.agent.reject(call, 600, world.now)
    world.run(0.1)
    assert pbx.responses(600)


def test_3_9_the_caller_abandons_it(world, desk, pbx, sip, gateway):
    """RFC 3666 §3.9."""
    call = gateway.calls()
    desk.agent.ring(call, world.now)
    world.run(0.1)
    cancel = sip.request("CANCEL", "sip:101@192.0.2.1;user=phone")
    cancel.headers.set(*CALLER)
    pbx.tell(cancel, desk)
    world.run(0.1)
    assert pbx.responses(487)
    assert desk.last(CallEnded).call == call
