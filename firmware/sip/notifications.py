"""What the phone must know from the SIP stack, in the phone's words: lines and calls.

Bodies are SDP as opaque bytes (`b""` = no body). A `CallRef` names one call from its first to its
last notification; the phone chooses it for calls it places, the stack for calls that arrive, and
the two never collide because the stack's begin with `in-`.
"""

import enum

from msgspec import Struct

from firmware.sip.event.package import Document
from firmware.sip.facts import CallFacts
from firmware.sip.flow import Endpoint, Flow
from firmware.sip.message import Request
from firmware.sip.names import (
    Barrier,
    CallRef,
    FailureCause,
    LineName,
    Party,
    SubscriptionRef,
    TransferRef,
)
from firmware.sip.told import (
    ComposingChanged,
    InfoAnswered,
    MessageOutcome,
    MessageReceived,
    PresenceChanged,
    PublicationChanged,
)

# What stands elsewhere and is to be had here as well, beside all that follows.
__all__ = [
    "Barrier",
    "CallRef",
    "ComposingChanged",
    "FailureCause",
    "InfoAnswered",
    "LineName",
    "MessageOutcome",
    "MessageReceived",
    "Party",
    "PresenceChanged",
    "PublicationChanged",
    "SubscriptionRef",
    "TransferRef",
]


class RegistrationState(enum.Enum):
    """Where a line stands with its registrar."""

    OFF = "off"
    TRYING = "trying"
    REGISTERED = "registered"
    FAILED = "failed"


class RegistrationChanged(Struct, frozen=True):
    """A line's registration moved on.

    `expires_in` counts while REGISTERED; `retry_in` while TRYING or FAILED (the stack never gives
    up by itself); `where` is the server as the user would recognise it, with the transport.
    """

    line: LineName
    state: RegistrationState
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""
    where: str = ""
    expires_in: float = 0.0
    retry_in: float = 0.0


class IncomingCall(Struct, frozen=True):
    """An INVITE from a trusted source for one of our lines; 100 Trying has been sent.

    `local` is our address toward the caller: where SDP should ask for media, unless `shown` says
    what we are called over there.
    """

    call: CallRef
    line: LineName
    caller: Party
    called_user: str
    offer: bytes
    local: str
    alert_info: str = ""
    call_info: str = ""
    call_id: str = ""
    """For whoever looks through a trace of messages."""
    facts: CallFacts = CallFacts()
    diverted_by: Party | None = None
    """Who sent the call on to us; None too if they want no name (see `facts.diversions`)."""
    replaces: CallRef | None = None
    """The call whose place this one takes if it is accepted; end that one then (RFC 3891)."""
    shown: str = ""
    ring_with_offer: bool = False
    """The caller wants our offer with the first `ring` (RFC 3262 §5)."""
    protected: bool = False
    """It came over TLS: nobody on the way to the server has read it."""


class ConnectedParty(Struct, frozen=True):
    """A trusted server says who is really at the other end of a call (RFC 3325, RFC 4916)."""

    call: CallRef
    party: Party


class OfferWanted(Struct, frozen=True):
    """A call we place has found its target; answer with `UserAgent.offer(call, sdp)`.

    `local` is our own address toward that target: where media is received, and where SDP must ask
    for it unless `shown` says what we are called over there. It comes again if the stack moves on
    to a target that wants another address before anything was answered.
    """

    call: CallRef
    local: str
    call_id: str = ""
    shown: str = ""
    protected: bool = False
    """The offer will go over TLS."""


class CallTrying(Struct, frozen=True):
    """100 Trying: the next hop has our INVITE and works on it; the far end may know nothing yet."""

    call: CallRef


class CallProgress(Struct, frozen=True):
    """A provisional answer above 100; `fork` is the far end's tag, `body` may be early SDP.

    If `reliable`, that SDP is the answer for good; else it comes again in `CallAnswered`. Status
    199 says that this fork is over (RFC 6228).
    """

    call: CallRef
    status: int
    phrase: str
    fork: str
    body: bytes = b""
    reliable: bool = False


