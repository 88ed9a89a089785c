"""Control verbs as inputs of the phone: what a person at the API means by them.

A verb that cannot work now is refused with the reason, rather than swallowed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from firmware.base.phrase import Phrase, phrase
from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.phone import actions as a
from firmware.phone.events import Event
from firmware.phone.machine import Phone
from firmware.phone.view import Mode, PhoneView
from firmware.sip.facts import Activity
from firmware.sip.notifications import CallRef, LineName
from hal.events import HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.ports import PanelPort

Inputs = tuple[Event, ...]


def inputs_of(request: s.AnyRequest, phone: Phone, now: float) -> Inputs:
    """What goes into the phone for this request.

    Raises:
        RefusedError: it makes no sense now, or the phone would refuse it.
    """
    return _judged(_INPUTS[type(request)](request, phone.view(), now), phone)


def transfer_inputs(request: s.Transfer, phone: Phone) -> Inputs:
    """What goes into the phone for a transfer; its end is told later.

    Raises:
        RefusedError: it makes no sense now, or the phone would refuse it.
    """
    return _judged(_transfer(request, phone.view()), phone)


def message_inputs(request: s.Message | s.Tell, phone: Phone) -> Inputs:
    """What goes into the phone for a text; what becomes of it is told later.

    Raises:
        RefusedError: it makes no sense now, or the phone would refuse it.
    """
    if isinstance(request, s.Tell):
        call = _call(request.call, phone.view())
        return _judged((a.SendText("", request.text, call=call),), phone)
    line = LineName(request.line) if request.line else None
    return _judged((a.SendText(request.target or " ", request.text, line),), phone)


def record_inputs(request: s.Record, phone: Phone) -> Inputs:
    """What goes into the phone to begin or end a recording; the files are told.

    Raises:
        RefusedError: it makes no sense now, or the phone would refuse it.
    """
    return _judged((a.Record(request.on, _call(request.call, phone.view())),), phone)


def _judged(inputs: Inputs, phone: Phone) -> Inputs:
    for event in inputs:
        why = phone.refusal(event)
        if why is not None:
            raise RefusedError(Phrase(why.text, why.args))
    return inputs


def check_done(request: s.AnyRequest, view: PhoneView) -> None:
    """After the inputs: an emergency call asks before it is ended, so it is still up.

    Raises:
        RefusedError: what was asked for has not happened; the reason says what is missing.
    """
    notice = view.notice
    if isinstance(request, s.HangUp) and notice is not None and notice.text == _ASKED:
        raise RefusedError(Phrase(notice.text, notice.args))


_ASKED = "emergency_hang_up_again"


def hands_on(panel: PanelPort, request: s.Key | s.Hook) -> None:
    """Press or lift on a phone without hardware, whose panel then sends what a hand would cause.

    Raises:
        RefusedError: there is no such key.
    """
    match request:
        case s.Hook():
            _HOOK[request.move](panel)
        case s.Key(key=key) if key not in panel.keys:
            raise RefusedError(phrase("refused.no_key", key=key.value))
        case s.Key():
            if request.move is not s.KeyMove.UP:
                panel.press(request.key)
            if request.move is not s.KeyMove.DOWN:
                panel.release(request.key)


_HOOK: Mapping[s.HookMove, Callable[[PanelPort], None]] = {
    s.HookMove.UP: lambda panel: panel.lift(),
    s.HookMove.DOWN: lambda panel: panel.replace(),
    s.HookMove.FLASH: lambda panel: panel.flash(),
}


def _key(request: s.Key, _view: PhoneView, now: float) -> Inputs:
    match request.move:
        case s.KeyMove.DOWN:
            return (KeyDown(request.key, now),)
        case s.KeyMove.UP:
            return (KeyUp(request.key, now),)
        case s.KeyMove.PRESS:
            return KeyDown(request.key, now), KeyUp(request.key, now)


def _hook(request: s.Hook, _view: PhoneView, now: float) -> Inputs:
    match request.move:
        case s.HookMove.UP:
            return (HookLifted(now),)
        case s.HookMove.DOWN:
            return (HookReplaced(now),)
        case s.HookMove.FLASH:
            return (HookFlash(now),)


def _dial(request: s.Dial, _view: PhoneView, _now: float) -> Inputs:
    return (a.Dial(request.target, LineName(request.line) if request.line else None),)


def _writing(request: s.Writing, view: PhoneView, _now: float) -> Inputs:
    line = LineName(request.line) if request.line else None
    return (a.Writing(request.target, request.on, line, _call(request.call, view)),)


def _read(request: s.MessagesRead, _view: PhoneView, _now: float) -> Inputs:
    return (a.TextsRead(request.forget),)


def _answer(request: s.Answer, view: PhoneView, _now: float) -> Inputs:
    return (a.Answer(_call(request.call, view)),)


def _hang_up(request: s.HangUp, view: PhoneView, _now: float) -> Inputs:
    ref = _call(request.call, view)
    busy = view.calls or view.off_hook or view.mode is not Mode.IDLE
    if not busy and view.path is None:
        raise RefusedError(Phrase("refused.no_call"))
    return (a.HangUp(ref),)


def _unwanted(request: s.Unwanted, view: PhoneView, _now: float) -> Inputs:
    return (a.Unwanted(_call(request.call, view)),)


def _pick_up(request: s.PickUp, _view: PhoneView, _now: float) -> Inputs:
    return (a.PickUp(request.target),)


def _presence(request: s.Presence, _view: PhoneView, _now: float) -> Inputs:
    return (a.ShowAs(_SHOWN[request.shown]),)


_SHOWN: Mapping[s.Shown, Activity] = {
    s.Shown.AVAILABLE: Activity.AVAILABLE,
    s.Shown.AWAY: Activity.AWAY,
    s.Shown.BUSY: Activity.DO_NOT_DISTURB,
}


def _hold(request: s.Hold, view: PhoneView, _now: float) -> Inputs:
    return (a.Hold(_call(request.call, view)),)


def _resume(request: s.Resume, view: PhoneView, _now: float) -> Inputs:
    return (a.Resume(_call(request.call, view)),)


def _transfer(request: s.Transfer, view: PhoneView) -> Inputs:
    """To `target`; without one the two calls that are up are connected with each other."""
    call = _call(request.call, view)
    if request.target:
        return (a.Transfer(request.target, call),)
    up = [each.ref for each in view.calls if each.answered_at]
    behind = next((ref for ref in up if ref != view.front), None)
    first = call or view.transferee or behind
    other = next((ref for ref in up if ref != first), None)
    if first is None or other is None:
        raise RefusedError(Phrase("refused.two_calls"))
    return (a.Transfer(call=first, to=other),)


def _conference(request: s.Conference, _view: PhoneView, _now: float) -> Inputs:
    return (a.Join(request.on),)


def _dtmf(request: s.Dtmf, view: PhoneView, _now: float) -> Inputs:
    strange = sorted(set(request.digits.upper()) - set("0123456789*#ABCD"))
    if strange or not request.digits:
        raise RefusedError(phrase("refused.no_digits", digits=f'"{request.digits}"'))
    return (a.SendDtmf(request.digits.upper(), _call(request.call, view)),)


def _mute(request: s.Mute, _view: PhoneView, _now: float) -> Inputs:
    return (a.Mute(request.on),)


def _volume(request: s.Volume, _view: PhoneView, _now: float) -> Inputs:
    if request.level is not None and not 0 <= request.level <= 100:
        raise RefusedError(Phrase("refused.no_volume"))
    return (a.Volume(request.step, request.level, request.path),)


def _path(request: s.Path, _view: PhoneView, _now: float) -> Inputs:
    return (a.SelectPath(request.path),)


_INPUTS: Mapping[type, Callable[[Any, PhoneView, float], Inputs]] = {
    s.Key: _key,
    s.Hook: _hook,
    s.Dial: _dial,
    s.Writing: _writing,
    s.MessagesRead: _read,
    s.Answer: _answer,
    s.HangUp: _hang_up,
    s.Unwanted: _unwanted,
    s.PickUp: _pick_up,
    s.Presence: _presence,
    s.Hold: _hold,
    s.Resume: _resume,
    s.Conference: _conference,
    s.Dtmf: _dtmf,
    s.Mute: _mute,
    s.Volume: _volume,
    s.Path: _path,
}


def _call(name: str | None, view: PhoneView) -> CallRef | None:
    """The call a client named; None stays None: the one in front."""
    if name is None:
        return None
    if name not in {call.ref for call in view.calls}:
        raise RefusedError(phrase("refused.no_such_call", call=name))
    return CallRef(name)
