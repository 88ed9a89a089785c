"""What the phone wants done: values that `firmware.runtime.performers` carries out in order.

Bodies are SDP, written by `firmware.call`; the SIP stack does not look inside.
"""

import enum
from typing import TYPE_CHECKING

from msgspec import Struct

from firmware.media.messages import AnyOrder, PathName, StreamReport
from firmware.phone.parted import Parted
from firmware.sdp.keying import Handshake
from firmware.sip.facts import Activity
from firmware.sip.invite.replaces import Replaces
from firmware.sip.names import MessageRef
from firmware.sip.notifications import CallRef, LineName, Party, SubscriptionRef, TransferRef
from hal.ports import LampPattern

if TYPE_CHECKING:
    from firmware.sdp.ice import Terms


class ReserveMediaPort(Struct, frozen=True):
    """Bind an RTP and an RTCP socket on `local`; answered by `MediaPortReserved` or `…Refused`.

    An `emergency` call takes any free port if those of the settings are used up. `line` says by its
    settings whether ways to the sockets are gathered.
    """

    call: CallRef
    local: str
    emergency: bool = False
    line: LineName = LineName("")


class FreeMediaPort(Struct, frozen=True):
    """The call is over: close its sockets."""

    call: CallRef


class MakeKeys(Struct, frozen=True):
    """Agree on the keys of a stream with the far end, by DTLS on the call's own socket.

    Asked for again, for a new audio process, it brings the keys that were made. Answered by
    nothing, or by `KeysFailed`.
    """

    call: CallRef
    stream: int
    handshake: Handshake
    remote: tuple[str, int]
    checked: bool = False
    """Whether `remote` is a way that was found: another one is no other far end (RFC 8842 §5.1)."""
    symmetric: bool = False
    """Whether we speak to where the far end is heard from rather than to where SDP says."""


class CheckWays(Struct, frozen=True):
    """Find a way to the far end of a stream by these terms; ones that hold already change nothing.

    Answered by `WayFound`, again whenever there is a better one, and by `WayLost`.
    """

    call: CallRef
    stream: int
    terms: "Terms"


class PlaceCall(Struct, frozen=True):
    """Send an INVITE; the stack asks for the offer when it knows the way (`OfferWanted`).

    `emergency` calls may use a line that is not registered and the last good address. `replaces`
    is the call of the far end whose place this one takes.
    """

    call: CallRef
    line: LineName
    target: str
    emergency: bool = False
    replaces: Replaces | None = None


class SendOffer(Struct, frozen=True):
    """The SDP offer for a call being placed."""

    call: CallRef
    sdp: bytes


class SayRinging(Struct, frozen=True):
    """180 Ringing; `sdp` is our offer if the caller wants that first."""

    call: CallRef
    sdp: bytes = b""


class AcceptCall(Struct, frozen=True):
    """200 OK with our answer (or our offer, if the INVITE had none).

    `by_itself` tells a caller who asked for it that no person has answered (RFC 5373 §5.1).
    """

    call: CallRef
    sdp: bytes
    by_itself: bool = False


class RejectCall(Struct, frozen=True):
    """Refuse an incoming call; `warning` becomes a Warning header."""

    call: CallRef
    status: int
    warning: str = ""


class EndCall(Struct, frozen=True):
    """CANCEL, BYE or a refusal, whichever the call's state asks for.

    `reason` is a Reason value for the far end (RFC 3326).
    """

    call: CallRef
    reason: str = ""


class Reoffer(Struct, frozen=True):
    """re-INVITE with this offer (hold, resume, moved)."""

    call: CallRef
    sdp: bytes


class AnswerReoffer(Struct, frozen=True):
    """Our answer to an offer of the far end (re-INVITE, UPDATE …), of one `fork` of the call."""

    call: CallRef
    sdp: bytes
    fork: str = ""


class RejectReoffer(Struct, frozen=True):
    """Refuse an offer of the far end; the call goes on as before."""

    call: CallRef
    status: int
    warning: str = ""
    fork: str = ""


class SendInfoDigit(Struct, frozen=True):
    """DTMF by SIP INFO."""

    call: CallRef
    digit: str
    duration_ms: int = 160


class TransferCall(Struct, frozen=True):
    """REFER: to `target` as dialled or, with `consultation`, into our place in that call."""

    call: CallRef
    target: str
    consultation: CallRef | None = None


class FollowTransfer(Struct, frozen=True):
    """The far end of a call wants us to call somebody: do so, as `call`."""

    transfer: TransferRef
    call: CallRef


