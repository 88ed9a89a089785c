"""Key to action: what pressing, holding and letting go of a key means at the moment.

The digits, the hook and the labelled keys mean what is printed on them; a soft key means what is
written above it (`softkeys`). Held keys repeat (volume) or mean something else: `*` in a call opens
the volume (2, 8) and the recording (7) on boards without keys for them, the cancel key clears
everything. No clock is read: `next_deadline` says when `fire` wants to be called.
"""

from msgspec import Struct

from firmware.base.deadlines import Deadlines
from firmware.media.messages import PathName
from firmware.phone.actions import (
    Action,
    Answer,
    Backspace,
    CallMailbox,
    DialNow,
    Digit,
    Dismiss,
    HangUp,
    Hold,
    Join,
    Mute,
    Record,
    Redial,
    Resume,
    SelectPath,
    Transfer,
    Volume,
)
from firmware.phone.view import CallState, CallView, Mode, PhoneView
from firmware.ui.softkeys import soft_keys
from hal.events import KeyDown, KeyUp
from hal.keys import Key

LONG_PRESS = 0.6
"""Seconds after which a key counts as held."""
REPEAT_AFTER = 0.5
REPEAT_EVERY = 0.15
VOLUME_STEP = 5
"""Per cent a press."""
VOLUME_MODE = 4.0
"""Seconds for which `2` and `8` change the volume after a held `*`, from the last press on."""

_SOFT = {Key.SOFT_1: 0, Key.SOFT_2: 1, Key.SOFT_3: 2, Key.SOFT_4: 3}
_LINES = {key: number for number, key in enumerate(list(Key)[list(Key).index(Key.LINE_1) :])}
_VOLUME = {Key.VOLUME_UP: VOLUME_STEP, Key.VOLUME_DOWN: -VOLUME_STEP}
_ARROWS = {Key.UP: VOLUME_STEP, Key.DOWN: -VOLUME_STEP}
_VOLUME_DIGITS = {Key.DIGIT_2: VOLUME_STEP, Key.DIGIT_8: -VOLUME_STEP}
_RECORD_DIGIT = Key.DIGIT_7
"""R is one of its letters."""
_PLAIN: dict[Key, Action] = {
    Key.REDIAL: Redial(),
    Key.MESSAGES: CallMailbox(),
    Key.MUTE: Mute(),
    Key.TRANSFER: Transfer(),
    Key.CONFERENCE: Join(),
    Key.RECORD: Record(),
    Key.SPEAKER: SelectPath(PathName.SPEAKER),
    Key.HEADSET: SelectPath(PathName.HEADSET),
}


class _Held(Struct, frozen=True):
    """A deadline: this key has been down for long."""

    key: Key


class _VolumeModeEnds(Struct, frozen=True):
    """A deadline: `2` and `8` are digits again."""


class Navigator:
    """The keys of one phone."""

    __slots__ = ("_deadlines", "_down")

    def __init__(self) -> None:
        self._deadlines: Deadlines[_Held | _VolumeModeEnds] = Deadlines()
        self._down: set[Key] = set()

    def __len__(self) -> int:
        return len(self._down) + len(self._deadlines)

    def handle(self, event: KeyDown | KeyUp, view: PhoneView, now: float) -> list[Action]:
        """What a key edge means while the phone looks like `view`; `now` is monotonic."""
        if isinstance(event, KeyUp):
            return self._released(event.key)
        if event.key in self._down:
            return []
        self._down.add(event.key)
        return self._pressed(event.key, view, now)

    def next_deadline(self) -> float | None:
        """When `fire` should be called; None = not by itself."""
        return self._deadlines.earliest()

    def fire(self, now: float) -> list[Action]:
        """What held keys mean by now."""
        actions: list[Action] = []
        for due in self._deadlines.take_due(now):
            if isinstance(due, _Held):
                actions += self._held(due.key, now)
        return actions

    def _pressed(self, key: Key, view: PhoneView, now: float) -> list[Action]:
        if key in _VOLUME:
            self._deadlines.set(_Held(key), now + REPEAT_AFTER)
            return [Volume(_VOLUME[key])]
        if _VolumeModeEnds() in self._deadlines:
            if key in _VOLUME_DIGITS:
                self._deadlines.set(_VolumeModeEnds(), now + VOLUME_MODE)
                return [Volume(_VOLUME_DIGITS[key])]
            self._deadlines.cancel(_VolumeModeEnds())
            if key is _RECORD_DIGIT:
                return [Record()]
        if key is Key.STAR and view.mode is Mode.TALKING:
            # Whether it is a digit or opens the volume is known when it is let go.
            self._deadlines.set(_Held(key), now + LONG_PRESS)
            return []
        if key is Key.CANCEL and view.mode is Mode.DIALLING:
            self._deadlines.set(_Held(key), now + LONG_PRESS)
        return meaning(key, view)

    def _released(self, key: Key) -> list[Action]:
        self._down.discard(key)
        was_short = _Held(key) in self._deadlines
        self._deadlines.cancel(_Held(key))
        return [Digit("*")] if key is Key.STAR and was_short else []

    def _held(self, key: Key, now: float) -> list[Action]:
        if key in _VOLUME:
            self._deadlines.set(_Held(key), now + REPEAT_EVERY)
            return [Volume(_VOLUME[key])]
        if key is Key.STAR:
            self._deadlines.set(_VolumeModeEnds(), now + VOLUME_MODE)
            return []
        return [HangUp()] if key is Key.CANCEL else []


def meaning(key: Key, view: PhoneView) -> list[Action]:
    """What a short press means, apart from the volume keys and a `*` that may become long."""
    if key.digit is not None:
        return [Digit(key.digit)]
    if key in _PLAIN:
        return [_PLAIN[key]]
    if key in _SOFT:
        soft = soft_keys(view)[_SOFT[key]]
        return [soft.action] if soft else []
    if key in _LINES:
        return _line_key(_LINES[key], view)
    if key in _ARROWS:
        return [Volume(_ARROWS[key])]
    return _function_key(key, view)


def _function_key(key: Key, view: PhoneView) -> list[Action]:
    match key:
        case Key.HOLD:
            return _toggle_hold(view.front_call)
        case Key.OK:
            return _ok(view.mode)
        case Key.CANCEL:
            return _cancel(view.mode)
        case Key.LEFT if view.mode is Mode.DIALLING:
            return [Backspace()]
        case _:
            # Keys of features that this phone does not have do nothing.
            return []


def _toggle_hold(call: CallView | None) -> list[Action]:
    if call is None or call.state is not CallState.TALKING:
        return []
    return [Resume(call.ref) if call.held else Hold(call.ref)]


def _ok(mode: Mode) -> list[Action]:
    match mode:
        case Mode.RINGING:
            return [Answer()]
        case Mode.DIALLING:
            return [DialNow()]
        case Mode.IDLE | Mode.RELEASED:
            return [Dismiss()]
        case _:
            return []


def _cancel(mode: Mode) -> list[Action]:
    match mode:
        case Mode.DIALLING:
            return [Backspace()]
        case Mode.IDLE | Mode.RELEASED:
            return [Dismiss()]
        case _:
            return [HangUp()]


def _line_key(number: int, view: PhoneView) -> list[Action]:
    """A line's key answers what rings on it and takes up what is on hold."""
    if number >= len(view.lines):
        return []
    calls = [call for call in view.calls if call.line == view.lines[number].name]
    for call in calls:
        if call.state is CallState.RINGING_HERE:
            return [Answer(call.ref)]
    return next(([Resume(call.ref)] for call in calls if call.held), [])
