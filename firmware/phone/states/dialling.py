"""Dialling: at least one digit, the number not complete. With a path open the clock dials."""

from firmware.phone import actions
from firmware.phone.desk import paths
from firmware.phone.features import dialling, endings, hook, incoming
from firmware.phone.model import Timer
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _lifted(turn: Turn, _event: HookLifted) -> None:
    was_closed = turn.state.path is None
    paths.lift(turn)
    if was_closed:
        # Typed first, lifted then: the person has finished typing.
        dialling.dial_now(turn)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    hook.replaced_without_call(turn)


def _flashed(turn: Turn, _event: HookFlash) -> None:
    paths.lift(turn)
    endings.off_hook(turn)


def _select(turn: Turn, event: actions.SelectPath) -> None:
    if turn.state.path is None and paths.usable(turn.state, event.path):
        turn.take_path(event.path)
        dialling.dial_now(turn)
    else:
        hook.switch_or_close(turn, event)


ROWS: Rows = {
    HookLifted: _lifted,
    HookReplaced: _replaced,
    HookFlash: _flashed,
    actions.SelectPath: _select,
    actions.Digit: dialling.add,
    actions.Backspace: lambda turn, _event: dialling.backspace(turn),
    actions.DialNow: lambda turn, _event: dialling.dial_now(turn),
    actions.Redial: lambda turn, _event: dialling.redial(turn),
    actions.Answer: lambda turn, _event: incoming.answer(turn, None),
    actions.HangUp: lambda turn, _event: hook.close(turn),
    actions.Dismiss: lambda turn, _event: hook.close(turn),
}
ALARMS: Alarms = {Timer.INTER_DIGIT: dialling.inter_digit}
