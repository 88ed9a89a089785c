"""The walk through every state: what may happen next, when two states are one, what must hold."""

import copy
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from firmware.call.negotiation import Negotiation
from firmware.config.schema import LineSettings, PhoneSettings, Settings
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone import events as e
from firmware.phone.machine import Phone
from firmware.phone.model import Call, PhoneState, Timer
from firmware.phone.view import CallState, Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, FailureCause, LineName, Party, RegistrationState
from hal import events as hal

PATHS = (PathName.HANDSET, PathName.SPEAKER, PathName.RINGER)
LINES = (LineName("desk"), LineName("spare"))
ANN = Party("Ann", "201", "sip:201@pbx")
LONGEST_DIGITS = 3
HARMLESS = frozenset({Timer.NOTICE, Timer.HOLD_REMINDER, Timer.CALL_BACKS, Timer.VOLUME_BAR})
"""Clocks that only take a sentence away or beep: states that differ in them alone are one."""


def description(direction: str) -> bytes:
    """A far end's SDP."""
    return (
        "v=0\r\no=- 7 7 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
        f"m=audio 5000 RTP/AVP 0\r\na={direction}\r\n"
    ).encode()


SPEAKS, HOLDS, STRANGE = description("sendrecv"), description("sendonly"), b"nonsense"


