"""Telling somebody that a text to them is being written (RFC 3994 §3.2).

    idle ──a key──▶ active: said ──a key within 15 s──▶ active ──60 s──▶ said again
      ▲                              └── none ──▶ idle: said            │
      └───────────────── the text is sent: nothing need be said ────────┘

One `Composer` for each destination to which somebody writes. Whoever answers that they do not take
such messages is sent none any more.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.core import Alarm, Core
from firmware.sip.event.composing import MEDIA_TYPE, SHORTEST, Composing, write_composing
from firmware.sip.letters import Delivery, Letter, Letters, Way
from firmware.sip.line import Line

IDLE_AFTER: Final = 15.0
"""Seconds without a key (RFC 3994 §3.2)."""
_BETWEEN: Final = 5.0
"""The least seconds between two active messages, however often somebody stops and goes on."""
_MOST: Final = 32
_MOST_DEAF: Final = 64
_UNABLE: Final = frozenset({405, 415, 489, 501, 606})


Over = Callable[[], object]
"""Nobody has written for a while."""


class Composer:
    """We write to one destination."""

    def __init__(self, core: Core, say: Callable[[Composing, float], None], over: Over) -> None:
        self.active = False
        self._core = core
        self._say = say
        self._over = over
        self._said_at = float("-inf")

    def key_pressed(self, now: float) -> None:
        """Somebody goes on writing."""
        core = self._core
        core.arm(self, Alarm.EXPIRY, now + IDLE_AFTER)
        if not self.active and now - self._said_at >= _BETWEEN:
            self.active = True
            self._say_active(now)

    def stop(self, now: float, *, say: bool) -> None:
        """Nobody writes any more; where a text follows nothing is said."""
        self._core.disarm(self, Alarm.REFRESH)
        if self.active and say:
            self._say(Composing(active=False), now)
        self.active = False

    def close(self) -> None:
        """Forget it."""
        self._core.disarm(self, Alarm.REFRESH, Alarm.EXPIRY)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH and self.active:
            self._say_active(now)
        elif alarm is Alarm.EXPIRY:
            self.stop(now, say=True)
            self._over()

    def _say_active(self, now: float) -> None:
        self._said_at = now
        self._say(Composing(active=True, refresh=float(SHORTEST)), now)
        self._core.arm(self, Alarm.REFRESH, now + SHORTEST)


class Composers:
    """All of them; `len` counts those to whom somebody writes now."""

    def __init__(self, core: Core, letters: Letters) -> None:
        self._core = core
        self._letters = letters
        self._composers: dict[tuple[str, ...], Composer] = {}
        # Who does not take such messages (RFC 3994 §4), the latest last.
        self._deaf: dict[tuple[str, ...], None] = {}

    def __len__(self) -> int:
        return len(self._composers)

    def write(self, way: Way, now: float, *, active: bool) -> None:
        """A key was pressed, or (not `active`) what was written has been deleted."""
        key = way.key
        composer = self._composers.get(key)
        if not active:
            if composer is not None:
                composer.stop(now, say=True)
            return
        if key in self._deaf or (composer is None and len(self._composers) >= _MOST):
            return
        if composer is None:
            composer = self._composers[key] = Composer(
                self._core,
                lambda composing, now: self._say(way, composing, now),
                lambda: self._composers.pop(key, None),
            )
        composer.key_pressed(now)

    def sent(self, way: Way, now: float) -> None:
        """The text itself goes out: it says as much as `idle` would."""
        composer = self._composers.pop(way.key, None)
        if composer is not None:
            composer.stop(now, say=False)
            composer.close()

    def line_retired(self, line: Line) -> None:
        """A line is no more, and nobody writes on it."""
        for key in [key for key in self._composers if key[0] == line.name]:
            self._composers.pop(key).close()

    def _say(self, way: Way, composing: Composing, now: float) -> None:
        def delivered(delivery: Delivery, now: float) -> None:
            del now
            if delivery.status in _UNABLE:
                self._silence(way.key)

        letter = Letter(MEDIA_TYPE, write_composing(composing), delivered, passing=True)
        self._letters.post(way, letter, now)

    def _silence(self, key: tuple[str, ...]) -> None:
        self._deaf[key] = None
        while len(self._deaf) > _MOST_DEAF:
            self._deaf.pop(next(iter(self._deaf)))
        composer = self._composers.pop(key, None)
        if composer is not None:
            composer.close()
