"""What the control socket tells without being asked again: events, one topic each.

The connection they travel on is that of `firmware.control.schema.Events`.
"""

import enum

import msgspec

from firmware.control.figures import CallFigures, LogRow, StatusReply, TextFigures


class Topic(enum.Enum):
    """Kinds of events; the value is the `event` field."""

    STATUS = "status"
    SCREEN = "screen"
    LAMPS = "lamps"
    RING = "ring"
    CALL = "call"
    RECORD = "record"
    NOTICE = "notice"
    MESSAGE = "message"
    PAGE = "page"


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    """Root of the events; the tag is the topic's value."""


class StatusEvent(Event, frozen=True, tag="status"):
    """The status changed; durations are those of this moment."""

    at: float
    status: StatusReply


class ScreenEvent(Event, frozen=True, tag="screen"):
    """The picture changed."""

    at: float
    width: int
    height: int
    png: bytes


class LampsEvent(Event, frozen=True, tag="lamps"):
    """Every lamp and its pattern."""

    at: float
    lamps: dict[str, str]


class RingEvent(Event, frozen=True, tag="ring"):
    """The bell: on and off seconds by turns, empty = silent."""

    at: float
    cadence: tuple[float, ...] = ()


class CallEvent(Event, frozen=True, tag="call"):
    """A call's state changed; `reason` tells why it ended."""

    at: float
    call: CallFigures
    reason: str = ""


class RecordEvent(Event, frozen=True, tag="record"):
    """The call list has a new row."""

    at: float
    row: LogRow


class MessageEvent(Event, frozen=True, tag="message"):
    """Somebody sent a text."""

    at: float
    message: TextFigures


class NoticeEvent(Event, frozen=True, tag="notice"):
    """A sentence for people."""

    at: float
    text: str


class PageEvent(Event, frozen=True, tag="page"):
    """Where the page is to be served, and in which language; the page's process follows it."""

    at: float
    enabled: bool = True
    listen: str = "127.0.0.1"
    port: int = 8080
    language: str = "en"

    def differs(self, other: "PageEvent") -> bool:
        """Whether it tells another place or language."""
        return msgspec.structs.replace(self, at=other.at) != other


class GapEvent(Event, frozen=True, tag="gap"):
    """So many events were left out because the client read too slowly."""

    dropped: int


AnyEvent = (
    StatusEvent
    | ScreenEvent
    | LampsEvent
    | RingEvent
    | CallEvent
    | RecordEvent
    | MessageEvent
    | NoticeEvent
    | PageEvent
    | GapEvent
)


def topic_of(event: AnyEvent) -> Topic | None:
    """The topic a client subscribes to; None for a gap, which everybody gets."""
    return None if isinstance(event, GapEvent) else Topic(event.__struct_config__.tag)
