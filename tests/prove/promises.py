"""What must hold of the phone in every state that can be reached, and on every way there.

`look` judges every state by what engine, bell and SIP stack were told and not by what
the phone believes; a `Study` tries things out in every state.
"""

from collections import Counter

from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone import events as e
from firmware.phone.model import Engine
from firmware.phone.view import CallState, Mode
from hal import events as hal
from tests.prove.world import Node

_EMERGENCY = "911"
_HANDS_FREE = (PathName.SPEAKER, PathName.HEADSET)
_ROUNDS = 12
_CLOCKS = 16


def demand(node: Node, true: object, what: str) -> None:
    """Fail with the way to this node."""
    if not true:
        state = node.phone.state
        raise AssertionError(f"{what}\nafter: {node.path()}\nin: {state.mode}, {node.world}")


# --- on every transition ------------------------------------------------------------------------


def look(node: Node) -> None:
    microphone_belongs_to_somebody(node)
    ringing_has_a_reason(node)
    rest_is_silent(node)
    nothing_is_owed(node)
    one_call_has_the_card(node)
    a_conversation_is_of_those_who_talk(node)


def microphone_belongs_to_somebody(node: Node) -> None:
    """P11, by what the engine was told, not by what the phone believes."""
    state, talk = node.phone.state, node.world.talk
    if not talk.microphone:
        return
    call = state.front_call
    in_call = state.mode is Mode.TALKING and call is not None and call.answered
    demand(node, in_call or state.mode is Mode.AUDIO_TEST, "an open microphone without a call")
    demand(
        node,
        state.hook_up or talk.path in _HANDS_FREE,
        "the handset is down and its microphone open",
    )
    demand(node, call is None or not call.held, "the held party hears the room")


def a_conversation_is_of_those_who_talk(node: Node) -> None:
    """By the streams the engine mixes: all members that do not wait, and nobody else."""
    state = node.phone.state
    members = [call for call in state.calls if call.ref in state.conference]
    demand(node, len(members) == len(state.conference), "a member that is gone")
    demand(node, len(members) != 1, "a conversation of one")
    demand(node, len({call.held for call in members}) < 2, "some wait and some talk")
    talking = {call.stream for call in members if not call.held and call.negotiation is not None}
    if state.engine is Engine.UP:
        expected = talking if len(talking) > 1 else set()
        demand(node, set(node.world.bridge) == expected, "mixed are not those who talk together")


def ringing_has_a_reason(node: Node) -> None:
    rings = any(call.stage is CallState.RINGING_HERE for call in node.phone.state.calls)
    world = node.world
    demand(node, rings or not world.bell, "the bell rings for nobody")
    sounding = {"ring", "waiting"} & set(world.tones)
    demand(node, rings or not sounding, "a ringing tone for nobody")
    if node.phone.state.emergency_call is None and node.phone.state.engine is Engine.UP:
        demand(node, not rings or world.bell or sounding, "somebody waits and nothing rings")


def rest_is_silent(node: Node) -> None:
    state, world = node.phone.state, node.world
    if state.mode is Mode.IDLE:
        demand(node, not world.tones, "a tone plays at rest")
        demand(node, not world.bell, "the bell rings at rest")
        demand(node, world.talk.path is None, "a path is open at rest")
        demand(node, not state.ringing, "a caller waits and nothing says so")
        demand(node, not world.routes, "a stream is open at rest")


def nothing_is_owed(node: Node) -> None:
    """Phone and SIP stack agree which calls there are."""
    mine = {call.ref for call in node.phone.state.calls if not call.waits}
    theirs = set(node.world.calls)
    demand(node, mine == theirs, f"calls {mine ^ theirs} are known to one side only")


def one_call_has_the_card(node: Node) -> None:
    """Two rooms are never mixed by mistake, and the mode says whether a call is in front."""
    state = node.phone.state
    cards = list(node.world.routes.values()).count(m.Route.CARD)
    demand(node, cards <= 1, "two calls on one card")
    in_call = state.mode in (Mode.CALLING, Mode.RINGING, Mode.TALKING)
    demand(node, in_call == (state.front_call is not None), "mode and call in front disagree")


# --- of every state -----------------------------------------------------------------------------


class Study:
    """What is tried in each state; counts what it found."""

    def __init__(self) -> None:
        self.modes: Counter[Mode] = Counter()
        self.exits: Counter[str] = Counter()
        self.emergencies = 0

    def __call__(self, node: Node) -> None:
        self.modes[node.phone.state.mode] += 1
        view = node.phone.view()
        demand(node, view is node.phone.view(), "a view that changes by being looked at")
        self.find_rest(node)
        self.dial_emergency(node)
        self.key_emergency(node)

    def find_rest(self, node: Node) -> None:
        """The handset goes down and time passes; who talks hands-free or on hold must press end."""
        trial = node.twin()
        if trial.phone.state.hook_up:
            trial.feed(hal.HookReplaced(trial.now))
        pass_time(trial)
        if at_rest(trial):
            self.exits["hook and time"] += 1
            return
        for _ in range(_ROUNDS):
            trial.feed(a.HangUp())
            trial.now += 1.0
            trial.feed(e.TimePassed())
            look(trial)
            if at_rest(trial):
                self.exits["the end key"] += 1
                return
        demand(node, true=False, what="there is no way back to rest")

    def dial_emergency(self, node: Node) -> None:
        """Whatever goes on, an emergency number goes out (PRODUCT: before any other rule)."""
        before = node.phone.state.emergency_call
        trial = node.twin()
        done = trial.feed(a.Dial(_EMERGENCY))
        state = trial.phone.state
        going = state.emergency_call
        demand(node, going is not None, "an emergency number went nowhere")
        placed = any(isinstance(x, c.PlaceCall) and x.emergency for x in done)
        demand(node, placed or before is not None, "an emergency call without an INVITE")
        demand(node, going is None or state.front == going.ref, "an emergency call in the back")
        self.emergencies += placed
        look(trial)

    def key_emergency(self, node: Node) -> None:
        """With dial tone, or congestion tone, in the ear: three keys."""
        state = node.phone.state
        if state.mode is not Mode.OFF_HOOK or state.digits:
            return
        trial = node.twin()
        done = [x for digit in _EMERGENCY for x in trial.feed(a.Digit(digit))]
        placed = any(isinstance(x, c.PlaceCall) and x.emergency for x in done)
        demand(node, placed or state.emergency_call, "an emergency number by keys went nowhere")
        self.emergencies += placed


def pass_time(node: Node) -> None:
    """Let every clock ring that runs, and those that they set."""
    for _ in range(_CLOCKS):
        due = node.phone.next_deadline()
        if due is None or at_rest(node):
            return
        node.now = max(node.now, due)
        node.feed(e.TimePassed())
        look(node)


def at_rest(node: Node) -> bool:
    state = node.phone.state
    return state.mode is Mode.IDLE and not state.calls
