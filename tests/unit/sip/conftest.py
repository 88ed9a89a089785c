"""A registrar and a caller made by hand, and two of our desks on one wire."""

import re

import pytest

from firmware.sip.message import Headers, Message, Request, Response
from firmware.sip.notifications import CallRef, IncomingCall, OfferWanted
from tests.support.sip_link import LINE, Desk, Stranger, World

PBX = "192.0.2.9"
OFFER, ANSWER = b"v=0 offer", b"v=0 answer"


def answer_to(request: Request, status: int, *rows: tuple[str, str], tag: str = "pbx") -> Response:
    """A response as a plain server writes it."""
    headers = Headers([("Via", row) for row in request.headers.all("Via")])
    to = request.headers.get("To")
    if status > 100 and ";tag=" not in to:
        to += f";tag={tag}"
    headers.add("From", request.headers.get("From"))
    headers.add("To", to)
    for name in ("Call-ID", "CSeq"):
        headers.add(name, request.headers.get(name))
    for name, value in rows:
        headers.add(name, value)
    return Response(status, "Said So", headers)


class Pbx(Stranger):
    """A server that registers everybody unless `verdicts` says otherwise.

    `verdicts` are taken one for each REGISTER: a status, or a function of the request.
    """

    def __init__(self, world, host=PBX, port=5060):
        super().__init__(world, host, port)
        self.verdicts = []
        self.grants = 3600
        self.reply = self.register

    def register(self, message: Message) -> list[Message]:
        if not isinstance(message, Request) or message.method != "REGISTER":
            return []
        verdict = self.verdicts.pop(0) if self.verdicts else 200
        if callable(verdict):
            return [verdict(message)]
        return [self.verdict(message, verdict)]

    def verdict(self, request, status, *rows):
        if status == 200:
            contact = request.headers.get("Contact")
            rows = (*rows, ("Contact", f"{contact};expires={self.grants}"))
        return answer_to(request, status, *rows)

    def contact(self) -> str:
        """The URI that was registered last."""
        row = self.requests("REGISTER")[-1].headers.get("Contact")
        return re.search("<(.*?)>", row).group(1)


def request(method, uri, *rows, tag="", branch="z9hG4bKin", call_id="in", cseq=1, body=b"",
            sender=PBX):  # fmt: skip
    """A request as a server or caller sends it."""
    to = f"<{uri}>" + (f";tag={tag}" if tag else "")
    headers = Headers(
        [
            ("Via", f"SIP/2.0/UDP {sender}:5060;branch={branch};rport"),
            ("Max-Forwards", "70"),
            ("From", '"Alice" <sip:alice@pbx.example>;tag=alice'),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
    )
    if method == "INVITE" and not any(name == "Contact" for name, _ in rows):
        headers.add("Contact", f"<sip:alice@{sender}:5060>")
    for name, value in rows:
        headers.add(name, value)
    if body and "Content-Type" not in headers:
        headers.add("Content-Type", "application/sdp")
    return Request(method, uri, headers, body)


class Sip:
    """What the tests of this folder share."""

    OFFER, ANSWER, LINE, PBX = OFFER, ANSWER, LINE, PBX
    World, Desk, Stranger, Pbx = World, Desk, Stranger, Pbx
    answer_to = staticmethod(answer_to)
    request = staticmethod(request)


@pytest.fixture
def sip():
    return Sip


@pytest.fixture
def world():
    return World()


@pytest.fixture
def pbx(world):
    return Pbx(world)


@pytest.fixture
def desk(world):
    """A desk with a line at the PBX, not registered yet."""
    desk = Desk(world, "192.0.2.1")
    desk.line(PBX, password="secret")
    return desk


@pytest.fixture
def registered(world, desk, pbx):
    """The same, registered; gives (world, desk, pbx)."""
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    return world, desk, pbx


@pytest.fixture
def pair(world):
    """Two desks that trust each other and offer as soon as they are asked."""

    def offers(desk):
        def script(heard):
            if isinstance(heard, OfferWanted):
                desk.agent.offer(heard.call, OFFER, desk.now)

        return script

    left, right = Desk(world, "192.0.2.1"), Desk(world, "192.0.2.2")
    left.line("192.0.2.2", register=False, accept_any_user=True)
    right.line("192.0.2.1", register=False, accept_any_user=True)
    left.script, right.script = offers(left), offers(right)
    return left, right


@pytest.fixture
def talking(world, pair):
    """A call that is up: (world, caller, callee, the caller's name for it, the callee's)."""
    left, right = pair
    out = CallRef("out")
    left.agent.invite(out, LINE, "600", world.now)
    world.run(0.1)
    arrived = right.last(IncomingCall).call
    right.agent.accept(arrived, ANSWER, world.now)
    world.run(0.1)
    return world, left, right, out, arrived


@pytest.fixture
def up(world, desk, pbx):
    """A call from the hand-made PBX that our desk answered; gives (call, in-dialog request)."""
    pbx.tell(request("INVITE", "sip:101@192.0.2.1", body=OFFER), desk)
    world.run(0.02)
    call = desk.last(IncomingCall).call
    desk.agent.accept(call, ANSWER, world.now)
    world.run(0.02)
    answer = pbx.responses(200)[0]
    tag = answer.headers.get("To").split("tag=")[1]
    contact = re.search("<(.*)>", answer.headers.get("Contact")).group(1)
    pbx.reply = lambda _: []

    def say(method, cseq, *rows, body=b"", branch=""):
        branch = branch or f"z9hG4bK{method}{cseq}"
        pbx.tell(
            request(method, contact, *rows, tag=tag, branch=branch, cseq=cseq, body=body),
            desk,
        )
        world.run(0.02)

    say("ACK", 1)
    pbx.inbox.clear()
    return call, say
