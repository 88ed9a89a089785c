"""Howler: the handset was left off; a loud tone for a minute, then the phone gives up (F38)."""

from firmware.phone import actions
from firmware.phone.desk import paths
from firmware.phone.features import dialling, endings, hook, incoming
from firmware.phone.model import Timer
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _lifted(turn: Turn, _event: HookLifted) -> None:
    paths.lift(turn)
    endings.off_hook(turn)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    hook.replaced_without_call(turn)


ROWS: Rows = {
    HookLifted: _lifted,
    HookReplaced: _replaced,
    HookFlash: _lifted,
    actions.SelectPath: hook.switch_or_close,
    actions.Digit: dialling.add,
    actions.Redial: lambda turn, _event: dialling.redial(turn),
    actions.Answer: lambda turn, _event: incoming.answer(turn, None),
    actions.HangUp: lambda turn, _event: hook.close(turn),
    actions.Dismiss: lambda turn, _event: hook.close(turn),
}
ALARMS: Alarms = {Timer.HOWLER: endings.idle}
