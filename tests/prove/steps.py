"""From node to node, nearest first, and when two of them are one (`key`)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware.phone.model import Call, Timer
from firmware.sip.notifications import CallRef
from tests.prove.world import Node, Scope, beginning, moves

ANY = CallRef("")
_HARMLESS = frozenset({Timer.NOTICE, Timer.HOLD_REMINDER, Timer.CALL_BACKS, Timer.VOLUME_BAR})
"""Clocks that only take a sentence away or beep."""


def key(node: Node) -> int:
    """The node without times, counters and names."""
    state, world = node.phone.state, node.world
    order = {call.ref: index for index, call in enumerate(state.calls)}
    timers = state.timers
    running = timers if node.scope.words else timers.keys() - _HARMLESS
    return hash(
        (
            *(state.mode, state.hook_up, state.headset_in, state.path, state.digits),
            *(state.progress, state.muted, state.network_up, state.engine, state.stopped),
            tuple(_call_key(node, call) for call in state.calls),
            order.get(state.front) if state.front is not None else None,
            tuple(order[ref] for ref in state.conference),
            state.consultation
            and (order.get(state.consultation.call), order.get(state.consultation.target or ANY)),
            tuple(sorted(running, key=lambda timer: (timers[timer], timer.value))),
            tuple(line.registration and line.registration.cause for line in state.lines),
            state.test and (state.test.stage, sum(bool(end.port) for end in state.test.ends)),
            (world.talk.path, world.talk.microphone, world.bell, frozenset(world.tones)),
            (len(world.calls), *(route.value for route in world.routes.values())),
            _words(node) if node.scope.words else None,
        )
    )


def _words(node: Node) -> tuple[object, ...]:
    """What is said and recalled."""
    state = node.phone.state
    notice = state.notice and state.notice.text
    heard = tuple((x.line, x.remote, x.hearing and x.hearing.cause) for x in state.calls)
    return (notice, min(state.missed, 1), state.last_dialled, heard)


def _call_key(node: Node, call: Call) -> tuple[object, ...]:
    negotiation, world = call.negotiation, node.world
    media = negotiation and negotiation.media
    return (
        *(call.outgoing, call.stage, call.emergency, call.other_lines, call.auto),
        *(call.again, call.waits, bool(call.local), call.placing and call.alerted),
        *(call.held, call.reoffering, call.hearing is None),
        call.transfer
        and (call.transfer.stage, call.transfer.consultation is None, call.transfer.parting),
        call.instead_of is None,
        negotiation
        and (negotiation.busy, negotiation.held, negotiation.held_by_them, negotiation._holding),
        media and media.direction,
        *(world.calls.get(call.ref), call.ref in world.confirmed, call.ref in world.asking),
        call.ref in world.transfers,
    )


@dataclass(slots=True)
class Seen:
    """How far a walk came; `complete` if nothing was left to walk to."""

    states: int
    transitions: int = 0
    complete: bool = False


def explore(
    scope: Scope, most: int, look: Callable[[Node], None], study: Callable[[Node], None]
) -> Seen:
    """Walk to at least `most` different nodes, nearest first, or to all there are (`most` 0).

    `look` and `study` see every node once, `look` first: all that it judges is in a node's `key`.
    """
    first = beginning(scope)
    known, front = {key(first)}, deque([first])
    seen = Seen(1)
    look(first)
    study(first)
    while front and not (most and seen.states >= most):
        node = front.popleft()
        for name, event, now in moves(node):
            then = node.after(name, event, now)
            seen.transitions += 1
            mark = key(then)
            if mark not in known:
                known.add(mark)
                look(then)
                study(then)
                front.append(then)
        seen.states = len(known)
    seen.complete = not front
    return seen
