"""A conversation of three or more: the calls of one desk together, the person one of them.

    conference key ─▶ the call in front and the others that are up: one conversation
    again          ─▶ apart: the call in front goes on, the others wait on hold
    hold, resume   ─▶ everybody waits, everybody is back (`hold`)
    hang up        ─▶ two others are connected with each other (REFER with Replaces, RFC 5589 §7.3);
                      if one refuses, or there are more of them, all calls end

What is mixed with what follows from the state like every other sound (`outputs`).
"""

from firmware.base.values import replace
from firmware.phone.actions import Join
from firmware.phone.actions import Transfer as Wish
from firmware.phone.features import endings, hold, transfer
from firmware.phone.model import Call, PhoneState
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Notice


def wish(turn: Turn, event: Join) -> None:
    """The conference key."""
    if event.on is False or (event.on is None and turn.state.conference):
        _apart(turn)
    else:
        _together(turn)


def why_not(state: PhoneState, _rules: Rules, event: Join) -> Notice | None:
    """Why nobody can be joined or parted now, None if they can."""
    if event.on is False:
        return None if state.conference else notice("conference_none")
    if state.conference and event.on is None:
        return None
    calls = _joinable(state)
    if any(call.emergency for call in calls):
        return notice("conference_no_emergency")
    if state.transferred is not None:
        busy = state.transferred
        target = busy.transfer.target if busy.transfer is not None else ""
        return notice("transfer_under_way", who=busy.who, number=target)
    return None if len(calls) > 1 else notice("conference_needs_two")


def _joinable(state: PhoneState) -> list[Call]:
    return [call for call in state.calls if call.answered]


def _together(turn: Turn) -> None:
    calls = _joinable(turn.state)
    turn.state = replace(
        turn.state, conference=tuple(call.ref for call in calls), consultation=None, digits=""
    )
    front = turn.state.front_call
    # `hold` takes every member off hold with the one that is brought to the front.
    hold.take_off(turn, front if front is not None and front.answered else calls[0])


def _apart(turn: Turn) -> None:
    members = turn.state.conference
    turn.state = replace(turn.state, conference=())
    for call in turn.state.calls:
        if call.ref in members and call.ref != turn.state.front:
            hold.put_on(turn, call)


def leave(turn: Turn, call: Call) -> bool:
    """The person hangs up in a conversation of several; whether this was one."""
    members = turn.state.together(call)
    if len(members) < 2:
        return False
    turn.state = replace(turn.state, conference=())
    first, second = members[:2]
    others = Wish(call=first.ref, to=second.ref)
    joins = turn.rules.settings.phone.conference_on_leave == "join" and len(members) == 2
    if joins and transfer.why_not(turn.state, turn.rules, others) is None:
        transfer.wish(turn, others)
        transfer.do_not_come_back(turn, first.ref)
    else:
        for member in members:
            endings.hang_up(turn, member)
    return True
