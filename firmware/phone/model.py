"""The phone's whole state as one frozen value, and the calls and lines in it.

Nothing here decides anything. What is heard, lit and shown is not kept: it is derived from this
value after every event (`outputs`, `portrait`), so it cannot disagree with it.
"""

import enum
from collections.abc import Mapping

from msgspec import Struct, field

from firmware.base.values import replace
from firmware.call.forks import Forks
from firmware.call.media import Way
from firmware.call.negotiation import Negotiation
from firmware.media.messages import HearingChanged, PathName, UnheardChanged
from firmware.phone.events import Started
from firmware.phone.parted import Parted
from firmware.phone.social import Social
from firmware.phone.view import (
    Busyness,
    CallState,
    Mode,
    Notice,
    Quality,
    TransferStage,
    VolumeBar,
)
from firmware.sip.facts import CallFacts
from firmware.sip.notifications import (
    CallRef,
    FailureCause,
    LineName,
    Party,
    RegistrationChanged,
    SubscriptionRef,
    TransferRef,
)


class Timer(enum.Enum):
    """The phone's clocks; those of `MODE_TIMERS` stop when the mode changes."""

    FIRST_DIGIT = "first_digit"
    NO_LINE = "no_line"
    INTER_DIGIT = "inter_digit"
    RELEASED = "released"
    HOWLER = "howler"
    AUDIO_TEST = "audio_test"
    HOOK_FLASH = "hook_flash"
    HANG_UP_ASKED = "hang_up_asked"
    EMERGENCY_NEXT = "emergency_next"
    CALL_BACKS = "call_backs"
    VOLUME_BAR = "volume_bar"
    NOTICE = "notice"
    REOFFER = "reoffer"
    HOLD_REMINDER = "hold_reminder"
    CALL_LIMITS = "call_limits"
    LEAVE_OLD = "leave_old"
    ANSWER_AFTER = "answer_after"
    CALL_AGAIN = "call_again"
    CLICK = "click"


MODE_TIMERS = frozenset(
    {
        Timer.FIRST_DIGIT,
        Timer.NO_LINE,
        Timer.INTER_DIGIT,
        Timer.RELEASED,
        Timer.HOWLER,
        Timer.AUDIO_TEST,
    }
)


class Engine(enum.Enum):
    """Where the audio process stands."""

    STARTING = "starting"
    UP = "up"
    LOST = "lost"


class Progress(enum.Enum):
    """The tone of a mode in which no call speaks."""

    NONE = "none"
    DIAL = "dial"
    BUSY = "busy"
    CONGESTION = "congestion"
    UNKNOWN_NUMBER = "unknown_number"
    HOWLER = "howler"


class Mailbox(Struct, frozen=True):
    """What a server said of a mailbox; `account` is where messages are heard, "" if not said."""

    waiting: bool
    new: int = 0
    account: str = ""


class Ringing(Struct, frozen=True):
    """A call that rings at somebody we watch, as its caller knows it (RFC 3891 §3).

    `target` is where the caller is; `to_tag` is the caller's own.
    """

    caller: Party
    target: str
    call_id: str
    to_tag: str
    from_tag: str


class Watch(Struct, frozen=True):
    """A subscription of ours; `busyness` is what is known of a person's calls.

    `rings` is the call that could be picked up, where enough of it is known.
    """

    ref: SubscriptionRef
    line: LineName
    package: str
    target: str = ""
    busyness: Busyness = Busyness.UNKNOWN
    rings: Ringing | None = None


class Line(Struct, frozen=True):
    """A line of the settings and the last that was said of its registration (`at` = when)."""

    name: LineName
    user: str
    label: str
    registers: bool
    auto_answer: str
    auto_answer_tone: bool
    reject_anonymous: bool = False
    blocked: str = ""
    """Why it must stay down (a clause), "" if nothing is wrong; the stack does not know it then."""
    registration: RegistrationChanged | None = None
    at: float = 0.0
    mailbox: Mailbox | None = None


class Transfer(Struct, frozen=True):
    """Where a call is being sent: as dialled, or to the far end of our call `consultation`."""

    target: str
    consultation: CallRef | None = None
    stage: TransferStage = TransferStage.HOLDING
    parting: bool = False
    """Whoever sends it there has left: if it fails, both calls end."""


class Click(Struct, frozen=True):
    """Whom a server wants called, as soon as somebody lifts."""

    transfer: TransferRef
    line: LineName
    target: Party
    who: str


class Consultation(Struct, frozen=True):
    """The person wants to send `call` elsewhere; `target` is their call with whoever takes it.

    Without `target` they are still dialling.
    """

    call: CallRef
    target: CallRef | None = None


