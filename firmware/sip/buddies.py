"""People whose presence is watched, by name, as a list on a screen wants them.

`UserAgent.buddies` is a `Buddies`: `watch(line, who, now)`, `forget(line, who, now)`, or the whole
list of a line by `set`. A thin layer over `UserAgent.subscriptions`: what they do comes as
`PresenceChanged`.
"""

from collections.abc import Iterable
from typing import Final

from firmware.sip.core import Core
from firmware.sip.errors import LocalError
from firmware.sip.event.package import Document
from firmware.sip.line import Line
from firmware.sip.names import LineName, SubscriptionRef
from firmware.sip.notifications import (
    EventReceived,
    Notification,
    SubscriptionChanged,
    SubscriptionProgress,
)
from firmware.sip.told import PresenceChanged
from firmware.sip.usage.subscription import Subscriptions

MOST: Final = 128
_PACKAGE: Final = "presence"
_UNKNOWN: Final = (SubscriptionProgress.WAITING, SubscriptionProgress.ENDED)


class Buddies:
    """All of them, of all lines."""

    def __init__(self, core: Core, subscriptions: Subscriptions) -> None:
        self._core = core
        self._subscriptions = subscriptions
        self._watched: dict[SubscriptionRef, PresenceChanged] = {}
        core.listen(self._hear, EventReceived, SubscriptionChanged)

    def __len__(self) -> int:
        return len(self._watched)

    def __bool__(self) -> bool:
        return True  # also while nobody is watched

    def watch(self, line: LineName, who: str, now: float) -> None:
        """Watch a number, user part or URI; nothing if it is watched already.

        Raises:
            LocalError: no such line, there are too many, or `who` cannot be addressed.
        """
        ref = _ref(line, who)
        if ref in self._watched:
            return
        if len(self._watched) >= MOST:
            raise LocalError(f"no more than {MOST} people can be watched")
        # First, for the answer may be told before `subscribe` returns.
        self._watched[ref] = PresenceChanged(line, who)
        try:
            self._subscriptions.subscribe(ref, line, _PACKAGE, now, target=who)
        except LocalError:
            del self._watched[ref]
            raise

    def forget(self, line: LineName, who: str, now: float) -> None:
        """Watch somebody no longer; nothing if nobody did."""
        ref = _ref(line, who)
        if self._watched.pop(ref, None) is not None:
            self._subscriptions.unsubscribe(ref, now)

    def set(self, line: LineName, people: Iterable[str], now: float) -> None:
        """Watch exactly these for a line.

        Raises:
            LocalError: as `watch`; those before it are watched.
        """
        wanted = dict.fromkeys(people)
        for each in [news for news in self._watched.values() if news.line == line]:
            if each.who not in wanted:
                self.forget(line, each.who, now)
        for who in wanted:
            self.watch(line, who, now)

    def line_retired(self, line: Line) -> None:
        """A line is no more: its subscriptions have ended."""
        for ref in [ref for ref, news in self._watched.items() if news.line == line.name]:
            del self._watched[ref]

    def _hear(self, notification: Notification) -> None:
        match notification:
            case EventReceived(ref=ref, document=document) if ref in self._watched:
                self._told(ref, document)
            case SubscriptionChanged(ref=ref, progress=progress) if progress in _UNKNOWN:
                known = self._watched.get(ref)
                if known is not None:
                    self._tell(ref, PresenceChanged(known.line, known.who))
            case _:
                pass

    def _told(self, ref: SubscriptionRef, document: Document) -> None:
        from firmware.sip.event.presence import Presence  # noqa: PLC0415 - it has been read already

        if isinstance(document, Presence):
            was = self._watched[ref]
            news = (document.available, document.activities, document.note)
            self._tell(ref, PresenceChanged(was.line, was.who, *news))

    def _tell(self, ref: SubscriptionRef, news: PresenceChanged) -> None:
        if self._watched[ref] != news:
            self._watched[ref] = news
            self._core.notify(news)


def _ref(line: LineName, who: str) -> SubscriptionRef:
    return SubscriptionRef(f"buddy/{line}/{who}")
