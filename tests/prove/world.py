"""Every state that the phone machine can be brought into by a small vocabulary, nearest first.

A `Node` is a phone with the world around it: what the far ends have said of each call, and what
the commands so far amount to at the engine and the bell. `moves` are all that can happen there.
Two nodes are the same if they differ in nothing but times, counters and names; of the clocks only
the order in which they will ring counts. A `Scope` says how much is looked at.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from firmware.base.values import replace
from firmware.config.schema import LineSettings, PhoneSettings, Settings
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone import events as e
from firmware.phone.machine import Phone
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, FailureCause, LineName, Party, RegistrationState
from hal import events as hal
from tests.support.desk import sdp

DESK, ROOM = LineName("desk"), LineName("room")
ANN = Party("Ann", "201", "sip:201@pbx")
BOB = Party("", "202", "sip:202@pbx")
OFFER, HELD = sdp(), sdp(direction="sendonly")
STRANGE = b"nonsense"
LONGEST_NUMBER = 3
_BESIDES = frozenset(
    {
        "the line is at work",
        "early media",
        "it answers nonsense",
        "no ACK",
        "it offers too",
        "it holds",
        "it resumes",
        "silence comes or goes",
    }
)
"""What far ends do in any call, whether somebody is transferred or not."""
_INTERCOM = "<sip:pbx>;answer-after=0"


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of the world is looked at."""

    most_calls: int = 2
    machinery: bool = True
    """Whether engine, network and line may fail too."""
    words: bool = True
    """Whether states that differ in what they say or recall only are two."""
    transfers: bool = True
    """Whether anybody transfers anybody."""
    plain: bool = False
    """Whether the vocabulary is kept to what a transfer needs."""
    besides: bool = False
    """Whether far ends do all else, too, that they do in any call."""
    conference: bool = False
    """Whether two calls are up from the beginning, and may become one conversation."""
    sent_on: bool = False
    """Whether the person transfers nobody and dials nothing, but is sent on by far ends."""


def settings(scope: Scope) -> Settings:
    """Two lines; calls to the second may ask to be answered at once."""
    return Settings(
        phone=PhoneSettings(max_calls=scope.most_calls),
        lines=(
            LineSettings("100", "pbx", name=DESK),
            LineSettings("101", "pbx", name=ROOM, auto_answer="trusted"),
        ),
    )


@dataclass(slots=True)
class World:
    """What the commands so far have brought about.

    `calls` is how each call stands for the SIP stack: `arrived`, `asked` (an INVITE is wanted),
    `open` (its offer went out), `up`, and `held` (the far end waits for our answer to its offer).
    """

    calls: dict[CallRef, str] = field(default_factory=dict)
    confirmed: frozenset[CallRef] = frozenset()
    asking: frozenset[CallRef] = frozenset()
    """Calls in which an offer of ours waits for its answer."""
    tones: dict[str, PathName] = field(default_factory=dict)
    routes: dict[int, m.Route] = field(default_factory=dict)
    """The engine's streams, and what each is joined to."""
    talk: m.TalkOn = field(default_factory=lambda: m.TalkOn(None))
    bell: bool = False
    bridge: tuple[int, ...] = ()
    """The streams that are mixed with each other."""
    transfers: frozenset[CallRef] = frozenset()
    """Calls whose far end has been asked to call somebody else."""

    def copy(self) -> "World":
        return replace(
            self, calls=dict(self.calls), tones=dict(self.tones), routes=dict(self.routes)
        )

    def take(self, command: c.Command) -> None:  # noqa: C901 - one row a command
        match command:
            case c.TransferCall():
                self._transfer(command)
            case c.PlaceCall(ref) | c.FollowTransfer(call=ref):
                assert ref not in self.calls, "a call is placed once"
                self.calls[ref] = "asked"
            case c.SendOffer(ref):
                assert self.calls.get(ref) == "asked", "an offer that nobody wanted"
                self.calls[ref] = "open"
            case c.AcceptCall(ref):
                assert self.calls.get(ref) == "arrived", "answered what does not ring"
                self.calls[ref] = "up"
            case c.RejectCall(ref) | c.EndCall(ref):
                assert ref in self.calls, "ended what is over"
                del self.calls[ref]
                self.transfers -= {ref}
            case c.Reoffer(ref):
                assert self.calls.get(ref) in ("up", "held"), "re-INVITE outside a call"
                self.asking |= {ref}
            case c.AnswerReoffer(ref) | c.RejectReoffer(ref):
                if self.calls.get(ref) == "held":
                    self.calls[ref] = "up"
            case c.RingBell(cadence):
                self.bell = bool(cadence)
            case c.MediaOrder(order):
                self._order(order)

    def _transfer(self, command: c.TransferCall) -> None:
        other = command.consultation
        assert self.calls.get(command.call) in ("up", "held"), "REFER outside a call"
        assert command.call not in self.transfers, "one transfer a call"
        assert other is None or self.calls.get(other) in ("up", "held"), "Replaces nothing"
        self.transfers |= {command.call}

    def _order(self, order: m.AnyOrder) -> None:
        match order:
            case m.TalkOn():
                self.talk = order
            case m.PlayTone(name, path, _, repeat) if repeat >= 0:
                self.tones[name] = path
            case m.StopTone(name):
                del self.tones[name]
            case m.Bridge(streams):
                assert set(streams) <= self.routes.keys(), "mixed with what is not there"
                self.bridge = streams
            case m.OpenStream() | m.RouteStream():
                self.routes[order.stream] = order.route
            case m.CloseStream(stream):
                del self.routes[stream]

    def deaf(self) -> None:
        """There is another engine, or none: it does nothing yet."""
        self.tones, self.routes, self.talk, self.bridge = {}, {}, m.TalkOn(None), ()


