"""What travels over the control socket: one JSON object a line, described as types.

A request is `{"verb": "dial", "id": 7, "target": "600"}`. `id` comes back in the reply, and `role`
lowers what this one request may do. A reply is `{"id": 7, "ok": true, "result": …}` or
`{"id": 7, "ok": false, "error": "…", "kind": "failed"}`. After the verb `events` the connection
also carries events, `{"event": "screen", …}`; they have no `ok`. Bytes are base64, times are
seconds (`at`: since 1970). Secrets are in none of these types.
"""

import enum

import msgspec

from firmware.control.errors import RefusalKind
from firmware.control.events import (
    AnyEvent,
    CallEvent,
    Event,
    GapEvent,
    LampsEvent,
    MessageEvent,
    NoticeEvent,
    PageEvent,
    RecordEvent,
    RingEvent,
    ScreenEvent,
    StatusEvent,
    Topic,
    topic_of,
)
from firmware.control.figures import (
    AudioFigures,
    BuddyFigures,
    CallFigures,
    CallsReply,
    LadderReply,
    LineFigures,
    LogRow,
    MessagesReply,
    RecordReply,
    ReloadReply,
    RtpFigures,
    ScreenReply,
    StatsReply,
    StatusReply,
    TextFigures,
    WatchFigures,
)
from firmware.media.messages import PathName
from hal.keys import Key as KeyCap

# To be had here as well, beside all that follows.
__all__ = [
    "AnyEvent",
    "AudioFigures",
    "BuddyFigures",
    "CallEvent",
    "CallFigures",
    "CallsReply",
    "Event",
    "GapEvent",
    "LadderReply",
    "LampsEvent",
    "LineFigures",
    "LogRow",
    "MessageEvent",
    "MessagesReply",
    "NoticeEvent",
    "PageEvent",
    "RecordEvent",
    "RecordReply",
    "ReloadReply",
    "RingEvent",
    "RtpFigures",
    "ScreenEvent",
    "ScreenReply",
    "StatsReply",
    "StatusEvent",
    "StatusReply",
    "TextFigures",
    "Topic",
    "WatchFigures",
    "topic_of",
]

LINE_LIMIT = 65536
"""The longest line either way, in bytes, with its line feed."""


class Role(enum.Enum):
    """How far a client may go; each may do what the ones before it may."""

    VIEW = "view"
    PHONE = "phone"
    ADMIN = "admin"

    def covers(self, other: "Role") -> bool:
        """Whether this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Request(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="verb", forbid_unknown_fields=True
):
    """Root of the requests."""

    id: int = 0
    role: Role | None = None


class Status(Request, frozen=True, tag="status"):
    """How the phone is: `StatusReply`."""


class Stats(Request, frozen=True, tag="stats"):
    """How the phone is, with its counters: `StatsReply`."""


class Calls(Request, frozen=True, tag="calls"):
    """The calls that are up and the call list, newest first: `CallsReply`."""

    limit: int = 50
    skip: int = 0


class Messages(Request, frozen=True, tag="messages"):
    """The texts that were sent to us, newest first: `MessagesReply`."""

    limit: int = 50
    skip: int = 0


class MessagesRead(Request, frozen=True, tag="messages_read"):
    """All texts have been looked at; with `forget` none is kept either."""

    forget: bool = False


class Screen(Request, frozen=True, tag="screen"):
    """What the screen shows: `ScreenReply`."""


class Ladder(Request, frozen=True, tag="ladder"):
    """The SIP messages of a call, or of a line's registration; None = the latest call."""

    call: str | None = None
    skip: int = 0


class Events(Request, frozen=True, tag="events"):
    """Send events from now on, first those that tell the present state; empty = every topic."""

    topics: tuple[Topic, ...] = ()


class KeyMove(enum.Enum):
    """`press` is down and up again."""

    PRESS = "press"
    DOWN = "down"
    UP = "up"


class Key(Request, frozen=True, tag="key"):
    """Press a key."""

    key: KeyCap
    move: KeyMove = KeyMove.PRESS


class HookMove(enum.Enum):
    """`flash` is a short down and up."""

    UP = "up"
    DOWN = "down"
    FLASH = "flash"


class Hook(Request, frozen=True, tag="hook"):
    """Lift or replace the handset."""

    move: HookMove


class Dial(Request, frozen=True, tag="dial"):
    """Call a number or SIP URI; `line` None = the default line."""

    target: str
    line: str | None = None


class Message(Request, frozen=True, tag="message"):
    """Send a short text; the reply comes when it is known whether it was taken."""

    target: str
    text: str
    line: str | None = None


class Tell(Request, frozen=True, tag="tell"):
    """Send a short text into a call that is up; `call` None = the one in front. As `message`."""

    text: str
    call: str | None = None


