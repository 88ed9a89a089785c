"""Emergency calls over real SIP stacks and trunks that behave as trunks do, on virtual time."""

import pytest

from firmware.phone import actions as a
from firmware.phone.view import CallState, Mode
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import LineName
from tests.support.desk import sdp
from tests.support.desk_phone import LINE, DeskPhone
from tests.support.sip_link import Stranger, World

ANN, TRUNK, OTHER = "192.0.2.1", "192.0.2.8", "192.0.2.9"
SPARE = LineName("spare")


class Gateway(Stranger):
    """A way to the telephone network; `plan` is when it says what: seconds → status."""

    def __init__(self, world, host, plan):
        super().__init__(world, host)
        self.plan = plan
        self.known = set()
        self.reply = self.follow

    def follow(self, message):
        if not isinstance(message, Request) or message.method == "ACK":
            return []
        flow = self.flows[-1]
        if message.method != "INVITE":
            return [answer(message, 200)]
        call_id = message.headers.get("Call-ID")
        if call_id not in self.known:
            self.known.add(call_id)
            for seconds, status in self.plan.items():
                said = answer(message, status)
                self.world.later(seconds, lambda said=said: self.say(said, flow))
        return []


def answer(request, status):
    rows = [("Via", row) for row in request.headers.all("Via")]
    to = request.headers.get("To")
    headers = Headers(rows)
    headers.add("From", request.headers.get("From"))
    headers.add("To", to if status == 100 or ";tag=" in to else f"{to};tag=psap")
    for name in ("Call-ID", "CSeq"):
        headers.add(name, request.headers.get(name))
    body = b""
    if status == 200 and request.method == "INVITE":
        headers.add("Contact", f"<sip:psap@{TRUNK}>")
        headers.add("Content-Type", "application/sdp")
        body = sdp(8)
    return Response(status, "", headers, body)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def ann(world):
    return DeskPhone(world, ANN, "101", TRUNK, more_lines={SPARE: OTHER})


def dial(world, ann):
    ann.lift()
    ann.press("911")
    world.run(0.01)


def test_p10_a_gateway_that_needs_twelve_seconds_to_ring_keeps_the_call(world, ann):
    gateway = Gateway(world, TRUNK, {0.1: 100, 12.0: 180, 20.0: 200})
    dial(world, ann)
    world.run(11)
    assert ann.view.front_call.line == LINE
    world.run(3)
    assert ann.view.front_call.state is CallState.RINGING_THERE
    world.run(10)
    assert (ann.mode, ann.view.front_call.line) == (Mode.TALKING, LINE)
    assert not gateway.requests("CANCEL")
    assert ann.ledger.talk.microphone


def test_p10_a_trunk_that_comes_back_gets_the_call_in_the_next_round(world, ann):
    dial(world, ann)
    world.run(9)
    assert ann.view.front_call.line == SPARE
    Gateway(world, TRUNK, {0.1: 180, 2.0: 200})
    world.run(10)
    assert (ann.mode, ann.view.front_call.line) == (Mode.TALKING, LINE)


def test_nobody_answers_until_the_person_gives_up_and_then_nothing_is_left(world, ann):
    dial(world, ann)
    world.run(600)
    assert ann.mode is Mode.CALLING
    ann.tell(a.HangUp())
    ann.tell(a.HangUp())
    ann.put_down()
    world.run(100)
    assert ann.at_rest()
    assert len(ann.stack) == 0
