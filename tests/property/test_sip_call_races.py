"""A far end that answers anything with anything: 1xx, reliable or not, 2xx, refusals, BYE, UPDATE.

Its messages are well-formed and of the right dialogs, but come when they like; tags and numbers
are few, so that they meet. What must hold whatever it does:

* nothing raises, and nothing is said about a call after its end;
* at most one offer is open in a dialog;
* every 2xx to an INVITE is acknowledged;
* a while after the last word every store is empty.
"""

import random
import re

import pytest

from firmware.sip.message import Headers, Message, Request, Response
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    IncomingCall,
    Notification,
    OfferWanted,
    ReofferReceived,
)
from tests.support.sip_link import LINE, Desk, Stranger, World

HERE, THERE = "192.0.2.1", "192.0.2.9"
SDP = (b"", b"v=0 one", b"v=0\r\nm=audio 4 RTP/AVP 0\r\n")
FINALS = (200, 200, 200, 401, 408, 422, 481, 486, 488, 491, 500, 503, 302)
ALLOWS = ("INVITE, ACK, BYE", "INVITE, ACK, BYE, UPDATE, PRACK")


class Rascal(Stranger):
    """Remembers what it was asked, and answers some of it, some time, some way."""

    def __init__(self, world: World, dice: random.Random) -> None:
        super().__init__(world, THERE)
        self.dice = dice
        self.asked: list[Request] = []
        self.reply = self.note
        self.rseq = 0
        self.cseq = 10

    def note(self, message: Message) -> list[Message | bytes]:
        if isinstance(message, Request) and message.method != "ACK":
            self.asked.append(message)
            if message.method in ("PRACK", "CANCEL", "BYE") and self.dice.random() < 0.7:
                return [self.answer(message, 200)]
        return []

    def answer(self, request: Request, status: int, *rows: tuple[str, str]) -> Response:
        dice = self.dice
        to = request.headers.get("To") or ""
        if status > 100 and ";tag=" not in to:
            to += f";tag={dice.choice('ab')}"
        headers = Headers([("Via", row) for row in request.headers.all("Via")])
        for name, value in (("From", request.headers.get("From")), ("To", to)):
            headers.add(name, value or "")
        for name in ("Call-ID", "CSeq"):
            headers.add(name, request.headers.get(name) or "")
        headers.add("Contact", f"<sip:{dice.choice('xy')}@{THERE}>")
        headers.add("Allow", dice.choice(ALLOWS))
        for name, value in rows:
            headers.add(name, value)
        body = dice.choice(SDP) if status != 100 and status < 300 else b""
        if body:
            headers.add("Content-Type", "application/sdp")
        return Response(status, "So", headers, body)

    def act(self, desk: Desk) -> None:
        dice = self.dice
        if not self.asked:
            return
        request = dice.choice(self.asked[-4:])
        chance = dice.random()
        if chance < 0.35:
            self.tell(self.answer(request, dice.choice(FINALS)), desk)
        elif chance < 0.7 and request.method == "INVITE":
            self.ring(request, desk)
        elif chance < 0.95:
            self.ask(request, desk)

    def ring(self, invite: Request, desk: Desk) -> None:
        dice = self.dice
        rows: tuple[tuple[str, str], ...] = ()
        if dice.random() < 0.7:
            self.rseq += dice.choice((0, 1, 1, 1, 2))
            rows = (("Require", "100rel"), ("RSeq", str(self.rseq)))
        self.tell(self.answer(invite, dice.choice((100, 180, 183, 183, 199)), *rows), desk)

    def ask(self, request: Request, desk: Desk) -> None:
        """A request inside the dialog that this one may have made."""
        dice = self.dice
        self.cseq += dice.choice((0, 1, 1, 1))
        method = dice.choice(("UPDATE", "UPDATE", "INVITE", "BYE", "PRACK", "CANCEL", "ACK"))
        to = request.headers.get("To") or ""
        tag = to if ";tag=" in to else f"{to};tag={dice.choice('ab')}"
        head = [
            ("Via", f"SIP/2.0/UDP {THERE};branch=z9hG4bK{self.cseq}{method}"),
            ("From", tag),
            ("To", request.headers.get("From") or ""),
            ("Call-ID", request.headers.get("Call-ID") or ""),
            ("CSeq", f"{self.cseq} {method}"),
            ("Contact", f"<sip:{dice.choice('xy')}@{THERE}>"),
        ]
        body = dice.choice(SDP) if method in ("UPDATE", "INVITE", "ACK") else b""
        if body:
            head.append(("Content-Type", "application/sdp"))
        contact = re.search("<(.*?)>", request.headers.get("Contact") or f"<sip:101@{HERE}>")
        assert contact
        self.tell(Request(method, contact.group(1), Headers(head), body), desk)