class Writing(Request, frozen=True, tag="writing"):
    """A text is being written to `target` or, if that is empty, into a call; not `on`: no longer.

    Say so with each key, at most once a second; the phone tells the far end when it is due.
    """

    target: str = ""
    on: bool = True
    line: str | None = None
    call: str | None = None


class Answer(Request, frozen=True, tag="answer"):
    """Answer a ringing call; `call` None = the one in front."""

    call: str | None = None


class HangUp(Request, frozen=True, tag="hangup"):
    """End or refuse a call."""

    call: str | None = None


class Unwanted(Request, frozen=True, tag="unwanted"):
    """Refuse a ringing call as one that should not have been made (607)."""

    call: str | None = None


class Shown(enum.Enum):
    """What a person may be shown as."""

    AVAILABLE = "available"
    AWAY = "away"
    BUSY = "busy"


class Presence(Request, frozen=True, tag="presence"):
    """Be shown so to those who watch; "available" = as what the phone does."""

    shown: Shown


class PickUp(Request, frozen=True, tag="pickup"):
    """Answer here what rings at somebody who is watched; "" = the first whose phone rings."""

    target: str = ""


class Hold(Request, frozen=True, tag="hold"):
    """Put a call on hold."""

    call: str | None = None


class Resume(Request, frozen=True, tag="resume"):
    """Take a call off hold."""

    call: str | None = None


class Transfer(Request, frozen=True, tag="transfer"):
    """Send a call to `target`, or connect the two that are up; answered when it has ended."""

    target: str = ""
    call: str | None = None


class Conference(Request, frozen=True, tag="conference"):
    """Make one conversation of all calls that are up, or part them; `on` None = the other way."""

    on: bool | None = None


class Dtmf(Request, frozen=True, tag="dtmf"):
    """Send digits into a call."""

    digits: str
    call: str | None = None


class Mute(Request, frozen=True, tag="mute"):
    """Mute or unmute the microphone; `on` None = toggle."""

    on: bool | None = None


class Volume(Request, frozen=True, tag="volume"):
    """Change a volume by `step` per cent, or to `level`; `path` None = what is heard now."""

    step: int = 0
    level: int | None = None
    path: PathName | None = None


class Path(Request, frozen=True, tag="path"):
    """Talk on this path."""

    path: PathName


class Play(Request, frozen=True, tag="play"):
    """Send a WAV file (an absolute path on the phone) into a call and all that are one with it.

    A call on hold hears it alone; without one named, the call in front is meant.
    """

    file: str
    call: str | None = None


class Record(Request, frozen=True, tag="record"):
    """Record a call and all that are one conversation with it, or end that: `RecordReply`."""

    on: bool
    call: str | None = None


class Reload(Request, frozen=True, tag="reload"):
    """Read the configuration file again: `ReloadReply`, or refused as `config` with the faults."""


AnyRequest = (
    Status
    | Stats
    | Calls
    | Messages
    | Screen
    | Ladder
    | Events
    | Key
    | Hook
    | Dial
    | Message
    | Tell
    | Writing
    | MessagesRead
    | Answer
    | HangUp
    | Unwanted
    | PickUp
    | Presence
    | Hold
    | Resume
    | Transfer
    | Conference
    | Dtmf
    | Mute
    | Volume
    | Path
    | Play
    | Record
    | Reload
)

_VIEWS = (Status, Stats, Calls, Screen, Events)
_ADMINS = (Ladder, Reload)


def role_needed(request: AnyRequest) -> Role:
    """The least role that may ask this."""
    if isinstance(request, _VIEWS):
        return Role.VIEW
    return Role.ADMIN if isinstance(request, _ADMINS) else Role.PHONE


AnyResult = (
    StatusReply
    | StatsReply
    | CallsReply
    | MessagesReply
    | ScreenReply
    | LadderReply
    | RecordReply
    | ReloadReply
    | None
)


class Accepted(msgspec.Struct, frozen=True):
    """A reply to a request that was carried out."""

    id: int
    result: AnyResult
    ok: bool = True


class Refused(msgspec.Struct, frozen=True):
    """A reply to a request that was not."""

    id: int
    error: str
    kind: RefusalKind = RefusalKind.FAILED
    ok: bool = False


_ENCODER = msgspec.json.Encoder()
_REQUESTS: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)
_EVENTS: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(message: AnyRequest | Accepted | Refused | AnyEvent) -> bytes:
    """A message as one line with its line feed."""
    return _ENCODER.encode(message) + b"\n"


def decode_request(line: bytes) -> AnyRequest:
    """A request from its line.

    Raises:
        msgspec.MsgspecError: the line is no request; the message says why.
        ValueError: likewise (RecursionError is translated to it).
    """
    try:
        return _REQUESTS.decode(line)
    except RecursionError as error:
        raise ValueError("the request is nested too deeply") from error


def decode_event(line: bytes) -> AnyEvent:
    """An event from its line.

    Raises:
        msgspec.MsgspecError: the line is no event.
    """
    return _EVENTS.decode(line)
