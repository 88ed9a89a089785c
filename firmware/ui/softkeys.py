"""What the four keys below the screen mean at the moment: one label, one action.

The labels are text ids; `widgets.soft_row` writes them, `navigator` presses them.
"""

from msgspec import Struct

from firmware.phone.actions import (
    Action,
    Answer,
    Backspace,
    DialNow,
    Dismiss,
    HangUp,
    Hold,
    Join,
    Mute,
    PickUp,
    Redial,
    Resume,
    Transfer,
)
from firmware.phone.view import Busyness, CallState, CallView, Mode, PhoneView


class SoftKey(Struct, frozen=True):
    """A label (text id) and what pressing it means."""

    label: str
    action: Action


SoftKeys = tuple[SoftKey | None, SoftKey | None, SoftKey | None, SoftKey | None]

_REDIAL = SoftKey("key.redial", Redial())
_PICK_UP = SoftKey("key.pick_up", PickUp())
_HANG_UP = SoftKey("key.hang_up", HangUp())
_CLEAR = SoftKey("key.clear", Dismiss())
_READ = SoftKey("key.read", Dismiss())
_TRANSFER = SoftKey("key.transfer", Transfer())
_JOIN = SoftKey("key.conference", Join(on=True))
_PART = SoftKey("key.split", Join(on=False))
_CANCEL = SoftKey("key.cancel", HangUp())


_FIXED: dict[Mode, SoftKeys] = {
    Mode.OFF_HOOK: (_REDIAL, None, None, _HANG_UP),
    Mode.DIALLING: (
        SoftKey("key.dial", DialNow()),
        SoftKey("key.backspace", Backspace()),
        None,
        SoftKey("key.cancel", HangUp()),
    ),
    Mode.CALLING: (None, None, None, _HANG_UP),
    Mode.RINGING: (
        SoftKey("key.answer", Answer()),
        None,
        None,
        SoftKey("key.reject", HangUp()),
    ),
    Mode.RELEASED: (_REDIAL, None, None, SoftKey("key.close", Dismiss())),
    Mode.HOWLER: (None, None, None, None),
    Mode.AUDIO_TEST: (None, None, None, SoftKey("key.stop", HangUp())),
}


def soft_keys(view: PhoneView) -> SoftKeys:
    """The four soft keys from left to right; None = no meaning now."""
    if view.mode is Mode.IDLE:
        rings = any(each.state is Busyness.RINGING for each in view.watched)
        return (_REDIAL, _PICK_UP if rings else None, None, _clear(view))
    if view.mode is Mode.TALKING:
        return _talking(view)
    if view.transferee is not None and view.mode in _DIALLING_TARGET:
        return _dialling_target(view)
    return _FIXED[view.mode]


def _clear(view: PhoneView) -> SoftKey | None:
    if view.unread:
        return _READ
    return _CLEAR if view.missed or view.notice else None


_DIALLING_TARGET = (Mode.OFF_HOOK, Mode.DIALLING, Mode.CALLING)


def _dialling_target(view: PhoneView) -> SoftKeys:
    """Whom shall the call be sent to?"""
    if view.mode is Mode.DIALLING:
        dial, delete, _, _ = _FIXED[Mode.DIALLING]
        return (dial, delete, _TRANSFER, _CANCEL)
    if view.mode is Mode.CALLING:
        return (None, None, _TRANSFER, _CANCEL)
    others = any(_up(call) and call.ref != view.transferee for call in view.calls)
    return (_REDIAL, None, _TRANSFER if others else None, _CANCEL)


def _up(call: CallView) -> bool:
    return call.state in (CallState.ANSWERING, CallState.TALKING)


def other_call(view: PhoneView) -> CallView | None:
    """The call that waits behind the one in front, if both are answered."""
    if view.front is None:
        return None
    return next((call for call in view.calls if _up(call) and call.ref != view.front), None)


def waiting_call(view: PhoneView) -> CallView | None:
    """A call that rings behind the one in front."""
    return next(
        (
            call
            for call in view.calls
            if call.state is CallState.RINGING_HERE and call.ref != view.front
        ),
        None,
    )


def _talking(view: PhoneView) -> SoftKeys:
    call = view.front_call
    held = call is not None and call.held
    hold: SoftKey | None = SoftKey("key.resume", Resume()) if held else SoftKey("key.hold", Hold())
    if call is not None and call.emergency and not held:
        hold = None  # An emergency call is not put on hold.
    mute = SoftKey("key.unmute" if view.muted else "key.mute", Mute())
    waiting = waiting_call(view)
    if view.transfer is not None and waiting is None:
        return (None, None, None, _HANG_UP)
    if waiting is None:
        transfer = None if call is not None and call.emergency else _TRANSFER
        other = other_call(view)
        if view.conference:
            return (hold, mute, _PART, _HANG_UP)
        if other is None or transfer is None:
            return (hold, mute, transfer, _HANG_UP)
        swap = SoftKey("key.swap", Resume(other.ref))
        return (hold if held else swap, swap if held else _JOIN, transfer, _HANG_UP)
    answer = SoftKey("key.answer", Answer(waiting.ref))
    reject = SoftKey("key.reject", HangUp(waiting.ref))
    return (answer, reject, hold, _HANG_UP)
