"""View to picture: which screen a mode has, and when a picture grows old by itself."""

from collections.abc import Callable
from datetime import timedelta

from firmware.phone.view import Mode, PhoneView
from firmware.ui.bitmap import Bitmap
from firmware.ui.canvas import Canvas, picture_of
from firmware.ui.line_words import is_counting
from firmware.ui.scene import Clock, Scene
from firmware.ui.screens import (
    audio_test,
    calling,
    dialling,
    howler,
    idle,
    off_hook,
    released,
    ringing,
    talking,
)
from firmware.ui.text import Texts
from firmware.ui.widgets import volume_bar
from hal.ports import Picture

__all__ = ["SCREENS", "Clock", "picture", "redraw_at", "render"]

SCREENS: dict[Mode, Callable[[Canvas, Scene], None]] = {
    Mode.IDLE: idle.draw,
    Mode.OFF_HOOK: off_hook.draw,
    Mode.DIALLING: dialling.draw,
    Mode.CALLING: calling.draw,
    Mode.RINGING: ringing.draw,
    Mode.TALKING: talking.draw,
    Mode.RELEASED: released.draw,
    Mode.HOWLER: howler.draw,
    Mode.AUDIO_TEST: audio_test.draw,
}


def render(view: PhoneView, clock: Clock, size: tuple[int, int], texts: Texts) -> Bitmap:
    """Draw what the phone's screen shows; `size` is (width, height), the picture 1 bit deep."""
    canvas = Canvas(size)
    scene = Scene(view, clock, texts)
    SCREENS[view.mode](canvas, scene)
    if view.volume_bar is not None:
        volume_bar(canvas, scene, view.volume_bar)
    return canvas.image


def picture(view: PhoneView, clock: Clock, size: tuple[int, int], texts: Texts) -> Picture:
    """The same as `render`, as a display port wants it."""
    return picture_of(render(view, clock, size, texts))


def redraw_at(view: PhoneView, clock: Clock) -> float | None:
    """When the picture of an unchanged view grows old, on the monotonic clock.

    That is the next second of a talk timer or of a line that is tried, or the next minute of the
    day; None if nothing on the screen moves.
    """
    moments: list[float] = []
    call = view.front_call
    if view.mode is Mode.TALKING and call is not None and call.answered_at:
        moments.append(_next_second(clock.now, call.answered_at))
    elif clock.wall is not None:
        moments.append(clock.now + _until_next_minute(clock))
    if view.mode is Mode.IDLE:
        moments.extend(
            _next_second(clock.now, line.until or line.since)
            for line in view.lines
            if is_counting(line)
        )
    return min(moments, default=None)


def _next_second(now: float, start: float) -> float:
    """The first moment after `now` that lies whole seconds from `start`."""
    # A hair's breadth more than now, or rounding would ask for the same moment for ever.
    return start + ((now - start + 1e-6) // 1) + 1


def _until_next_minute(clock: Clock) -> float:
    wall = clock.wall
    assert wall is not None
    seconds = timedelta(seconds=wall.second, microseconds=wall.microsecond).total_seconds()
    return 60.0 - seconds
