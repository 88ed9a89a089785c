"""The whole user agent fed with anything: messages, answers, timers, wishes, in any order.

One agent and a server it trusts. The server knows a handful of Call-IDs, tags, branches and numbers
and uses them for everything, so that they collide; it also repeats, with changes, what it was sent.
The person wants anything at any time. After each step `tests.support.invariants` must hold, and
when all is over and enough time has passed the agent keeps nothing.
"""

import contextlib
import random

import pytest

from firmware.base.tokens import Tokens
from firmware.config.schema import PhoneSettings
from firmware.phone.toll import Toll
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.effects import CloseFlow, Effect, OpenFlow, ResolveTarget, Transmit
from firmware.sip.errors import LocalError
from firmware.sip.facts import Activity
from firmware.sip.flow import Endpoint, Flow, Target, Transport
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import (
    CallRef,
    DialAsked,
    FailureCause,
    IncomingCall,
    LineName,
    Notification,
    OfferWanted,
    ReofferReceived,
    SubscriptionRef,
    TransferAsked,
    TransferRef,
)
from firmware.sip.told import MessageRef, PublicationRef
from firmware.sip.usage.publication import State
from firmware.sip.writer import write
from tests.support.invariants import Watch, bounded
from tests.support.sip_link import bent

HERE, SERVER = Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060)
LINES = (LineName("one"), LineName("two"))
CALLS = tuple(CallRef(f"c{number}") for number in range(3))
METHODS = (
    *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "PRACK", "UPDATE"),
    *("REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH", "REGISTER", "DANCE"),
)
STATUSES = (100, 180, 183, 199, 200, 202, 204, 302, 401, 407, 408, 412, 421, 422, 423, 481, 486)
STATUSES += (487, 488, 489, 491, 494, 500, 503, 600, 603)
BODIES = (
    ("", b""),
    ("application/sdp", b"v=0\r\n"),
    ("message/sipfrag;version=2.0", b"SIP/2.0 200 OK\r\n"),
    ("message/sipfrag", b"SIP/2.0 603 Declined\r\n"),
    ("application/simple-message-summary", b"Messages-Waiting: yes\r\nVoice-Message: 1/2\r\n"),
    ("application/dialog-info+xml", b"<dialog-info version='1' state='full' entity='sip:a@b'/>"),
    ("text/plain", b"hello"),
    ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n"),
    ("application/octet-stream", b"\0\xff"),
)
EXTRAS = (
    ("Contact", "<sip:x@192.0.2.9>"),
    ("Contact", "<sip:x@192.0.2.9>;expires=60"),
    ("Contact", "<sip:x@192.0.2.9;transport=tcp>"),
    ("Record-Route", "<sip:192.0.2.9;lr>"),
    ("Event", "refer"),
    ("Event", "refer;id=1"),
    ("Event", "message-summary"),
    ("Event", "dialog"),
    ("Event", "presence"),
    ("Subscription-State", "active;expires=60"),
    ("Subscription-State", "pending"),
    ("Subscription-State", "terminated;reason=noresource"),
    ("Subscription-State", "terminated;reason=deactivated"),
    ("Expires", "60"),
    ("Expires", "0"),
    ("Min-Expires", "90"),
    ("Retry-After", "5"),
    ("Require", "100rel"),
    ("Require", "timer"),
    ("Require", "nobody-knows"),
    ("Supported", "100rel, timer, replaces"),
    ("RSeq", "1"),
    ("RSeq", "2"),
    ("RAck", "1 1 INVITE"),
    ("RAck", "2 1 INVITE"),
    ("Session-Expires", "90;refresher=uac"),
    ("Session-Expires", "30"),
    ("Min-SE", "90"),
    ("Refer-To", "<sip:102@192.0.2.9>"),
    ("Refer-To", "<sip:102@192.0.2.9?Replaces=k1%3Bto-tag%3Dt1%3Bfrom-tag%3Dt2>"),
    ("Refer-To", "<sip:112@192.0.2.9>"),
    ("Refer-To", "<sip:102@192.0.2.9?Replaces=k1>, <sip:x@y>"),
    ("Refer-Sub", "false"),
    ("Target-Dialog", "k1;local-tag=t1;remote-tag=t2"),
    ("Target-Dialog", "k2;remote-tag=t1;local-tag=t2"),
    ("Target-Dialog", ";;"),
    ("Require", "tdialog"),
    ("Supported", "replaces, tdialog"),
    ("Contact", "<sip:x@192.0.2.9;gr=1>"),
    ("Contact", "<sip:09001234567@192.0.2.9>, <sip:y@evil.example>, <sip:102@192.0.2.9>"),
    ("Replaces", "k1;to-tag=t1;from-tag=t2"),
    ("SIP-ETag", "e1"),
    ("WWW-Authenticate", 'Digest realm="pbx", nonce="n1", qop="auth", algorithm=MD5'),
    ("Proxy-Authenticate", 'Digest realm="pbx", nonce="n2", stale=true, algorithm=SHA-256'),
    ("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),
    ("Reason", 'Q.850;cause=16;text="\x1b[2J"'),
    ("Alert-Info", "<urn:alert:source:internal>"),
    ("P-Asserted-Identity", '"Ann" <sip:ann@pbx>'),
    ("Info-Package", "g.x"),
)


class Server:
    """Says anything about anything it has heard of, and more often what makes some sense."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.users = ["101", "102"]
        self.requests: list[Request] = []
        self.dialogs = [("k1", "t1", "t2"), ("k2", "t1", "t2")]
        self.numbers = 1
        self.said: list[bytes] = []

    def heard(self, message: Request | Response) -> None:
        rows = message.headers
        near, far = (
            (rows.get(name) or "").partition(";tag=")[2].partition(";")[0]
            for name in (("From", "To") if isinstance(message, Request) else ("To", "From"))
        )
        if near:
            dialog = (rows.get("Call-ID") or "", near, far or self.dice.choice(("f1", "f2")))
            self.dialogs = [*self.dialogs[-5:], dialog]
        if isinstance(message, Request):
            self.requests = [*self.requests[-7:], message]
            contact = (rows.get("Contact") or "").partition("sip:")[2].partition("@")[0]
            self.users = [*self.users[-4:], contact or "101"]

    def says(self) -> bytes:
        dice = self.dice
        chance = dice.random()
        if chance < 0.07 and self.said:
            data = dice.choice(self.said[-10:])
        elif chance < 0.6 and self.requests:
            newest = len(self.requests) - 1
            data = write(self.response(self.requests[min(newest, dice.randrange(12))]))
        else:
            data = write(self.request())
        self.said.append(data)
        return bent(data, dice) if dice.random() < 0.05 else data

    def response(self, request: Request) -> Response:
        dice = self.dice
        status = dice.choice((180, 183, 200, 200, 200, 202)) if dice.random() < 0.6 else 0
        status = status or dice.choice(STATUSES)
        rows = request.headers
        to = rows.get("To") or ""
        if ";tag=" not in to and status > 100 and dice.random() < 0.95:
            to += f";tag={dice.choice(('f1', 'f1', 'f2'))}"
        headers = Headers([("Via", row) for row in rows.all("Via")])
        for name, value in (("From", rows.get("From")), ("To", to)):
            headers.add(name, value or "")
        headers.add("Call-ID", rows.get("Call-ID") or "")
        headers.add("CSeq", rows.get("CSeq") or "")
        body = self.dress(headers)
        if status < 300 and dice.random() < 0.8:
            own = request.method == "REGISTER"
            contact = (rows.get("Contact") or "") if own else "<sip:x@192.0.2.9>"
            headers.set("Contact", f"{contact};expires=60" if own else contact)
        return Response(status, "any", headers, body)

    def request(self) -> Request:
        dice = self.dice
        inside = dice.random() < 0.6
        method = dice.choice(METHODS[:11] if inside else METHODS)
        call_id, near, far = dice.choice(self.dialogs[-3:])
        if not inside:
            call_id, near, far = dice.choice(("k1", "k2", "k3")), "", dice.choice(("t1", "t2"))
        self.numbers += dice.random() < 0.5
        number = self.numbers if dice.random() < 0.8 else dice.randrange(1, 5)
        tag = f";tag={near}" if near else ""
        headers = Headers(
            [
                ("Via", f"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{dice.randrange(60)}"),
                ("From", f"<sip:102@192.0.2.9>;tag={far}"),
                ("To", f"<sip:101@192.0.2.1>{tag}"),
                ("Call-ID", call_id),
                ("CSeq", f"{number} {method}"),
                ("Max-Forwards", "70"),
                ("Contact", "<sip:102@192.0.2.9>"),
            ]
        )
        body = self.dress(headers)
        user = dice.choice(("101", "101", *self.users))
        return Request(method, f"sip:{user}@192.0.2.1", headers, body)

    def dress(self, headers: Headers) -> bytes:
        for name, value in self.dice.sample(EXTRAS, self.dice.choice((0, 0, 1, 2, 4))):
            headers.set(name, value)
        kind, body = self.dice.choice((*BODIES[:2], *BODIES[:2], *BODIES))
        if kind:
            headers.set("Content-Type", kind)
        return body


class Walk:
    """One agent, its server, its person, and a clock."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a seed must repeat
        self.agent = UserAgent(AgentSettings(), Tokens(f"walk {seed:012}".encode()))
        self.server = Server(self.dice)
        self.watch = Watch()
        self.now = 1000.0
        self.asked: list[ResolveTarget | OpenFlow] = []
        self.flows = [Flow(Transport.UDP, HERE, SERVER)]
        self.numbers = 0
        self.closed: list[Flow] = []
        self.over = False
        self.transfers: list[TransferRef] = []
        self.keys: list[str] = []
        self.lines(2)

    def lines(self, count: int) -> None:
        accounts = (
            Account(
                *(LINES[0], "101", str(SERVER), "secret"),
                peers=("192.0.2.9",),
                click_to_dial=True,
                toll=Toll.of(PhoneSettings(country="DE")),
            ),
            Account(LINES[1], "102", str(SERVER), transport=Transport.TCP, accept_any_user=True),
        )
        self.agent.set_lines(accounts[:count], self.now)

    def settle(self) -> None:
        for _ in range(50):
            effects, heard = self.agent.take_effects(), self.agent.take_notifications()
            for effect in effects:
                self.perform(effect)
            for each in heard:
                self.watch.said(each)
                self.react(each)
            for flow in self.closed:
                self.agent.flow_failed(flow, "closed", self.now)
            if not effects and not heard and not self.closed:
                return
            self.closed = []
        raise AssertionError("it does not come to rest")

    def react(self, heard: Notification) -> None:
        """What a person does at once, mostly."""
        agent, now, dice = self.agent, self.now, self.dice
        if dice.random() < 0.2 or self.over:
            return
        match heard:
            case OfferWanted(call):
                agent.offer(call, b"v=0 offer", now)
            case IncomingCall(call) if dice.random() < 0.4:
                agent.ring(call, now, dice.choice((b"", b"v=0 early")))
            case IncomingCall(call):
                agent.accept(call, b"v=0 answer", now)
            case ReofferReceived(call):
                agent.answer_reoffer(call, b"v=0 answer", now)
            case TransferAsked(transfer) | DialAsked(transfer):
                self.transfers.append(transfer)
            case _:
                pass

    def perform(self, effect: Effect) -> None:
        match effect:
            case Transmit():
                message = self.watch.sent(effect)
                if message is not None:
                    self.server.heard(message)
            case CloseFlow(flow) if flow in self.flows:
                self.flows.remove(flow)
                self.closed.append(flow)
            case CloseFlow():
                pass
            case _:
                self.asked.append(effect)

    # --- the network and the driver ---------------------------------------------------------

    def message(self) -> None:
        data, flow = self.server.says(), self.dice.choice(self.flows)
        self.watch.received(data)
        self.agent.receive(data, flow, self.now)

    def driver(self) -> None:
        if not self.asked:
            return
        asked = self.asked.pop(self.dice.randrange(len(self.asked)))
        good = self.dice.random() < 0.8
        match asked:
            case ResolveTarget(query, transport=transport):
                target = Target(transport or Transport.UDP, SERVER, HERE)
                if good:
                    self.agent.target_resolved(query, (target,), self.now)
                else:
                    self.agent.target_failed(query, FailureCause.NAME_NOT_FOUND, "no", self.now)
            case OpenFlow(query, target):
                self.numbers += 1
                flow = Flow(target.transport, HERE, SERVER, self.numbers)
                if good:
                    self.flows.append(flow)
                    self.agent.flow_opened(query, flow, self.now)
                else:
                    self.agent.flow_refused(query, "Connection refused", self.now)

    def trouble(self) -> None:
        flow = self.dice.choice(self.flows)
        if flow.number:
            self.flows.remove(flow)
        self.agent.flow_failed(flow, "cut", self.now)

    def time(self) -> None:
        self.now += self.dice.choice((0.0, 0.1, 0.1, 0.5, 0.5, 4.0, 32.0, 200.0))
        self.fire()

    def fire(self) -> None:
        deadline = self.agent.next_deadline()
        if deadline is not None and deadline <= self.now:
            self.agent.fire_timers(self.now)

    # --- the person -------------------------------------------------------------------------

    def wish(self) -> None:
        wishes = (*(self.of_calls,) * 6, *(self.of_rooms,) * 3, self.of_lines)
        with contextlib.suppress(LocalError):  # it made no sense, and said so
            self.dice.choice(wishes)()

    def of_calls(self) -> None:
        agent, now, dice = self.agent, self.now, self.dice
        call = dice.choice((*CALLS, *agent._core.calls))
        sdp = dice.choice((b"v=0 any", b""))

        def flip() -> bool:
            return dice.random() < 0.5

        verbs = (
            *(lambda: self.place(call),) * 5,
            lambda: agent.offer(call, b"v=0 offer", now),
            lambda: agent.ring(call, now, sdp),
            lambda: agent.accept(call, b"v=0 answer", now),
            lambda: agent.reject(call, dice.choice((302, 480, 486, 603)), now),
            lambda: agent.end(call, now),
            lambda: agent.reoffer(call, sdp, now),
            lambda: agent.answer_reoffer(call, b"v=0 answer", now),
            lambda: agent.reject_reoffer(call, 488, now),
            lambda: agent.info_digit(call, "5", 100, now),
            lambda: agent.info.send(call, "weather", "text/plain", b"sun", now),
            lambda: agent.messages.send(MessageRef("i"), LINES[0], "", "hello", now, call=call),
            lambda: agent.messages.compose(LINES[0], "", now, active=flip(), call=call),
            lambda: agent.transfers.blind(call, "103", now),
            lambda: agent.transfers.attended(call, dice.choice(CALLS), now),
        )
        dice.choice(verbs)()

    def place(self, call: CallRef) -> None:
        if call not in self.agent._core.calls:
            self.watch.renewed(call)
        self.agent.invite(call, self.dice.choice(LINES), "102", self.now)

    def follow(self, transfer: TransferRef, call: CallRef) -> None:
        if call not in self.agent._core.calls:
            self.watch.renewed(call)
        self.agent.transfers.follow(transfer, call, self.now)

    def of_rooms(self) -> None:
        agent, now, dice = self.agent, self.now, self.dice
        line = dice.choice(LINES)
        ref = SubscriptionRef(dice.choice("ab"))
        package = dice.choice(("message-summary", "dialog", "reg", "nothing"))
        state = State("presence", "application/pidf+xml", b"<presence/>")
        transfer = dice.choice(self.transfers) if self.transfers else None
        verbs = (
            lambda: self.subscribe(ref, line, package),
            lambda: agent.subscriptions.refresh(ref, now),
            lambda: agent.subscriptions.unsubscribe(ref, now),
            lambda: agent.messages.send(MessageRef(dice.choice("mn")), line, "102", "hello", now),
            lambda: agent.messages.compose(line, "102", now, active=dice.random() < 0.5),
            lambda: agent.publications.publish(PublicationRef("p"), line, state, now),
            lambda: agent.publications.remove(PublicationRef("p"), now),
            lambda: agent.presence.show(line, dice.choice(tuple(Activity)), now),
            lambda: agent.presence.hide(line, now),
            lambda: self.watch_people(line, dice.choice(((), ("102",), ("102", "103")))),
            lambda: self.follow(transfer, dice.choice(CALLS)) if transfer else None,
            lambda: agent.transfers.refuse(transfer, 603, now) if transfer else None,
        )
        dice.choice(verbs)()

    def watch_people(self, line: LineName, people: tuple[str, ...]) -> None:
        known = set(self.agent.buddies._watched)
        self.agent.buddies.set(line, people, self.now)
        for ref in set(self.agent.buddies._watched) - known:
            self.watch.renewed(ref)

    def subscribe(self, ref: SubscriptionRef, line: LineName, package: str) -> None:
        self.agent.subscriptions.subscribe(ref, line, package, self.now)
        self.watch.renewed(ref)

    def of_lines(self) -> None:
        agent, now, dice = self.agent, self.now, self.dice
        line = dice.choice(LINES)
        verbs = (
            lambda: agent.register(line, now),
            lambda: agent.unregister(line, now),
            lambda: agent.network_changed(now, frozenset({HERE.host})),
            lambda: agent.clock_set(now),
            lambda: self.lines(dice.choice((1, 2, 2, 2, 2))),
            lambda: agent.respond("key", 200, now),
            lambda: agent.end_orphan(b'{"damaged": 1', now),
        )
        dice.choice(verbs)()

    # --- from the first step to the last ----------------------------------------------------

    def run(self, steps: int) -> None:
        turns = (*(self.message,) * 12, *(self.driver,) * 8, *(self.wish,) * 6)
        turns += (*(self.time,) * 4, self.trouble)
        for _ in range(steps):
            self.dice.choice(turns)()
            self.settle()
            bounded(self.agent._core)
        self.end()

    def end(self) -> None:
        self.over = True
        self.agent.shut_down(self.now)
        self.settle()
        self.agent.set_lines((), self.now)
        for _ in range(2000):
            self.settle()
            while self.asked:
                self.driver()
                self.settle()
            deadline = self.agent.next_deadline()
            if deadline is None:
                break
            self.now = max(self.now, deadline)
            self.agent.fire_timers(self.now)
        for flow in [each for each in self.flows if each.number]:
            self.agent.flow_failed(flow, "over", self.now)
        self.settle()
        assert len(self.agent) == 0, f"{len(self.agent)} things are left"


@pytest.mark.seeds(120)
def test_p01_whatever_the_server_says_and_the_person_wants_nothing_raises_and_nothing_stays(seed):
    Walk(seed).run(100)