class Person:
    """Whoever sits at the desk, impatient too."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self.desk, self.dice = desk, dice
        self.placed = 0
        self.ended: set[CallRef] = set()
        desk.script = self.hear

    def hear(self, heard: Notification) -> None:
        desk, dice = self.desk, self.dice
        call = getattr(heard, "call", None)
        assert call not in self.ended, heard
        for user in desk.agent._core.dialogs.values():
            leg = getattr(user, "leg", None)
            assert leg is None or leg.offering is None or leg.theirs is None
        match heard:
            case CallEnded():
                self.ended.add(heard.call)
            case OfferWanted(call):
                desk.agent.offer(call, dice.choice(SDP), desk.now)
            case IncomingCall(call):
                desk.agent.ring(call, desk.now, dice.choice(SDP))
            case ReofferReceived(call, _, fork):
                if dice.random() < 0.5:
                    desk.agent.answer_reoffer(call, b"v=0 answer", desk.now, fork)
                elif dice.random() < 0.7:
                    desk.agent.reject_reoffer(call, 488, desk.now, fork=fork)
            case _:
                pass

    def act(self) -> None:
        desk, dice = self.desk, self.dice
        calls = list(desk.agent._core.calls)
        if not calls or (len(calls) < 2 and dice.random() < 0.1):
            self.placed += 1
            desk.agent.invite(CallRef(f"c{self.placed}"), LINE, "600", desk.now)
        elif dice.random() < 0.3:
            desk.agent.end(dice.choice(calls), desk.now)
        else:
            desk.agent.reoffer(dice.choice(calls), dice.choice(SDP), desk.now)


def walk(seed: int, steps: int = 80) -> None:
    world = World(seed)
    dice = random.Random(seed)  # noqa: S311 - a seed must repeat
    desk = Desk(world, HERE)
    desk.line(THERE, register=False, accept_any_user=True)
    rascal, person = Rascal(world, dice), Person(desk, dice)
    for _ in range(steps):
        person.act() if dice.random() < 0.3 else rascal.act(desk)
        world.run(dice.choice((0.0, 0.006, 0.012, 0.1, 1.0, 12.0)))
    for call in list(desk.agent._core.calls):
        desk.agent.end(call, world.now)
    world.run(600.0)
    assert not desk.agent._core.calls
    assert len(desk.agent) == 0, desk.agent._core.dialogs
    every_success_is_acknowledged(world)


def every_success_is_acknowledged(world: World) -> None:
    """RFC 3261 §13.2.2.4: if it is the first final answer, and comes while somebody waits."""
    began: dict[str, float] = {}
    decided: set[str] = set()
    successes, acks = set(), set()
    for at, sender, _, data in world.log:
        head = data.partition(b"\r\n\r\n")[0].decode()
        row = {line.partition(": ")[0]: line.partition(": ")[2] for line in head.split("\r\n")}
        branch, ours = row["Via"].partition("branch=")[2], sender.startswith(HERE)
        dialog = (row["Call-ID"], re.sub(".*tag=", "", row["To"]))
        if head.startswith("INVITE ") and ours:
            began.setdefault(branch, at)
        elif head.startswith("ACK ") and ours:
            acks.add(dialog)
        elif branch in began and re.match(r"SIP/2.0 [2-6]", head) and "INVITE" in row["CSeq"]:
            waited = at - began[branch] < 30.0
            if head.startswith("SIP/2.0 2") and branch not in decided and waited:
                successes.add(dialog)
            decided.add(branch)
    assert successes <= acks


@pytest.mark.seeds(30)
def test_a_far_end_without_manners_leaves_nothing_behind(seed):
    """RFC 3261 §13, §14, §15; RFC 3262 §4; RFC 3311 §5; RFC 6141 §3."""
    walk(seed)
