"""Idle: nothing open, nothing in front. The handset may be up if the howler has given up."""

from firmware.base.values import replace
from firmware.phone import actions
from firmware.phone.desk import paths
from firmware.phone.features import click, dialling, endings, messages
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _lifted(turn: Turn, _event: HookLifted) -> None:
    paths.lift(turn)
    if not click.go(turn):
        endings.off_hook(turn)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    paths.put_down(turn)


def _flashed(turn: Turn, _event: HookFlash) -> None:
    paths.lift(turn)
    endings.off_hook(turn)


def _select(turn: Turn, event: actions.SelectPath) -> None:
    if paths.usable(turn.state, event.path):
        turn.take_path(event.path)
        if not click.go(turn):
            endings.off_hook(turn)


def _dismiss(turn: Turn, _event: actions.Dismiss) -> None:
    if click.declined(turn) or messages.read(turn):
        return
    turn.unsay()
    turn.state = replace(turn.state, missed=0)


ROWS: Rows = {
    HookLifted: _lifted,
    HookReplaced: _replaced,
    HookFlash: _flashed,
    actions.SelectPath: _select,
    actions.Answer: click.agreed,
    actions.DialNow: click.agreed,
    actions.HangUp: click.refused,
    actions.Digit: dialling.add,
    actions.Redial: lambda turn, _event: dialling.redial(turn),
    actions.Dismiss: _dismiss,
}
ALARMS: Alarms = {}
