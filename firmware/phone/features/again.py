"""A far end that said when to try again (RFC 3261 §20.33) is offered for redial when it is time.

Nothing is dialled by itself: the phone says so while nobody uses it, and Redial calls.
"""

from firmware.base.values import replace
from firmware.phone.model import Call, Ending, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import Mode

LONGEST = 3600
"""Who wants to be called tomorrow is not kept in mind."""
SHOWN = 60.0


def note(turn: Turn, call: Call, ending: Ending) -> None:
    """A call of ours failed; keep in mind when it is worth another try."""
    asked = 0 < ending.retry_after <= LONGEST
    if asked and call.placing and not call.emergency:
        turn.state = replace(turn.state, again=call.who)
        turn.set_timer(Timer.CALL_AGAIN, ending.retry_after)


def forget(turn: Turn) -> None:
    """Something else is dialled."""
    if turn.state.again:
        turn.state = replace(turn.state, again="")
        turn.cancel(Timer.CALL_AGAIN)


def due(turn: Turn) -> None:
    """It is time."""
    who = turn.state.again
    turn.state = replace(turn.state, again="")
    if who and turn.state.mode is Mode.IDLE and turn.state.notice is None:
        turn.say(notice("call_worth_trying", who=who, number=turn.state.last_dialled), SHOWN)
