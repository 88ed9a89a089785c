"""Texts that people sent, and who of those we watch can be reached: plain values of the state."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from firmware.sip.facts import Activity
from firmware.sip.names import MessageRef
from firmware.sip.notifications import LineName, Party, PresenceChanged

MOST_TEXTS: Final = 50


class TextMessage(Struct, frozen=True):
    """One text; `at` is monotonic seconds, `number` tells it from all others of this run.

    `key` tells it from all others ever, also those of earlier runs.
    """

    number: int
    at: float
    line: LineName
    sender: Party
    text: str
    unread: bool = True
    key: str = ""


class Sending(Struct, frozen=True):
    """A text of ours that has no answer yet; `who` is what the person typed."""

    ref: MessageRef
    who: str


class Social(Struct, frozen=True):
    """All of it; texts stand in the order they came, no more than `MOST_TEXTS`."""

    texts: tuple[TextMessage, ...] = ()
    sending: tuple[Sending, ...] = ()
    writing: tuple[Party, ...] = ()
    """Who is writing to us now."""
    shown_as: Activity = Activity.AVAILABLE
    """What the person wants to be shown as; the phone adds what it does."""
    buddies: Mapping[tuple[LineName, str], PresenceChanged] = field(default_factory=dict)

    @property
    def unread(self) -> tuple[TextMessage, ...]:
        """Those that nobody has looked at."""
        return tuple(text for text in self.texts if text.unread)
