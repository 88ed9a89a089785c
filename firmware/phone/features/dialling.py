"""Digits before a call: collecting them, taking them back, knowing when the number is complete."""

from firmware.base.values import replace
from firmware.phone.actions import Digit
from firmware.phone.desk import tones
from firmware.phone.dialplan import INTER_DIGIT, Verdict
from firmware.phone.features import audio_test, endings, outgoing
from firmware.phone.model import Progress, Timer
from firmware.phone.turn import Turn
from firmware.phone.view import Mode

LONGEST = 64
"""More digits than any number has (E.164 allows 15, codes and extensions add some)."""
FORGET_ON_HOOK = 20.0
"""Seconds until digits typed with everything closed are forgotten."""


def add(turn: Turn, event: Digit) -> None:
    """One more digit; an emergency number goes out with its last one."""
    if len(event.digit) != 1 or event.digit not in "0123456789*#ABCDabcd+":
        return
    digits = (turn.state.digits + event.digit)[:LONGEST]
    _collect(turn, digits)
    tones.key(turn, event.digit)
    match turn.rules.plan.judge(digits):
        case Verdict.EMERGENCY | Verdict.DIAL:
            outgoing.dial(turn, digits.rstrip("#"))
        case Verdict.AUDIO_TEST:
            audio_test.start(turn)
        case Verdict.MORE:
            pass


def _collect(turn: Turn, digits: str) -> None:
    turn.unsay()
    turn.enter(Mode.DIALLING)
    turn.state = replace(turn.state, digits=digits, progress=Progress.NONE)
    _restart_clock(turn)


def _restart_clock(turn: Turn) -> None:
    on_hook = turn.state.path is None
    turn.set_timer(Timer.INTER_DIGIT, FORGET_ON_HOOK if on_hook else INTER_DIGIT)


def listen_for_emergency(turn: Turn, event: Digit) -> None:
    """Digits while the phone rings are heeded only if they make an emergency number."""
    digits = (turn.state.digits + event.digit)[-LONGEST:]
    turn.state = replace(turn.state, digits=digits)
    # Nothing else can be dialled here, so there is no longer number to wait for.
    numbers = [n for n in turn.rules.plan.emergency.numbers if digits.endswith(n)]
    if numbers:
        outgoing.dial(turn, max(numbers, key=len))


def backspace(turn: Turn) -> None:
    """Take the last digit back; without digits there is dial tone again."""
    digits = turn.state.digits[:-1]
    turn.state = replace(turn.state, digits=digits)
    if digits:
        _restart_clock(turn)
    elif turn.state.consultation is not None:
        endings.off_hook(turn)
    else:
        endings.rest(turn)


def dial_now(turn: Turn) -> None:
    """The number is complete."""
    if turn.state.digits:
        outgoing.dial(turn, turn.state.digits)


def inter_digit(turn: Turn) -> None:
    """No digit came for a while: with a path open the number is complete, else it is forgotten."""
    if turn.state.path is None:
        endings.idle(turn)
    else:
        dial_now(turn)


def redial(turn: Turn) -> None:
    """The last number again."""
    if turn.state.last_dialled:
        outgoing.dial(turn, turn.state.last_dialled)
