"""Audio test: `*#600` plays a tone, then the person's own voice, until somebody hangs up."""

from firmware.phone import actions
from firmware.phone.desk import paths
from firmware.phone.features import audio_test, dialling, endings, hook, incoming
from firmware.phone.model import Timer
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _lifted(turn: Turn, _event: HookLifted) -> None:
    paths.lift(turn)


def _replaced(turn: Turn, _event: HookReplaced) -> None:
    hook.replaced_without_call(turn)


def _flashed(turn: Turn, _event: HookFlash) -> None:
    paths.lift(turn)
    endings.off_hook(turn)


def _digit(turn: Turn, event: actions.Digit) -> None:
    audio_test.leave(turn)
    dialling.add(turn, event)


def _answer(turn: Turn, _event: actions.Answer) -> None:
    if turn.state.ringing:
        audio_test.leave(turn)
        incoming.answer(turn, None)


def _redial(turn: Turn, _event: actions.Redial) -> None:
    dialling.redial(turn)


ROWS: Rows = {
    HookLifted: _lifted,
    HookReplaced: _replaced,
    HookFlash: _flashed,
    actions.SelectPath: hook.switch_or_close,
    actions.Digit: _digit,
    actions.Redial: _redial,
    actions.Answer: _answer,
    actions.HangUp: lambda turn, _event: hook.close(turn),
    actions.Dismiss: lambda turn, _event: hook.close(turn),
}
ALARMS: Alarms = {Timer.AUDIO_TEST: audio_test.next_stage}
