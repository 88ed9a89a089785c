"""What the control socket tells of the phone: its lines, calls, texts and people, as figures.

The requests and events they travel in are in `firmware.control.schema`.
"""

import msgspec


class RtpFigures(msgspec.Struct, frozen=True):
    """Media of one call so far; `mos` None = not estimated.

    `drift_ppm` is how much faster the far end's clock is than ours, None before a minute of it.
    """

    sent: int
    received: int
    lost: int
    late: int
    jitter_ms: float
    delay_ms: float
    mos: float | None = None
    drift_ppm: float | None = None


class CallFigures(msgspec.Struct, frozen=True):
    """One call that is up; `direction` is `in` or `out`, `duration` counts from the answer.

    `transfer` is whom it is being transferred to.
    `digits` are the last ones that the far end pressed, `name` is what it calls itself;
    `diverted_by` sent the call on to us, `subject` is what the caller says it is about.
    """

    id: str
    line: str
    direction: str
    state: str
    remote: str
    codec: str = ""
    secure: bool = False
    held: bool = False
    held_by_them: bool = False
    transfer: str = ""
    duration: float = 0.0
    digits: str = ""
    name: str = ""
    rtp: RtpFigures | None = None
    diverted_by: str = ""
    subject: str = ""
    way: str = ""
    """How the far end is reached where that was found out (ICE): host, srflx, prflx or relay."""
    quality: str = ""
    """How it has sounded of late: good, fair, poor or bad; empty before anything was heard."""
    recorded: bool | None = None
    """Whether it is being recorded; None = it may not be."""


class LineFigures(msgspec.Struct, frozen=True):
    """One line; `reason` says why it is not registered, `label` is what the screen calls it."""

    name: str
    registered: bool
    reason: str = ""
    expires_in: float = 0.0
    label: str = ""
    mwi: bool | None = None
    """Whether messages wait; None if the server has not said."""
    new_messages: int = 0


class WatchFigures(msgspec.Struct, frozen=True):
    """Somebody whose calls are watched: `state` is unknown, idle, ringing or busy."""

    line: str
    target: str
    state: str


class BuddyFigures(msgspec.Struct, frozen=True):
    """Somebody whose presence is watched; `available` None = nothing is known."""

    line: str
    who: str
    available: bool | None = None
    activities: tuple[str, ...] = ()
    note: str = ""


class AudioFigures(msgspec.Struct, frozen=True):
    """The audio engine; `path` is what the person talks on."""

    path: str | None
    alive: bool
    xruns: int = 0


class StatusReply(msgspec.Struct, frozen=True):
    """How the phone is; `reason` says in a sentence why it cannot do its work, if it cannot."""

    state: str
    lines: tuple[LineFigures, ...]
    calls: tuple[CallFigures, ...]
    audio: AudioFigures
    reason: str = ""
    version: str = ""
    off_hook: bool = False
    muted: bool = False
    missed: int = 0
    volumes: dict[str, int] = {}
    watched: tuple[WatchFigures, ...] = ()
    buddies: tuple[BuddyFigures, ...] = ()
    conference: tuple[str, ...] = ()
    """The calls that are one conversation."""
    texts: int = 0
    """How many texts nobody has looked at."""


class StatsReply(StatusReply, frozen=True):
    """The status with whatever the phone counts."""

    uptime: float = 0.0
    counters: dict[str, float] = {}


class LogRow(msgspec.Struct, frozen=True):
    """One row of the call list; `direction` is `in` or `out`."""

    at: float
    line: str
    direction: str
    name: str
    user: str
    outcome: str
    seconds: float
    reason: str = ""


class CallsReply(msgspec.Struct, frozen=True):
    """Calls that are up, and a piece of the call list; `more` says that it goes on.

    `note` says why the list, or what there was before, cannot be read.
    """

    calls: tuple[CallFigures, ...]
    log: tuple[LogRow, ...] = ()
    more: bool = False
    note: str = ""


class TextFigures(msgspec.Struct, frozen=True):
    """A text that somebody sent to us."""

    at: float
    line: str
    name: str
    user: str
    text: str
    unread: bool = False


class MessagesReply(msgspec.Struct, frozen=True):
    """A piece of the texts that are kept, newest first, and who is writing to us.

    `more` says that the list goes on.
    """

    texts: tuple[TextFigures, ...] = ()
    writing: tuple[str, ...] = ()
    more: bool = False


class ScreenReply(msgspec.Struct, frozen=True):
    """The picture as PNG and as rows of characters."""

    width: int
    height: int
    png: bytes
    text: str


class LadderReply(msgspec.Struct, frozen=True):
    """A piece of a ladder; `more` says that it goes on after `skip + len(rows)`."""

    rows: tuple[str, ...]
    more: bool = False


class RecordReply(msgspec.Struct, frozen=True):
    """The files that are being written now, of the calls that were meant."""

    files: tuple[str, ...] = ()


class ReloadReply(msgspec.Struct, frozen=True):
    """What a reload did: keys in force now, keys that wait for calls to end, or for a restart."""

    applied: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