def named(party: Party) -> str:
    """A party as a person would name it."""
    return party.name or party.user or party.uri


class Call(Struct, frozen=True):
    """A call from the first digit sent, or the first ring, to its end.

    `local` is our address toward the far end, "" until the stack has named it; a media port is
    asked for exactly while it is set. `negotiation` exists once the port does. `stream` is the
    audio engine's number for it.
    """

    ref: CallRef
    line: LineName
    outgoing: bool
    stage: CallState
    stream: int
    remote: Party
    started_at: float
    answered_at: float = 0.0
    local: str = ""
    shown: str = ""
    """What the far end knows us by, if it is not that address."""
    protected: bool = False
    """Its signalling travels encrypted."""
    negotiation: Negotiation | None = None
    suite: str = ""
    """What the audio process encrypts it with, "" while it does not."""
    offer: bytes = b""
    offer_first: bool = False
    """The caller wants our offer while it rings (RFC 3262 §5)."""
    forks: Forks | None = None
    """What was agreed with each phone that rings there; None before the first and after all."""
    sent_on: int = 0
    """How many transfers have led to it, one after the other."""
    barred: Notice | None = None
    """Why it was not sent on to where the far end has its calls sent (A19)."""
    replaces: CallRef | None = None
    """The call whose place it takes when it is answered (RFC 3891)."""
    emergency: bool = False
    other_lines: tuple[LineName, ...] = ()
    """Where an emergency call is tried next, in this order."""
    again: tuple[LineName, ...] = ()
    """Tried without success, but not refused: after `other_lines` an emergency call begins here."""
    waits: bool = False
    """Between two tries of an emergency call: the SIP stack does not know of this one yet."""
    auto: bool = False
    auto_tone: bool = False
    answer_at: float = 0.0
    """When a trusted caller wants to be answered if nobody has until then; 0 = never."""
    alerted: bool = False
    """The far end said 180."""
    held: bool = False
    """The person wants this call on hold; the negotiation knows what the far end has been told."""
    reoffering: bool = False
    move_to: str = ""
    """Our new address, if the old one is gone and the media has still to go there."""
    moving: Negotiation | None = None
    """What was agreed, while the sockets at the new address are being bound."""
    moved: bool = False
    """The far end has still to be told where our media is now."""
    way: Way | None = None
    """Where its sound may go, as far as that was checked (RFC 8445)."""
    realign: bool = False
    """The far end has still to be shown the way that was chosen."""
    heard: bool = False
    """Whether the far end's sound arrives, on the way that was agreed last."""
    hearing: HearingChanged | None = None
    """Set while nothing is heard that should be; `silent_since` is when it began."""
    unheard: UnheardChanged | None = None
    """Set while nothing of ours is heard there."""
    silent_since: float = 0.0
    quality: Quality | None = None
    """How it has sounded of late."""
    digits: str = ""
    """The last digits that the far end pressed."""
    digits_in_audio: bool = False
    """The far end would not take ours by INFO."""
    digits_by_info: bool = False
    """The far end sends its own by INFO."""
    facts: CallFacts = CallFacts()
    """What the caller's INVITE said about itself."""
    diverted_by: Party | None = None
    transfer: Transfer | None = None
    recording: bool | None = None
    """Whether it is recorded; None while that is not to be had."""
    alerts: int = 0
    """How many severities of bad sound the collector has been told of."""
    picks: Ringing | None = None
    """The call of somebody else whose place it takes."""
    instead_of: CallRef | None = None
    """The call whose far end sent us to make this one."""

    @property
    def who(self) -> str:
        """The other party as a person would name it."""
        return named(self.remote)

    @property
    def answered(self) -> bool:
        """Whether both sides are through."""
        return self.stage in (CallState.ANSWERING, CallState.TALKING)

    @property
    def on_hold(self) -> bool:
        """Whether either side holds it: then silence is what was agreed."""
        return self.held or (self.negotiation is not None and self.negotiation.held_by_them)

    @property
    def rings_here(self) -> bool:
        """Whether it waits for somebody to answer."""
        return self.stage is CallState.RINGING_HERE and self.negotiation is not None

    @property
    def placing(self) -> bool:
        """Whether it is ours and not answered yet."""
        return self.outgoing and not self.answered


class AudioTestStage(enum.Enum):
    """The steps of `*#600`."""

    TONE = "tone"
    VOICE = "voice"


class LoopEnd(Struct, frozen=True):
    """One end of the test's loop: its media port's name, its stream and, once bound, its port."""

    ref: CallRef
    stream: int
    port: int = 0


