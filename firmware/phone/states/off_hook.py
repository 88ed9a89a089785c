"""Off hook: a path is open and nothing dialled. Dial tone, or congestion tone and the reason."""

from firmware.base.values import replace
from firmware.phone import actions
from firmware.phone.desk import lines, paths
from firmware.phone.features import dialling, endings, hook, incoming, transfer
from firmware.phone.model import Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _lifted(turn: Turn, _event: HookLifted) -> None:
    paths.lift(turn)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    hook.replaced_without_call(turn)


def _flashed(turn: Turn, _event: HookFlash) -> None:
    paths.lift(turn)
    if turn.state.ringing:
        incoming.answer(turn, None)


def _nothing_dialled(turn: Turn) -> None:
    if turn.state.consultation is not None:
        transfer.back(turn)
        turn.say(notice("nothing_dialled"), 5.0)
        return
    endings.fail(turn, Progress.CONGESTION)
    turn.say(notice("nothing_dialled"))


def _no_line(turn: Turn) -> None:
    turn.state = replace(turn.state, progress=Progress.CONGESTION)
    turn.say(lines.why_none(turn.state))
    turn.set_timer(Timer.FIRST_DIGIT, endings.RELEASED_IN_HAND)


ROWS: Rows = {
    HookLifted: _lifted,
    HookReplaced: _replaced,
    HookFlash: _flashed,
    actions.SelectPath: hook.switch_or_close,
    actions.Digit: dialling.add,
    actions.Redial: lambda turn, _event: dialling.redial(turn),
    actions.Answer: lambda turn, _event: incoming.answer(turn, None),
    actions.HangUp: lambda turn, _event: hook.close(turn),
    actions.Dismiss: lambda turn, _event: hook.close(turn),
}
ALARMS: Alarms = {Timer.FIRST_DIGIT: _nothing_dialled, Timer.NO_LINE: _no_line}