@dataclass(slots=True)
class Node:
    """A phone in its world at a moment, and how it came there."""

    phone: Phone
    world: World
    now: float
    scope: Scope
    parent: "Node | None" = None
    move: str = ""

    def path(self) -> str:
        """The moves from the beginning."""
        names: list[str] = []
        node: Node | None = self
        while node is not None and node.move:
            names.append(node.move)
            node = node.parent
        return " · ".join(reversed(names))

    def after(self, move: str, event: e.Event, now: float | None = None) -> "Node":
        """Another node: this one after something happened."""
        then = replace(self.twin(), now=now or self.now, parent=self, move=move)
        try:
            then.feed(event)
        except Exception as error:
            raise AssertionError(f"{then.path()}\n{type(error).__name__}: {error}") from error
        return then

    def twin(self) -> "Node":
        """This node once more, to try something with."""
        return replace(self, phone=copy_of(self.phone), world=self.world.copy())

    def feed(self, event: e.Event) -> list[c.Command]:
        """Let something happen here; returns all commands, ports bound on the way."""
        self._follow(event)
        done: list[c.Command] = []
        waiting: deque[e.Event] = deque([event])
        while waiting:
            for command in self.phone.handle(waiting.popleft(), self.now):
                done.append(command)
                self.world.take(command)
                if isinstance(command, c.ReserveMediaPort):
                    waiting.append(e.MediaPortReserved(command.call, command.local, 40000))
        return done

    def _follow(self, event: e.Event) -> None:
        """What an event means for the world, before the phone hears of it."""
        world = self.world
        if isinstance(event, n.TransferSucceeded | n.TransferFailed):
            world.transfers -= {event.call}
        match event:
            case n.IncomingCall(call=ref):
                world.calls[ref] = "arrived"
            case n.CallAnswered(call=ref) | n.CallConfirmed(call=ref):
                world.calls[ref] = "up"
                world.confirmed |= {ref}
            case n.ReofferReceived(call=ref):
                world.calls[ref] = "held"
            case n.ReofferAnswered(call=ref) | n.ReofferRejected(call=ref):
                world.asking -= {ref}
            case n.CallEnded(call=ref):
                world.calls.pop(ref, None)
                world.transfers -= {ref}
            case e.EngineLost() | m.EngineReady():
                world.deaf()