class AudioTest(Struct, frozen=True):
    """The test in progress; `ends` are the card's end and the one that sends back."""

    stage: AudioTestStage
    ends: tuple[LoopEnd, ...]


class PhoneState(Struct, frozen=True):
    """Everything the phone remembers between two events."""

    mode: Mode = Mode.IDLE
    hardware: Started = field(default_factory=lambda: Started(paths=()))
    hook_up: bool = False
    headset_in: bool = False
    path: PathName | None = None
    calls: tuple[Call, ...] = ()
    front: CallRef | None = None
    digits: str = ""
    progress: Progress = Progress.NONE
    muted: bool = False
    volumes: Mapping[PathName, int] = field(default_factory=dict)
    volume_bar: VolumeBar | None = None
    notice: Notice | None = None
    lines: tuple[Line, ...] = ()
    watches: Mapping[SubscriptionRef, Watch] = field(default_factory=dict)
    click: Click | None = None
    social: Social = field(default_factory=Social)
    parted: Mapping[int, Parted] = field(default_factory=dict)
    """By stream: calls that are over, whose last figures are to be reported."""
    network_up: bool = True
    engine: Engine = Engine.STARTING
    card_faults: Mapping[PathName, str] = field(default_factory=dict)
    card_remarks: Mapping[PathName, str] = field(default_factory=dict)
    """What is wrong with cards that are open."""
    device_faults: Mapping[str, str] = field(default_factory=dict)
    config_fault: Notice | None = None
    certificate: Notice | None = None
    """What is to be said of a certificate of ours that ends soon."""
    missed: int = 0
    last_dialled: str = ""
    again: str = ""
    """Whom Redial will be offered for when it is time."""
    test: AudioTest | None = None
    consultation: Consultation | None = None
    conference: tuple[CallRef, ...] = ()
    """The calls that are one conversation; at least two of them, or none."""
    timers: Mapping[Timer, float] = field(default_factory=dict)
    run: int = 0
    counter: int = 0
    """How many calls and streams this run has numbered."""
    stopped: bool = False

    @property
    def messages_wait(self) -> bool:
        """Whether a server said that messages wait."""
        return any(line.mailbox is not None and line.mailbox.waiting for line in self.lines)

    @property
    def front_call(self) -> Call | None:
        """The call the handset belongs to."""
        return None if self.front is None else self.call(self.front)

    def call(self, ref: CallRef) -> Call | None:
        """A live call by its reference."""
        return next((call for call in self.calls if call.ref == ref), None)

    def meant(self, ref: CallRef | None) -> Call | None:
        """The call that a wish names, or the one in front."""
        return self.front_call if ref is None else self.call(ref)

    def call_of_stream(self, stream: int) -> Call | None:
        """The live call that owns an engine stream."""
        return next((call for call in self.calls if call.stream == stream), None)

    def line(self, name: LineName) -> Line | None:
        """A line by its name."""
        return next((line for line in self.lines if line.name == name), None)

    @property
    def transferred(self) -> Call | None:
        """The call that is being transferred, if one is."""
        return next((call for call in self.calls if call.transfer is not None), None)

    @property
    def ringing(self) -> tuple[Call, ...]:
        """Calls that wait for somebody to answer, the oldest first."""
        return tuple(call for call in self.calls if call.rings_here)

    @property
    def emergency_call(self) -> Call | None:
        """The emergency call, if one is up."""
        return next((call for call in self.calls if call.emergency), None)

    def with_call(self, changed: Call) -> "PhoneState":
        """This state with one call replaced."""
        calls = tuple(changed if call.ref == changed.ref else call for call in self.calls)
        return replace(self, calls=calls)

    def without_call(self, ref: CallRef) -> "PhoneState":
        """This state with one call gone."""
        members = tuple(each for each in self.conference if each != ref)
        return replace(
            self,
            calls=tuple(call for call in self.calls if call.ref != ref),
            conference=members if len(members) > 1 else (),
        )

    def seated(self, new: CallRef, old: CallRef) -> "PhoneState":
        """This state with a call in the place that another had in a conversation of several."""
        members = tuple(new if each == old else each for each in self.conference)
        return replace(self, conference=members)

    def together(self, call: Call) -> tuple[Call, ...]:
        """The calls of a conversation if this is one of them, else this one alone."""
        if call.ref not in self.conference:
            return (call,)
        return tuple(each for each in self.calls if each.ref in self.conference)


class Ending(Struct, frozen=True):
    """Why a call is over: what `CallEnded` said, or what we decided."""

    by_us: bool = False
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""
    elsewhere: bool = False
    retry_after: int = 0
    """Seconds after which the far end wants to be tried again, 0 if it did not say."""
    notice: Notice | None = None
    """Says it better than the cause does."""
