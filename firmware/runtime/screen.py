"""Paints the view on the board's display, at most twenty-five times a second, only if it changed.

The drawing library costs more to load than the rest of the phone, so `load_drawing` imports it in
a thread once the phone can be called, and a `Screen` is made after that.
"""

import asyncio
import datetime as dt
import logging
import zoneinfo
from collections.abc import Callable

from firmware.base.phrase import phrase
from firmware.phone.view import PhoneView
from firmware.ui.text import Texts
from hal.ports import DisplayPort, Picture

_LOG = logging.getLogger(__name__)

FASTEST = 0.04


def load_drawing() -> None:
    """Import what draws: a tenth of a second that the loop does not have."""
    from firmware.ui import canvas, render, scene  # noqa: F401, PLC0415 - see above


class Screen:
    """One display; `shown` hears of every new picture."""

    def __init__(
        self,
        display: DisplayPort,
        zone: str,
        texts: Texts,
        view: Callable[[], PhoneView],
        shown: Callable[[Picture], None],
    ) -> None:
        from firmware.ui import canvas, render, scene  # noqa: PLC0415 - see the module's docstring

        self._canvas = canvas
        self._render = render
        self._clock = scene.Clock
        self._texts = texts
        self._display = display
        self._zone = _zone(zone)
        self._view = view
        self._shown = shown
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._painted_at = float("-inf")
        self.picture: Picture | None = None

    def changed(self) -> None:
        """The view is different from what is painted: paint soon."""
        self._arm(max(self._loop.time(), self._painted_at + FASTEST))

    def use(self, zone: str, texts: Texts) -> None:
        """Another clock, another language."""
        self._zone, self._texts = _zone(zone), texts
        self.changed()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._display.size

    def png(self) -> bytes:
        """The picture as a PNG file, `b""` before the first one."""
        if self.picture is None:
            return b""
        return self._canvas.png_of(self._canvas.image_of(self.picture))

    def text(self) -> str:
        """The picture as rows of `#` and `.`."""
        if self.picture is None:
            return ""
        return self._canvas.art_of(self._canvas.image_of(self.picture))

    def close(self) -> None:
        """Paint no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._paint)

    def _paint(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._painted_at = now
        view = self._view()
        wall = dt.datetime.now(self._zone)  # noqa: TID251 - the edge where time enters
        clock = self._clock(now, wall)
        image = self._render.render(view, clock, self._display.size, self._texts)
        picture = self._canvas.picture_of(image)
        if picture != self.picture:
            self.picture = picture
            self._display.show(picture)
            self._shown(picture)
        again = self._render.redraw_at(view, clock)
        if again is not None:
            self._arm(max(again, now + FASTEST))


def _zone(name: str) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        _LOG.warning(phrase("log.zone", zone=name))
        return dt.UTC