def copy_of(phone: Phone) -> Phone:
    """A phone that goes its own way from here; its state is a value and need not be copied."""
    twin = Phone.__new__(Phone)
    for name in Phone.__slots__:
        setattr(twin, name, getattr(phone, name))
    twin._sketches = {}
    return twin


def beginning(scope: Scope) -> Node:
    """A phone that has just registered, on hook."""
    node = Node(Phone(settings(scope)), World(), 1000.0, scope)
    node.feed(e.Started(tuple(PathName), has_bell=True, has_hook=True))
    node.feed(e.NetworkChanged(up=True))
    node.feed(m.EngineReady(1, realtime=True))
    for line in (DESK, ROOM):
        node.feed(n.RegistrationChanged(line, RegistrationState.REGISTERED, expires_in=600))
    if scope.conference:
        _two_calls(node)
    return node


def _two_calls(node: Node) -> None:
    """Ann waits on hold while somebody else is talked to."""
    node.feed(hal.HookLifted(node.now))
    for _ in range(2):
        arrival = _arrival(node, DESK, "")
        node.feed(arrival)
        node.feed(a.Answer(arrival.call))
        node.feed(n.CallConfirmed(arrival.call))
        for ref in node.world.asking:
            node.feed(n.ReofferAnswered(ref, OFFER))


# --- what can happen ----------------------------------------------------------------------------


def moves(node: Node) -> Iterator[tuple[str, e.Event, float | None]]:
    """Everything in the vocabulary that is possible here: its name, the event, and when."""
    for name, event in _all(node):
        yield name, event, None
    due = node.phone.next_deadline()
    if due is not None:
        yield "a clock rings", e.TimePassed(), max(due, node.now)


def _all(node: Node) -> Iterator[tuple[str, e.Event]]:
    state = node.phone.state
    yield from _hands(node)
    if len(state.calls) < node.scope.most_calls:
        yield "a call arrives", _arrival(node, DESK, "")
        if not node.scope.plain:
            yield "an intercom call arrives", _arrival(node, ROOM, _INTERCOM)
    for index, call in enumerate(state.calls):
        for name, event in _far_end(node, call.ref):
            if node.scope.plain and not node.scope.besides and name in _BESIDES:
                continue
            yield f"{name} ({index + 1})", event
    if node.scope.machinery:
        yield from _machinery(node)


def _hands(node: Node) -> Iterator[tuple[str, e.Event]]:
    """What a person can do."""
    state = node.phone.state
    if node.scope.plain:
        yield from _plain_hands(node)
        return
    if state.hook_up:
        yield "hook down", hal.HookReplaced(node.now)
        yield "hook flash", hal.HookFlash(node.now)
    else:
        yield "hook up", hal.HookLifted(node.now)
    if len(state.digits) < LONGEST_NUMBER:
        yield "key 9", a.Digit("9")
        yield "key 1", a.Digit("1")
    if state.digits:
        yield "key delete", a.Backspace()
        yield "key dial", a.DialNow()
    yield "key speaker", a.SelectPath(PathName.SPEAKER)
    yield "key dismiss", a.Dismiss()
    if node.scope.words:
        yield "key redial", a.Redial()
    if state.calls:
        yield "key answer", a.Answer()
        yield "key end", a.HangUp()
        yield "key hold", a.Hold()
        yield "key resume", a.Resume()
        yield "key mute", a.Mute()
        if node.scope.transfers:
            yield "key transfer", a.Transfer()
    yield "dial *#600", a.Dial("*#600")
    yield "dial 201", a.Dial("201")


def _plain_hands(node: Node) -> Iterator[tuple[str, e.Event]]:
    """What a person can do who transfers calls and nothing else."""
    state = node.phone.state
    hook = hal.HookReplaced if state.hook_up else hal.HookLifted
    yield "hook", hook(node.now)
    if node.scope.conference:
        yield "key conference", a.Join()
    elif not node.scope.sent_on and not state.digits:
        yield "key 9", a.Digit("9")
    elif not node.scope.sent_on:
        yield "key dial", a.DialNow()
    if state.calls:
        yield "key answer", a.Answer()
        yield "key end", a.HangUp()
        yield "key resume", a.Resume()
        yield ("key hold", a.Hold()) if node.scope.sent_on else ("key transfer", a.Transfer())


