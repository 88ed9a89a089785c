"""Paints the view on the board's display, at most twenty-five times a second, only if it changed.

The drawing library costs more to load than the rest of the phone, so it is imported when the
screen starts, after the first REGISTER has left.
"""

import asyncio
import datetime
import logging
import zoneinfo
from collections.abc import Callable

from firmware.phone.view import PhoneView
from hal.ports import DisplayPort, Picture

_LOG = logging.getLogger(__name__)

FASTEST = 0.04


class Screen:
    """One display; `shown` hears of every new picture."""

    def __init__(
        self,
        display: DisplayPort,
        zone: str,
        language: str,
        view: Callable[[], PhoneView],
        shown: Callable[[Picture], None],
    ) -> None:
        from firmware.ui import render  # noqa: PLC0415 - see the module's docstring
        from firmware.ui.text import Texts  # noqa: PLC0415

        self._render = render
        self._texts = Texts.load(language)
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
        wall = datetime.datetime.now(self._zone)
        clock = self._render.Clock(now, wall)
        picture = self._render.picture(view, clock, self._display.size, self._texts)
        if picture != self.picture:
            self.picture = picture
            self._display.show(picture)
            self._shown(picture)
        again = self._render.redraw_at(view, clock)
        if again is not None:
            self._arm(max(again, now + FASTEST))


def _zone(name: str) -> datetime.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        _LOG.warning("the time zone %s is not known here; UTC is used", name)
        return datetime.UTC
