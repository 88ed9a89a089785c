"""Talking: an answered call is in front, perhaps on hold, perhaps with every path closed."""

from firmware.phone import actions
from firmware.phone.features import dtmf, hold, hook, incoming
from firmware.phone.turn import Alarms, Rows, Turn
from hal.events import HookFlash, HookLifted, HookReplaced


def _answer(turn: Turn, _event: actions.Answer) -> None:
    if turn.state.ringing:
        incoming.answer(turn, None)
    elif turn.state.path is None:
        hold.resume(turn, None)


ROWS: Rows = {
    HookLifted: lambda turn, _event: hook.lifted_in_call(turn),
    HookReplaced: hook.replaced_in_call,
    HookFlash: lambda turn, _event: hook.flashed(turn),
    actions.SelectPath: hook.select_in_call,
    actions.Digit: dtmf.key,
    actions.SendDtmf: lambda turn, event: dtmf.send(turn, event.digits, None),
    actions.Answer: _answer,
    actions.HangUp: lambda turn, _event: hook.hang_up_front(turn),
    actions.Hold: lambda turn, _event: hold.hold(turn, None),
    actions.Resume: lambda turn, _event: hold.resume(turn, None),
    actions.Dismiss: lambda turn, _event: turn.unsay(),
}
ALARMS: Alarms = {}