def _arrival(node: Node, line: LineName, info: str) -> n.IncomingCall:
    ref = next(ref for i in range(9) if (ref := CallRef(f"in-{i}")) not in node.world.calls)
    return n.IncomingCall(ref, line, ANN, "100", OFFER, "192.0.2.1", call_info=info)


def _far_end(node: Node, ref: CallRef) -> Iterator[tuple[str, e.Event]]:
    """What the far end of a call, and the SIP stack, can say of it."""
    world, call = node.world, node.phone.state.call(ref)
    assert call is not None
    match world.calls.get(ref):
        case "asked" if not call.local:
            yield "way found", n.OfferWanted(ref, "192.0.2.1")
            yield "no way", n.CallEnded(ref, by_us=False, cause=FailureCause.NO_NETWORK)
        case "open":
            yield "the line is at work", n.CallTrying(ref)
            yield "it rings", n.CallProgress(ref, 180, "Ringing", "a")
            yield "early media", n.CallProgress(ref, 183, "", "a", OFFER)
            yield "it answers", n.CallAnswered(ref, "a", OFFER, ANN)
            yield "it answers nonsense", n.CallAnswered(ref, "a", STRANGE, ANN)
            yield "it is busy", n.CallEnded(ref, by_us=False, cause=FailureCause.BUSY, status=486)
        case "arrived":
            cancelled = FailureCause.CANCELLED
            yield "the caller gives up", n.CallEnded(ref, by_us=False, cause=cancelled)
        case "up" | "held" if ref not in world.confirmed:
            yield "ACK", n.CallConfirmed(ref)
            yield "no ACK", n.CallEnded(ref, by_us=False, cause=FailureCause.NO_ACK)
        case "up":
            yield "it hangs up", n.CallEnded(ref, by_us=False)
            if ref in world.asking:
                yield "it agrees", n.ReofferAnswered(ref, OFFER)
                yield "it refuses", n.ReofferRejected(ref, 488, "")
                yield "it offers too", n.ReofferRejected(ref, 491, "")
            else:
                yield "it holds", n.ReofferReceived(ref, HELD)
                yield "it resumes", n.ReofferReceived(ref, OFFER)
            yield from _transfers(node, ref)
            cause = None if call.hearing is not None else m.Silence.NO_PACKETS
            yield "silence comes or goes", m.HearingChanged(call.stream, cause)


def _transfers(node: Node, ref: CallRef) -> Iterator[tuple[str, e.Event]]:
    """How a transfer of ours goes, or what the far end wants of us."""
    if ref in node.world.transfers:
        yield "it goes", n.TransferProgress(ref, 100)
        yield "it has got there", n.TransferSucceeded(ref)
        yield "it cannot get there", n.TransferFailed(ref, FailureCause.BUSY, 486, reached=True)
    elif node.scope.transfers and _may_be_sent_on(node):
        yield "it sends us on", n.TransferAsked(n.TransferRef("t"), ref, DESK, BOB, ANN)


def _may_be_sent_on(node: Node) -> bool:
    calls, scope = node.phone.state.calls, node.scope
    alone = scope.sent_on and not any(call.instead_of is not None for call in calls)
    return len(calls) < scope.most_calls + alone


def _machinery(node: Node) -> Iterator[tuple[str, e.Event]]:
    """What the phone's own parts and its network can do."""
    state = node.phone.state
    if state.engine.value == "up":
        yield "the engine dies", e.EngineLost()
    else:
        yield "an engine starts", m.EngineReady(2, realtime=True)
    yield "network down or up", e.NetworkChanged(not state.network_up)
    line = state.line(DESK)
    good = line is not None and line.registration is not None and not line.registration.cause
    cause = FailureCause.NO_ANSWER if good else None
    now = RegistrationState.FAILED if good else RegistrationState.REGISTERED
    yield "the line fails or comes back", n.RegistrationChanged(DESK, now, cause, retry_in=30)
