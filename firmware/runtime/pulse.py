"""Is the loop alive, is the sound alive: a lag alarm for people, a heartbeat for systemd.

The loop proves itself by running a timer on time; the audio process by its `EngineAlive` reports.
The watchdog is fed only when both have done so (F42): a phone whose screen moves but whose ear is
dead is not alive.
"""

import asyncio
import logging
from collections.abc import Callable

from firmware.base.phrase import phrase

_LOG = logging.getLogger(__name__)

LAG_ALARM = 0.1
AUDIO_SILENCE = 12.0
"""Seconds without a sign of the audio process after which the watchdog is no longer fed."""
_FEED_EVERY = 2.0
_BEAT = 0.05
"""Half the alarm: whatever blocks the loop for longer than both together cannot hide between."""
_ALARM_EVERY = 10.0


class Pulse:
    """Beats twenty times a second; every two `feed` is called, if loop and audio both live."""

    def __init__(self, feed: Callable[[], None]) -> None:
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._heard_audio = self._loop.time()
        self._due = 0.0
        self._feed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._alarmed = -_ALARM_EVERY
        self.worst_lag = 0.0
        self.alarms = 0

    def start(self) -> None:
        """Begin to beat."""
        self._beat_later()

    def stop(self) -> None:
        """Stop beating."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def audio_lives(self) -> None:
        """The audio process has just given a sign of life."""
        self._heard_audio = self._loop.time()

    @property
    def audio_alive(self) -> bool:
        """Whether the audio process was heard lately."""
        return self._loop.time() - self._heard_audio < AUDIO_SILENCE

    def _beat_later(self) -> None:
        self._due = self._loop.time() + _BEAT
        self._timer = self._loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        now = self._loop.time()
        lag = now - self._due
        self.worst_lag = max(self.worst_lag, lag)
        if lag > LAG_ALARM:
            self.alarms += 1
            if now - self._alarmed >= _ALARM_EVERY:
                self._alarmed = now
                _LOG.warning(phrase("log.blocked", ms=round(lag * 1000)))
        self._beat_later()
        if now >= self._feed_at and self.audio_alive:
            self._feed_at = now + _FEED_EVERY
            self._feed()
