"""Is the loop alive, is the sound alive: a lag alarm for people, a heartbeat for systemd.

Neither needs a timer. The lag is measured in every turn of the loop (`turns`); the heartbeat is the
audio process's own `EngineAlive`, passed on to systemd by the loop that received it. So the
watchdog is fed only while both live (F42): a phone whose screen moves but whose ear is dead is not
alive.
"""

import logging
from collections.abc import Callable

from firmware.base.phrase import phrase
from firmware.runtime.watched_selector import WatchedSelector

_LOG = logging.getLogger(__name__)

LAG_ALARM = 0.1
FEED_EVERY = 2.0
"""Seconds between two feedings at least; the audio process reports every five when it rests."""
_ALARM_EVERY = 10.0


class Pulse:
    """Watches the loop's turns; `feed` is called when loop and audio have both shown life.

    Without `turns` (somebody else's loop) the lag is not measured.
    """

    def __init__(
        self, turns: WatchedSelector | None, feed: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._turns = turns
        self._feed = feed
        self._clock = clock
        self._fed = self._alarmed = float("-inf")
        self.worst_lag = 0.0
        self.alarms = 0

    def start(self) -> None:
        """Begin to watch; what the start itself took is nobody's alarm."""
        self._watch(self._begin)

    def stop(self) -> None:
        """Watch no more."""
        self._watch(_ignore)

    def audio_lives(self) -> None:
        """The loop has just received a sign of life of the audio process."""
        now = self._clock()
        if now - self._fed >= FEED_EVERY:
            self._fed = now
            self._feed()

    def _watch(self, watcher: Callable[[float], None]) -> None:
        if self._turns is not None:
            self._turns.watcher = watcher

    def _begin(self, _lag: float) -> None:
        self._watch(self._turned)

    def _turned(self, lag: float) -> None:
        self.worst_lag = max(self.worst_lag, lag)
        if lag > LAG_ALARM:
            self.alarms += 1
            now = self._clock()
            if now - self._alarmed >= _ALARM_EVERY:
                self._alarmed = now
                _LOG.warning(phrase("log.blocked", ms=round(lag * 1000)))


def _ignore(_lag: float) -> None:
    """Nobody asks."""