@dataclass
class Seen:
    """What the exploration amounted to."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    modes: Counter[str] = field(default_factory=Counter)


@dataclass
class Found:
    """A state in which something does not hold, and the way there."""

    what: str
    way: list[str]


class BrokenError(Exception):
    """Something that must hold does not."""


@dataclass
class Node:
    """A phone in a state, and the step that led there."""

    phone: Phone
    now: float
    depth: int
    step: str
    before: "Node | None"

    def way(self) -> list[str]:
        """Every step from the beginning."""
        steps, node = [], self
        while node is not None:
            steps.append(node.step)
            node = node.before
        return steps[::-1]


def start() -> Node:
    """A registered phone at rest."""
    lines = tuple(LineSettings("100", "pbx", name=name) for name in LINES)
    phone = Phone(Settings(phone=PhoneSettings(max_calls=8), lines=lines))
    beginnings = (
        e.Started(PATHS, has_bell=True),
        m.EngineReady(1, realtime=True),
        *(n.RegistrationChanged(line, RegistrationState.REGISTERED) for line in LINES),
    )
    for event in beginnings:
        phone.handle(event, 0.0)
    return Node(phone, 0.0, 0, "at rest", None)


def happen(phone: Phone, event: e.Event, now: float) -> None:
    """One event, and the media ports it asks for."""
    for command in phone.handle(event, now):
        if isinstance(command, c.ReserveMediaPort):
            bound = e.MediaPortReserved(command.call, command.local, 40000)
            happen(phone, bound, now)


def clone(phone: Phone) -> Phone:
    """An independent phone in the same state: all that it holds is frozen."""
    twin = copy.copy(phone)
    twin._sketches = {}
    return twin


# --- what may happen --------------------------------------------------------------------------

HANDS: tuple[e.Event, ...] = (
    a.Digit("9"),
    a.Digit("1"),
    a.DialNow(),
    a.Backspace(),
    a.Dial("201"),
    a.Dial("*#600"),
    a.Answer(),
    a.HangUp(),
    a.Hold(),
    a.Resume(),
    a.Mute(),
    a.SelectPath(PathName.SPEAKER),
    a.Dismiss(),
)


def hands(state: PhoneState) -> Iterator[e.Event]:
    """What a person may do now; the hook cannot be lifted twice."""
    if state.hook_up:
        yield hal.HookReplaced(0.0)
    else:
        yield hal.HookLifted(0.0)
    yield hal.HookFlash(0.0)
    for event in HANDS:
        if not (isinstance(event, a.Digit) and len(state.digits) >= LONGEST_DIGITS):
            yield event


def network(state: PhoneState, most_calls: int) -> Iterator[e.Event]:
    """What the far ends may do now."""
    if len(state.calls) < most_calls:
        arriving = CallRef(f"in-{state.counter}")
        yield n.IncomingCall(arriving, LINES[0], ANN, "100", SPEAKS, "192.0.2.1")
    for call in state.calls:
        if call.waits:
            continue
        yield n.CallEnded(call.ref, by_us=False)
        if call.placing:
            yield from placing(call)
        elif call.stage is CallState.ANSWERING:
            yield n.CallConfirmed(call.ref)
        elif call.stage is CallState.TALKING:
            yield from talking(call)


def placing(call: Call) -> Iterator[e.Event]:
    """A call of ours before its answer."""
    yield n.CallEnded(call.ref, by_us=False, cause=FailureCause.BUSY, status=486)
    if call.negotiation is None:
        yield n.OfferWanted(call.ref, "192.0.2.1")
        return
    yield n.CallTrying(call.ref)
    yield n.CallProgress(call.ref, 180, "Ringing", "a")
    yield n.CallProgress(call.ref, 183, "Progress", "a", SPEAKS)
    yield n.CallAnswered(call.ref, "a", SPEAKS, ANN)
    yield n.CallAnswered(call.ref, "a", STRANGE, ANN)


def talking(call: Call) -> Iterator[e.Event]:
    """A call that is up."""
    if call.reoffering:
        yield n.ReofferAnswered(call.ref, SPEAKS)
        yield n.ReofferRejected(call.ref, 488, "No")
        yield n.ReofferRejected(call.ref, 491, "Later")
    else:
        yield n.ReofferReceived(call.ref, HOLDS)
        yield n.ReofferReceived(call.ref, SPEAKS)
    cause = m.Silence.NO_PACKETS if call.hearing is None else None
    yield m.HearingChanged(call.stream, cause)


def next_nodes(node: Node, most_calls: int) -> Iterator[Node]:
    """Every state that one happening leads to."""
    state = node.phone.state
    for event in (*hands(state), *network(state, most_calls)):
        phone = clone(node.phone)
        happen(phone, event, node.now)
        if len(phone) <= most_calls:
            yield Node(phone, node.now, node.depth + 1, repr(event)[:100], node)
    due = node.phone.next_deadline()
    if due is not None:
        phone = clone(node.phone)
        happen(phone, e.TimePassed(), due)
        yield Node(phone, due, node.depth + 1, f"{due - node.now:.1f} s pass", node)


# --- when two states are one --------------------------------------------------------------------


def key(state: PhoneState) -> tuple[object, ...]:
    """All of a state that can make a difference later."""
    places = {call.ref: place for place, call in enumerate(state.calls)}
    running = (timer for timer in state.timers if timer not in HARMLESS)
    clocks = sorted(running, key=lambda timer: (state.timers[timer], timer.value))
    return (
        state.mode,
        state.hook_up,
        state.path,
        places.get(state.front) if state.front else None,
        state.digits,
        state.progress,
        state.muted,
        state.test.stage if state.test else None,
        tuple(clocks),
        tuple(map(call_key, state.calls)),
    )


def call_key(call: Call) -> tuple[object, ...]:
    """The same for one call."""
    return (
        call.outgoing,
        call.stage,
        negotiation_key(call.negotiation),
        call.emergency,
        call.placing and (len(call.other_lines), len(call.again), call.waits, call.alerted),
        call.held,
        call.reoffering,
        call.hearing is None,
    )


def negotiation_key(negotiation: Negotiation | None) -> tuple[object, ...] | None:
    """The same for its media."""
    if negotiation is None:
        return None
    direction = None if negotiation.media is None else negotiation.media.direction
    return (negotiation.busy, negotiation.held, negotiation.held_by_them, direction)


# --- what must hold -------------------------------------------------------------------------------


def check(node: Node) -> None:
    """Raise if something does not hold in this state."""
    phone = node.phone
    must_hold(phone)
    must_dial_emergency(clone(phone), node.now)
    must_come_to_rest(clone(phone), node.now)


def must_hold(phone: Phone) -> None:
    """What must be so at every moment."""
    state, wanted = phone.state, phone._outputs
    sound = wanted.sound
    if sound is None:
        raise BrokenError("no engine is told anything")
    talk = sound.talk
    require(not talk.microphone or state.mode in (Mode.TALKING, Mode.AUDIO_TEST), "hot microphone")
    require(talk.path is not PathName.HANDSET or state.hook_up, "open handset on its cradle")
    routes = [stream.route for stream in sound.streams.values()]
    require(routes.count(m.Route.CARD) <= 1, "two calls on one card")
    ringing = bool(wanted.bell) or "ring" in sound.tones or "waiting" in sound.tones
    require(bool(state.ringing) or not ringing, "it rings for nobody")
    if state.ringing and state.emergency_call is None:
        require(ringing, "somebody waits and nothing rings")
    if state.mode is Mode.IDLE:
        quiet = talk.path is None and not (sound.tones or sound.streams or wanted.ports)
        require(quiet and not state.calls, "not at rest in idle")
    in_call = state.mode in (Mode.CALLING, Mode.RINGING, Mode.TALKING)
    require(in_call == (state.front_call is not None), "mode and call in front disagree")


def must_dial_emergency(phone: Phone, now: float) -> None:
    """An emergency number goes out from here."""
    up = phone.state.emergency_call is not None
    commands = phone.handle(a.Dial("911"), now)
    placed = any(isinstance(x, c.PlaceCall) and x.emergency for x in commands)
    require(placed or up, "an emergency call does not go out")
    require(phone.state.emergency_call is not None, "the emergency call is lost")


def must_come_to_rest(phone: Phone, now: float) -> None:
    """Handset down, hang up, wait: soon the phone rests."""
    for _ in range(4 * (len(phone) + 2)):
        if phone.state.hook_up:
            phone.handle(hal.HookReplaced(now), now)
        now += 1.0
        phone.handle(a.HangUp(), now)
        if phone.state.mode is Mode.IDLE and not len(phone):
            return
    raise BrokenError("no way back to rest")


def require(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise unless it holds."""
    if not holds:
        raise BrokenError(what)


def explore(most_calls: int, limit: int) -> Seen | Found:
    """Visit every state; `limit` 0 = all of them."""
    first = start()
    seen, known, queue = Seen(), {key(first.phone.state)}, deque([first])
    while queue and not (limit and seen.states >= limit):
        node = queue.popleft()
        seen.states += 1
        seen.depth = max(seen.depth, node.depth)
        seen.modes[node.phone.state.mode.value] += 1
        try:
            check(node)
            for following in next_nodes(node, most_calls):
                seen.transitions += 1
                name = key(following.phone.state)
                if name not in known:
                    known.add(name)
                    queue.append(following)
        except BrokenError as broken:
            return Found(str(broken), node.way())
    return seen