class RefuseTransfer(Struct, frozen=True):
    """Call nobody."""

    transfer: TransferRef
    status: int


class Subscribe(Struct, frozen=True):
    """Watch an event package; `target` is a number or URI, the line itself if empty."""

    ref: SubscriptionRef
    line: LineName
    package: str
    target: str = ""


class Unsubscribe(Struct, frozen=True):
    """Watch it no more."""

    ref: SubscriptionRef


class SendMessage(Struct, frozen=True):
    """Send a text; answered by `MessageOutcome`. With `call` it goes to the far end of that."""

    ref: MessageRef
    line: LineName
    target: str
    text: str
    call: CallRef | None = None


class SayWriting(Struct, frozen=True):
    """A key was pressed in a text, or (not `active`) it was deleted; `call` as in `SendMessage`."""

    line: LineName
    target: str
    active: bool
    call: CallRef | None = None


class KeepText(Struct, frozen=True):
    """Write a text that came into the list of texts; `key` tells it from all others."""

    key: str
    line: LineName
    sender: Party
    text: str


class MarkRead(Struct, frozen=True):
    """Somebody has looked at these texts; no keys = at all of them."""

    keys: tuple[str, ...] = ()


class ForgetTexts(Struct, frozen=True):
    """Keep none of them."""


class SetBuddies(Struct, frozen=True):
    """Watch the presence of exactly these people on a line."""

    line: LineName
    people: tuple[str, ...]


class ShowPresence(Struct, frozen=True):
    """Show what the line does; None = nothing any more."""

    line: LineName
    activity: Activity | None


class ReportQuality(Struct, frozen=True):
    """Tell the collector how a call sounded; `report` is its stream's last.

    With `alert` (how bad: Warning, Critical) the call is still up.
    """

    parted: Parted
    report: StreamReport
    alert: str = ""


class StartRecording(Struct, frozen=True):
    """Open a file for a call, `rate` samples a second; `RecordingChanged` tells of trouble."""

    call: CallRef
    who: str
    outgoing: bool
    rate: int


class EndRecording(Struct, frozen=True):
    """Finish the file of a call."""

    call: CallRef


class MediaOrder(Struct, frozen=True):
    """An order for the audio engine.

    An `OpenStream` takes the sockets of `call` with it, a `Record` the way to its file.
    """

    order: AnyOrder
    call: CallRef | None = None


class RingBell(Struct, frozen=True):
    """Ring a real bell or buzzer by cadence (on, off, … seconds); `()` = silence."""

    cadence: tuple[float, ...]


class SetLamp(Struct, frozen=True):
    """Set a lamp."""

    lamp: str
    pattern: LampPattern


class CallOutcome(enum.Enum):
    """How a call ended, as the call list shows it."""

    ANSWERED = "answered"
    MISSED = "missed"
    REFUSED = "refused"
    FAILED = "failed"
    ELSEWHERE = "elsewhere"


class CallRecord(Struct, frozen=True):
    """One row of the call list; the runtime adds the wall-clock time.

    `reason` is a text id, `reason_args` what it takes; empty if there is nothing to explain.
    `redial` is what the redial key shall dial after a restart, "" = what it was (an emergency
    number is never kept for it).
    """

    line: LineName
    outgoing: bool
    name: str
    user: str
    outcome: CallOutcome
    seconds: float
    reason: str = ""
    redial: str = ""
    reason_args: tuple[tuple[str, str], ...] = ()


class RecordCall(Struct, frozen=True):
    """Write a call into the call list."""

    record: CallRecord


class KeepVolume(Struct, frozen=True):
    """Remember a volume over restarts."""

    path: PathName
    volume: int


class LogNotice(Struct, frozen=True):
    """A line for people in the log: text id of `ui/text` and its arguments."""

    text: str
    args: tuple[tuple[str, str], ...] = ()


Command = (
    ReserveMediaPort
    | FreeMediaPort
    | MakeKeys
    | CheckWays
    | PlaceCall
    | SendOffer
    | SayRinging
    | AcceptCall
    | RejectCall
    | EndCall
    | Reoffer
    | AnswerReoffer
    | RejectReoffer
    | SendInfoDigit
    | Subscribe
    | Unsubscribe
    | SendMessage
    | SayWriting
    | KeepText
    | MarkRead
    | ForgetTexts
    | SetBuddies
    | ShowPresence
    | ReportQuality
    | TransferCall
    | FollowTransfer
    | RefuseTransfer
    | StartRecording
    | EndRecording
    | MediaOrder
    | RingBell
    | SetLamp
    | RecordCall
    | KeepVolume
    | LogNotice
)
