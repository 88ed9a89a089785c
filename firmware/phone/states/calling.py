"""Calling: our call is on its way and in front; not answered yet."""

from firmware.phone import actions
from firmware.phone.features import dtmf, hook, incoming
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _flashed(turn: Turn, _event: HookFlash) -> None:
    hook.lifted_in_call(turn)


ROWS: Rows = {
    HookLifted: lambda turn, _event: hook.lifted_in_call(turn),
    HookReplaced: hook.replaced_in_call,
    HookFlash: _flashed,
    actions.SelectPath: hook.select_in_call,
    # Announcements before the answer may ask for a digit.
    actions.Digit: dtmf.key,
    actions.SendDtmf: lambda turn, event: dtmf.send(turn, event.digits, None),
    actions.Answer: lambda turn, _event: incoming.answer(turn, None),
    actions.HangUp: lambda turn, _event: hook.hang_up_front(turn),
    actions.Dismiss: lambda turn, _event: turn.unsay(),
}
ALARMS: Alarms = {}
