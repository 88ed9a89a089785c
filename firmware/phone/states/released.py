"""Released: the far end has gone or the call failed; tone and reason until the path closes."""

from firmware.base.values import replace
from firmware.phone import actions
from firmware.phone.desk import paths
from firmware.phone.features import dialling, endings, hook, incoming
from firmware.phone.model import Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Alarms, Rows, Turn
from firmware.phone.view import Mode
from hal.events import HookFlash, HookLifted, HookReplaced

HOWLER_SECONDS = 60.0


def _lifted(turn: Turn, _event: HookLifted) -> None:
    paths.lift(turn)
    endings.off_hook(turn)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    hook.replaced_without_call(turn)


def _over(turn: Turn) -> None:
    if turn.state.consultation is not None:
        hook.close(turn)
        return
    if not turn.state.hook_up:
        endings.idle(turn)
        return
    if turn.state.path is not paths.of_handset(turn.state):
        hook.close(turn)
        return
    turn.enter(Mode.HOWLER)
    turn.say(notice("handset_off_hook"))
    turn.set_timer(Timer.HOWLER, HOWLER_SECONDS)
    turn.state = replace(turn.state, progress=Progress.HOWLER)


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
ALARMS: Alarms = {Timer.RELEASED: _over}
