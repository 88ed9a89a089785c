"""All that a screen, a lamp, the web page or the API may know of the phone.

A view is a value: two equal views look alike, so a screen is redrawn only when its view changed.
Sentences for people are text ids with arguments; `firmware.ui.text` has the words.
"""

import enum

from msgspec import Struct

from firmware.media.messages import PathName
from firmware.sip.notifications import CallRef, LineName, RegistrationState


class Mode(enum.Enum):
    """What the phone as a whole is doing; each has a screen."""

    IDLE = "idle"
    OFF_HOOK = "off_hook"
    """Handset up or speaker on, nothing dialled yet: dial tone, or congestion with the reason."""
    DIALLING = "dialling"
    CALLING = "calling"
    RINGING = "ringing"
    TALKING = "talking"
    RELEASED = "released"
    """The far end has gone or the call failed; a tone and the reason until the handset is down."""
    HOWLER = "howler"
    AUDIO_TEST = "audio_test"


class CallState(enum.Enum):
    """What a person would say of one call."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    RINGING_THERE = "ringing_there"
    RINGING_HERE = "ringing_here"
    ANSWERING = "answering"
    TALKING = "talking"
    ENDING = "ending"


class Busyness(enum.Enum):
    """What is known of the calls of somebody we watch."""

    UNKNOWN = "unknown"
    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"


class WatchView(Struct, frozen=True):
    """Somebody whose calls are watched."""

    line: LineName
    target: str
    state: Busyness


class TextView(Struct, frozen=True):
    """A text that somebody sent; `at` is monotonic seconds."""

    number: int
    at: float
    line: LineName
    name: str
    user: str
    text: str
    unread: bool


class BuddyView(Struct, frozen=True):
    """Somebody whose presence is watched; `available` None = nothing is known."""

    line: LineName
    who: str
    available: bool | None
    activities: tuple[str, ...] = ()
    note: str = ""


class Notice(Struct, frozen=True):
    """A text id and its arguments."""

    text: str
    args: tuple[tuple[str, str], ...] = ()


class LineView(Struct, frozen=True):
    """A line and when things happen to it, in monotonic seconds, 0 = nothing to count.

    `until` is when its registration runs out or, while there is none, when the next attempt
    begins; `since` is when an unregistered one came into its state. An `until` that has passed is
    an attempt under way.
    """

    name: LineName
    label: str
    state: RegistrationState
    notice: Notice | None = None
    until: float = 0.0
    since: float = 0.0
    messages_waiting: bool | None = None
    """Whether messages wait in its mailbox; None if no server has said so."""
    new_messages: int = 0


class Quality(enum.Enum):
    """How a call sounds, by the classes of users' satisfaction in ITU-T G.107 Annex B."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    BAD = "bad"


class CallView(Struct, frozen=True):
    """A call as a person sees it; `answered_at` is monotonic seconds, 0 before the answer."""

    ref: CallRef
    line: LineName
    outgoing: bool
    state: CallState
    name: str
    user: str
    codec: str = ""
    secure: bool = False
    held: bool = False
    held_by_them: bool = False
    emergency: bool = False
    started_at: float = 0.0
    answered_at: float = 0.0
    digits: str = ""
    """The last digits that the far end pressed in this call."""
    diverted_by: str = ""
    """Who sent the call on to us."""
    subject: str = ""
    """What the caller says the call is about."""
    transfer: str = ""
    """Whom it is being transferred to."""
    recorded: bool | None = None
    """Whether it is being recorded; None = it may not be."""
    way: str = ""
    """How its far end is reached, if that was found out: host, srflx, prflx, relay."""
    quality: Quality | None = None
    """How it has sounded of late, None before anything was heard."""


class TransferStage(enum.Enum):
    """How far a transfer is."""

    HOLDING = "holding"
    """The far end is being put on hold first."""
    ASKED = "asked"
    WORKING = "working"
    """The far end has agreed and calls the target."""
    RINGING = "ringing"


class TransferView(Struct, frozen=True):
    """A transfer under way: which call is sent to whom."""

    call: CallRef
    target: str
    stage: TransferStage


class VolumeBar(Struct, frozen=True):
    """Shown for two seconds after a volume key."""

    path: PathName
    volume: int


class PhoneView(Struct, frozen=True):
    """The phone at one moment. `front` is the call the handset belongs to."""

    mode: Mode = Mode.IDLE
    off_hook: bool = False
    path: PathName | None = None
    lines: tuple[LineView, ...] = ()
    calls: tuple[CallView, ...] = ()
    front: CallRef | None = None
    digits: str = ""
    notice: Notice | None = None
    volume_bar: VolumeBar | None = None
    volumes: tuple[tuple[PathName, int], ...] = ()
    muted: bool = False
    microphone_open: bool = False
    missed: int = 0
    network_up: bool = True
    audio_alive: bool = True
    lamps: tuple[tuple[str, str], ...] = ()
    watched: tuple[WatchView, ...] = ()
    buddies: tuple[BuddyView, ...] = ()
    texts: tuple[TextView, ...] = ()
    sending: tuple[str, ...] = ()
    """To whom a text is on its way."""
    writing: tuple[str, ...] = ()
    """Who is writing to us."""
    transferee: CallRef | None = None
    """The call that the person is about to transfer: they dial the target, or talk to it."""
    transfer: TransferView | None = None
    conference: tuple[CallRef, ...] = ()
    """The calls that are one conversation."""

    @property
    def unread(self) -> int:
        """How many texts nobody has looked at."""
        return sum(text.unread for text in self.texts)

    @property
    def front_call(self) -> CallView | None:
        """The call in front, if any."""
        return next((call for call in self.calls if call.ref == self.front), None)
