"""The practice exchange between desks on a simulated wire: no sockets, no waiting."""

import math
from array import array

import pytest

from firmware.base.tokens import Tokens
from firmware.lab.exchange import LINE, Exchange
from firmware.lab.registrar import Registrar
from firmware.media.messages import Route
from firmware.sip.account import Account
from firmware.sip.flow import Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    IncomingCall,
    OfferWanted,
    RegistrationChanged,
    RegistrationState,
    ReofferReceived,
)
from tests.support.sip_link import LINE as DESK_LINE
from tests.support.sip_link import Desk, World

PBX_PORT = 5080


class Booth:
    """The exchange's sound as words: `answer to x`, `offer`; deaf for offers of `video`."""

    def __init__(self):
        self.stands = {}
        self.offers = 0
        self.full = False

    def __len__(self):
        return len(self.stands)

    def answer(self, call, offer, local, route, clip):
        if self.full or offer == b"video":
            return b""
        self.stands[call] = (route, clip, local)
        return b"answer to " + offer if offer else b"offer of the booth"

    def answer_again(self, call, offer):
        assert call in self.stands
        return b"" if offer == b"video" else b"again " + offer

    def offer(self, call, local, clip):
        if self.full:
            return b""
        self.offers += 1
        self.stands[call] = (Route.CLIP, clip, local)
        return b"offer of the booth"

    def answered(self, call, answer):
        return call in self.stands and bool(answer) and answer != b"video"

    def close(self, call):
        self.stands.pop(call, None)


class Pbx(Desk):
    """The exchange where a desk's agent would be."""

    def __init__(self, world, host="10.0.0.1"):
        super().__init__(
            world,
            host,
            PBX_PORT,
            hand_up=frozenset({"REGISTER", "MESSAGE"}),
            open_house=True,
            product="pbx",
        )
        self.script = self.react
        self._due = None
        self.booth = Booth()
        self.registrar = Registrar(Tokens(b"registrar-secret"))
        self.exchange = Exchange(self.agent, self.registrar, self.booth, frozenset({"112", "911"}))
        server = f"{self.bracketed}:{PBX_PORT}"
        account = Account(LINE, "pbx", server, register=False, accept_any_user=True)
        self.agent.set_lines((account,), self.now)

    @property
    def bracketed(self):
        host = self.endpoint.host
        return f"[{host}]" if ":" in host else host

    def settle(self):
        busy = super().settle()
        due = self.exchange.next_deadline()
        if due is not None and due != self._due:
            # The exchange has a clock of its own: the world must come by when it is due.
            self.world.later(max(0.0, due - self.now), self._ring_clock)
        self._due = due
        return busy

    def react(self, notification):
        self.exchange.handle(notification, self.now)

    def _ring_clock(self):
        due = self.exchange.next_deadline()
        if due is not None and due <= self.now:
            self.exchange.fire_timers(self.now)


class Phone(Desk):
    """A registered phone; answers as `manner` says: `answer`, `ring`, `busy`, `decline`."""

    def __init__(self, world, pbx, user, host, transport=Transport.UDP):
        super().__init__(world, host)
        self.script = self.react
        self.user, self.manner = user, "answer"
        self.calls = 0
        self.line(
            f"{pbx.bracketed}:{PBX_PORT}", user, password=user, transport=transport, expires=600
        )

    def register(self):
        self.agent.register(DESK_LINE, self.now)
        self.world.until(lambda: self.registered)
        return self

    @property
    def registered(self):
        changes = self.of(RegistrationChanged)
        return bool(changes) and changes[-1].state is RegistrationState.REGISTERED

    def react(self, notification):
        match notification:
            case OfferWanted(call, _):
                self.agent.offer(call, self.offered, self.now)
            case IncomingCall(call):
                self._take(call)
            case ReofferReceived(call, body):
                if self.manner == "stubborn":
                    self.agent.reject_reoffer(call, 488, self.now)
                else:
                    self.agent.answer_reoffer(call, b"yes to " + body, self.now)

    def _take(self, call):
        match self.manner:
            case "answer" | "stubborn":
                self.agent.ring(call, self.now)
                self.agent.accept(call, f"answer of {self.user}".encode(), self.now)
            case "ring":
                self.agent.ring(call, self.now)
            case "busy":
                self.agent.reject(call, 486, self.now)
            case "decline":
                self.agent.reject(call, 603, self.now)

    offered = b"offer"

    def dial(self, number, offer=b"offer"):
        """Dial; the call's name."""
        self.calls += 1
        call = f"{self.user}-{self.calls}"
        self.offered = offer
        self.agent.invite(call, DESK_LINE, number, self.now)
        return call

    def dial_until(self, number, kind, offer=b"offer"):
        """Dial and wait for a notification of this kind about the call."""
        call = self.dial(number, offer)
        return self.wait(kind, call)

    def wait(self, kind, call=None, limit=60.0):
        before = len(self.of(kind)) if call is None else 0

        def found():
            rows = self.of(kind)[before:]
            return [each for each in rows if call is None or each.call == call]

        self.world.until(lambda: bool(found()), limit)
        return found()[-1]

    def hang_up(self, call):
        self.agent.end(call, self.now)
        return self.wait(CallEnded, call)

    def heard_ringing(self, call):
        return [each.status for each in self.of(CallProgress) if each.call == call]

    def answered(self, call):
        return [each for each in self.of(CallAnswered) if each.call == call]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def pbx(world):
    return Pbx(world)


@pytest.fixture
def ann(world, pbx):
    return Phone(world, pbx, "100", "10.0.0.2").register()


@pytest.fixture
def bob(world, pbx):
    return Phone(world, pbx, "200", "10.0.0.3").register()


@pytest.fixture
def add_phone(world, pbx):
    """Makes one more phone, not yet registered."""
    return lambda user, host, transport=Transport.UDP: Phone(world, pbx, user, host, transport)


@pytest.fixture
def ipv6():
    """World, exchange, Ann and Bob of another address family."""
    world = World()
    pbx = Pbx(world, "2001:db8::1")
    phones = (Phone(world, pbx, f"{n}00", f"2001:db8::{n}:2").register() for n in (1, 2))
    return world, pbx, *phones


@pytest.fixture
def sine():
    """Makes a tone at 8 kHz: hertz, seconds."""

    def make(hertz, seconds):
        step = 2 * math.pi * hertz / 8000
        values = (round(8000 * math.sin(step * n)) for n in range(int(seconds * 8000)))
        return array("h", values).tobytes()

    return make