class CallRedirected(Struct, frozen=True):
    """The far end sent us elsewhere (3xx): the call goes on to `target`."""

    call: CallRef
    target: Party
    status: int


class RedirectBarred(Struct, frozen=True):
    """The far end sends us to somebody whom only a person may call, or to a strange server (A19).

    The call goes on to the next address of the redirection, if there is one.
    """

    call: CallRef
    target: Party
    why: Barrier


class CallAnswered(Struct, frozen=True):
    """The far end answered our INVITE; the ACK has been sent. `body` is its SDP answer.

    It is empty if that came before (`CallProgress`), or if we offered nothing: then its offer
    follows as `ReofferReceived`, and the ACK waits for our answer.
    """

    call: CallRef
    fork: str
    body: bytes
    remote: Party


class CallConfirmed(Struct, frozen=True):
    """The ACK to our 2xx arrived; `body` is the SDP answer if our 2xx carried the offer."""

    call: CallRef
    body: bytes = b""


class CallEnded(Struct, frozen=True):
    """The call is over, the last notification about it.

    `by_us` is True if our side asked for the end. `status` is the final SIP status if there was
    one (486, 603 …), `cause` its meaning, `phrase` its words or those of the far end's Reason.
    `retry_after` is in seconds, 0 if the far end named none.
    """

    call: CallRef
    by_us: bool
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""
    answered_elsewhere: bool = False
    retry_after: int = 0


class ReofferReceived(Struct, frozen=True):
    """An offer of the far end (re-INVITE, UPDATE, PRACK, or in a response to our empty INVITE).

    Answer with `answer_reoffer` or `reject_reoffer`. `body` is empty if the far end wants our
    offer. `fork` is the far end's tag while a call of ours is not answered yet, else empty.
    """

    call: CallRef
    body: bytes
    fork: str = ""


class ReofferAnswered(Struct, frozen=True):
    """The far end accepted our offer; `body` is its answer.

    It also comes for a refresh that the stack made by itself, with what was agreed before.
    """

    call: CallRef
    body: bytes
    fork: str = ""


class ReofferRejected(Struct, frozen=True):
    """The far end refused our offer: everything stays as it was (RFC 3261 §14.1).

    Unless it had `taken` the offer before (`ReofferAnswered` came): what it holds now is not known,
    and the phone should offer what it had before (RFC 6141 §3.4).
    """

    call: CallRef
    status: int
    phrase: str
    fork: str = ""
    taken: bool = False


class InfoDigit(Struct, frozen=True):
    """A DTMF digit arrived by SIP INFO (`application/dtmf-relay` or `application/dtmf`)."""

    call: CallRef
    digit: str
    duration_ms: int


class DigitsRefused(Struct, frozen=True):
    """The far end takes no digits by INFO: these were not sent."""

    call: CallRef
    digits: str


class InfoReceived(Struct, frozen=True):
    """An INFO of a package that the settings name came inside a call (RFC 6086)."""

    call: CallRef
    package: str
    content_type: str
    body: bytes


class DialogSaved(Struct, frozen=True):
    """What a restarted phone needs to end this call with BYE; None when the call has ended."""

    call: CallRef
    snapshot: bytes | None


class SubscriptionProgress(enum.Enum):
    """How a subscription of ours stands."""

    TRYING = "trying"
    PENDING = "pending"
    ACTIVE = "active"
    WAITING = "waiting"
    ENDED = "ended"


class SubscriptionChanged(Struct, frozen=True):
    """A subscription of ours moved on.

    While WAITING it is tried again in `retry_in` seconds; ENDED is the last about it. `status` is
    the answer to the SUBSCRIBE if that failed; `phrase` the notifier's reason or the answer's.
    """

    ref: SubscriptionRef
    line: LineName
    package: str
    progress: SubscriptionProgress
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""
    retry_in: float = 0.0


