"""Ringing: a call waits to be answered and nobody is talking."""

from firmware.phone import actions
from firmware.phone.desk import paths
from firmware.phone.features import dialling, endings, hold, hook, incoming
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _lifted(turn: Turn, _event: HookLifted) -> None:
    paths.lift(turn)
    incoming.answer(turn, None)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    hook.replaced_without_call(turn)


def _select(turn: Turn, event: actions.SelectPath) -> None:
    if paths.usable(turn.state, event.path):
        incoming.answer(turn, None, event.path)


def _hang_up(turn: Turn, _event: actions.HangUp) -> None:
    call = turn.state.front_call
    if call is not None:
        endings.hang_up(turn, call)


def _resume(turn: Turn, event: actions.Resume) -> None:
    hold.resume(turn, event.call)


ROWS: Rows = {
    HookLifted: _lifted,
    HookReplaced: _replaced,
    HookFlash: _lifted,
    actions.SelectPath: _select,
    actions.Digit: dialling.listen_for_emergency,
    actions.Answer: lambda turn, _event: incoming.answer(turn, None),
    actions.HangUp: _hang_up,
    actions.Resume: _resume,
    actions.Dismiss: _hang_up,
}
ALARMS: Alarms = {}
