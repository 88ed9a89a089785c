"""Paints the view on the board's display, at most twenty-five times a second, only if it changed.

Letters and screens take a while to load: a `Screen` imports them in a thread and paints its first
picture after that. Its functions import them again only for their names.
"""

import asyncio
import datetime as dt
import logging
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING

from firmware.base.phrase import phrase
from firmware.phone.view import PhoneView
from firmware.ui.text import Texts
from hal.ports import DisplayPort, LetterPort, Picture

if TYPE_CHECKING:
    from firmware.ui.scene import Clock

_LOG = logging.getLogger(__name__)

FASTEST = 0.04


class Screen:
    """One display, or its `letters`; `shown` hears of every new picture."""

    def __init__(
        self,
        display: DisplayPort,
        zone: str,
        texts: Texts,
        view: Callable[[], PhoneView],
        shown: Callable[[Picture], None],
        letters: LetterPort | None = None,
    ) -> None:
        self._texts = texts
        self._display = display
        self._zone = _zone(zone)
        self._view = view
        self._shown = shown
        self._letters = letters
        self._rows: tuple[str, ...] = ()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._painted_at = float("-inf")
        self.picture: Picture | None = None
        self._loaded = False
        self._loading = self._loop.create_task(self._load())

    async def _load(self) -> None:
        await asyncio.to_thread(_import_drawing, letters=self._letters is not None)
        self._loaded = True
        self.changed()

    def changed(self) -> None:
        """The view is different from what is painted: paint soon."""
        if self._loaded:
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
        from firmware.ui.canvas import image_of, png_of  # noqa: PLC0415 - see above

        return png_of(image_of(self.picture))

    def text(self) -> str:
        """The picture as rows of `#` and `.`."""
        if self.picture is None:
            return ""
        from firmware.ui.canvas import art_of, image_of  # noqa: PLC0415 - see above

        return art_of(image_of(self.picture))

    def close(self) -> None:
        """Paint no more, whatever changes."""
        self._loading.cancel()
        self._loaded = False
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
        from firmware.ui.canvas import picture_of  # noqa: PLC0415 - see above
        from firmware.ui.render import redraw_at, render  # noqa: PLC0415 - see above
        from firmware.ui.scene import Clock  # noqa: PLC0415 - see above

        self._timer = None
        now = self._loop.time()
        self._painted_at = now
        view = self._view()
        wall = dt.datetime.now(self._zone)  # noqa: TID251 - the edge where time enters
        clock = Clock(now, wall)
        image = render(view, clock, self._display.size, self._texts)
        picture = picture_of(image)
        if picture != self.picture:
            self.picture = picture
            self._display.show(picture)
            self._shown(picture)
        if self._letters is not None:
            self._write(self._letters, view, clock)
        again = redraw_at(view, clock)
        if again is not None:
            self._arm(max(again, now + FASTEST))

    def _write(self, port: LetterPort, view: PhoneView, clock: "Clock") -> None:
        from firmware.ui.letters import letters  # noqa: PLC0415 - see above

        rows = letters(view, clock, port.letters, self._texts)
        if rows != self._rows:
            self._rows = rows
            port.write(rows)


def _import_drawing(*, letters: bool) -> None:
    """Time that the loop does not have."""
    import firmware.ui.render  # noqa: PLC0415 - it brings the rest

    if letters:
        import firmware.ui.letters  # noqa: F401, PLC0415 - only for a display that has them


def _zone(name: str) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        _LOG.warning(phrase("log.zone", zone=name))
        return dt.UTC