class EventReceived(Struct, frozen=True):
    """The whole state of what is watched, as the package's own document.

    `ref` is empty if the line's server sent it unasked.
    """

    ref: SubscriptionRef
    line: LineName
    package: str
    document: Document


class ConfigCheckAsked(Struct, frozen=True):
    """The line's server asks us to look for a new configuration, and to `restart` after it."""

    line: LineName
    restart: bool = False


class ProfileUrl(Struct, frozen=True):
    """The line's server says where our configuration lies: an http or https URL, unchecked."""

    line: LineName
    url: str


class TransferProgress(Struct, frozen=True):
    """Whoever we transfer has agreed to call the target (100), and how that goes (180 …)."""

    call: CallRef
    status: int
    phrase: str = ""


class TransferSucceeded(Struct, frozen=True):
    """The transferred party has reached the target: our call with it should be ended now."""

    call: CallRef


class TransferFailed(Struct, frozen=True):
    """The transfer did not come about; the call is as it was.

    `status` is the answer to our REFER or, if `reached`, that of the target to the new call.
    """

    call: CallRef
    cause: FailureCause
    status: int = 0
    phrase: str = ""
    reached: bool = False


class TransferAsked(Struct, frozen=True):
    """The far end of a call wants us to call somebody else (REFER).

    Answer with `UserAgent.transfers.follow` or `refuse`. `target` is as the far end wrote it, and
    so is `referrer`: a claim. With `replaces` the new call takes the place of one the target has.
    """

    transfer: TransferRef
    call: CallRef
    line: LineName
    target: Party
    referrer: Party | None = None
    replaces: bool = False


class DialAsked(Struct, frozen=True):
    """The server of a line wants us to call somebody, outside of any call (RFC 5359 §2.18).

    It is answered as `TransferAsked` is, within a quarter of a minute.
    """

    transfer: TransferRef
    line: LineName
    target: Party
    referrer: Party | None = None


class RequestReceived(Struct, frozen=True):
    """A request that the settings hand up whole (the practice PBX takes REGISTER this way).

    Answer with `UserAgent.respond(key, …)`.
    """

    key: str
    request: Request
    flow: Flow


class Stranger(Struct, frozen=True):
    """A request from an untrusted source was dropped; for the log, at most one a second."""

    source: Endpoint
    method: str
    count: int = 1


class AddressChanged(Struct, frozen=True):
    """The address a call stands on is gone; the call can go on from `local`, "" if from nowhere.

    Its media must move there: `reoffer` with new sockets, or `end`.
    """

    call: CallRef
    local: str
    shown: str = ""
    """As in `OfferWanted`."""


class CertificateEnds(Struct, frozen=True):
    """A certificate of ours, by its file, is good for so many days only (F27); 0 = no more."""

    file: str
    days: int


class CardAdvanced(Struct, frozen=True):
    """The SIM card of a line has seen these sequence numbers (RFC 3310).

    Whoever keeps them makes the next account of the line with them (`Account.card_numbers`).
    """

    line: LineName
    numbers: tuple[int, ...]


Notification = (
    RegistrationChanged
    | IncomingCall
    | ConnectedParty
    | OfferWanted
    | CallTrying
    | CallProgress
    | CallRedirected
    | RedirectBarred
    | CallAnswered
    | CallConfirmed
    | CallEnded
    | ReofferReceived
    | ReofferAnswered
    | ReofferRejected
    | InfoDigit
    | DigitsRefused
    | InfoReceived
    | InfoAnswered
    | DialogSaved
    | CardAdvanced
    | SubscriptionChanged
    | EventReceived
    | ConfigCheckAsked
    | ProfileUrl
    | TransferProgress
    | TransferSucceeded
    | TransferFailed
    | TransferAsked
    | DialAsked
    | MessageReceived
    | MessageOutcome
    | ComposingChanged
    | PublicationChanged
    | PresenceChanged
    | RequestReceived
    | Stranger
    | AddressChanged
    | CertificateEnds
)
