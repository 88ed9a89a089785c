"""What every part of the user agent shares: outboxes, alarms, stores, tokens, and how to answer.

The core decides nothing. It keeps what is alive, so that `UserAgent.__len__` can prove that what
has ended is gone.
"""

import enum
import itertools
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Protocol

from msgspec import Struct, field

from firmware.base.deadlines import Deadlines
from firmware.base.tokens import Tokens
from firmware.sip.causes import LOST
from firmware.sip.dialog import Dialog, DialogKey
from firmware.sip.effects import CloseFlow, Effect, QueryId, Transmit
from firmware.sip.flow import Endpoint, Flow, Target, Transport
from firmware.sip.headers import MAGIC_COOKIE
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request, Response
from firmware.sip.methods import ALLOWED, SUPPORTED
from firmware.sip.notifications import CallRef, FailureCause, LineName, Notification
from firmware.sip.portrait import CallPortrait
from firmware.sip.route.aliases import Aliases
from firmware.sip.route.appearance import Appearance, NatRule
from firmware.sip.route.reachability import Reachability
from firmware.sip.route.unwilling import Unwilling
from firmware.sip.status import phrase_for
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.layer import TransactionLayer
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.transaction.timing import Timing
from firmware.sip.uri import bracketed

ALLOW = ", ".join(ALLOWED)
SUPPORTS = ", ".join(SUPPORTED)


class AgentSettings(Struct, frozen=True):
    """How a user agent behaves, the same for all its lines.

    `hand_up` names methods whose requests outside dialogs go to the owner whole
    (`RequestReceived`). `info_packages` are the packages whose INFOs are taken (RFC 6086).
    `open_house` takes requests from anyone for any user: for a laboratory PBX, never for a phone.
    With `realm` and `passwords` (user to password) an INVITE from outside a dialog must carry a
    digest. `nat` says what we are called by far ends of other networks. Times are seconds.
    """

    product: str = "deskphone"
    hand_up: frozenset[str] = frozenset()
    info_packages: tuple[str, ...] = ()
    open_house: bool = False
    realm: str = ""
    passwords: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timing: Timing = field(default_factory=Timing)
    nat: tuple[NatRule, ...] = ()
    most_calls: int = 200
    most_transactions: int = 5000
    ring_limit: float = 300.0


class Alarm(enum.Enum):
    """What the parts of the user agent wait for, outside transactions."""

    REFRESH = "register again"
    REPEAT = "send the 2xx again"
    NO_ACK = "the ACK did not come"
    GLARE = "try the re-INVITE again"
    GUARD = "this has taken too long"
    RING = "say again that it rings"
    PING = "keep the flow alive"
    PONG = "no answer to the ping"
    RESOLVE = "look the peers up again"
    RACE = "try the other family of addresses too"
    IMPATIENT = "no answer at all: try another address"
    MOVE = "look again for a way from our new address"
    EXPIRY = "this has run out"
    SESSION = "refresh the session"
    THROTTLE = "enough time has passed to say more"
    TRYING = "say that we work on it"


class Alarmed(Protocol):
    """Something that waits."""

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """An alarm is due; one that no longer matters is ignored."""


class QueryUser(Protocol):
    """Something that asked for an address or a connection."""

    def on_resolved(self, targets: tuple[Target, ...], now: float) -> None:
        """The addresses were found."""

    def on_unresolved(self, cause: FailureCause, detail: str, now: float) -> None:
        """They were not."""

    def on_opened(self, flow: Flow, now: float) -> None:
        """The connection stands."""

    def on_refused(self, reason: str, now: float, cause: FailureCause | None = None) -> None:
        """It could not be opened; `cause` is None if only the words of the system are known."""


class DialogUser(Protocol):
    """Who takes the requests of a dialog."""

    def on_request(self, arrival: Arrival, now: float) -> None:
        """A request inside the dialog, no retransmission; an ACK too."""


class Usage(Protocol):
    """What a request inside a dialog finds there: a call that was answered (RFC 5057 §4)."""

    @property
    def call(self) -> CallRef:
        """The call."""

    @property
    def line(self) -> Line:
        """The line it belongs to."""

    @property
    def dialog(self) -> Dialog:
        """The dialog, which may have other users beside the call."""


class Outside(Protocol):
    """Who serves a method outside dialogs: it must answer `transaction`, at once or later."""

    def __call__(self, transaction: ServerTransaction, line: Line, now: float) -> None:
        """A request for `line`, from somebody the line trusts, that requires nothing unknown."""


class Inside(Protocol):
    """Who serves a method inside the dialog of a call: it must answer `transaction`."""

    def __call__(self, usage: Usage, transaction: ServerTransaction, now: float) -> None:
        """A request in its order that requires nothing unknown."""


class Call(Protocol):
    """A call in any of its stages."""

    def end(self, now: float, reason: str = "") -> None:
        """Our side hangs up, cancels or declines; `reason` is a Reason value (RFC 3326)."""

    def portrait(self) -> CallPortrait:
        """How it is told to those who watch our calls (RFC 4235)."""


class TooLate(Protocol):
    """Who ends a call that was answered after we had gone on to another server."""

    def __call__(
        self,
        core: "Core",
        line: Line | None,
        request: Request,
        response: Response,
        flow: Flow,
        now: float,
    ) -> None:
        """A 2xx to `request` arrived on `flow`."""


class Core:
    """The shared state of one user agent."""

    def __init__(self, settings: AgentSettings, tokens: Tokens) -> None:
        self.settings = settings
        self.tokens = tokens
        self.timing = settings.timing
        self.effects: list[Effect] = []
        self.notifications: list[Notification] = []
        # The event packages that we notify, for our Allow-Events (RFC 6665 §4.4.4).
        self.allow_events = ""
        self.listeners: dict[type[Notification], list[Callable[[Notification], None]]] = {}
        self.deadlines: Deadlines[tuple[Alarmed, Alarm]] = Deadlines()
        self.transactions = TransactionLayer(
            self.transmit, settings.timing, settings.most_transactions
        )
        self.lines: dict[LineName, Line] = {}
        self.calls: dict[CallRef, Call] = {}
        self.dialogs: dict[DialogKey, DialogUser] = {}
        # Dialogs whose far end has not said its tag yet, by Call-ID and our tag: a NOTIFY may be
        # faster than the answer to the SUBSCRIBE (RFC 6665 §4.4.1).
        self.half_dialogs: dict[tuple[str, str], DialogUser] = {}
        # Dialogs with other usages than a call, alone or beside one (RFC 5057 §4).
        self.shared: dict[DialogKey, DialogUser] = {}
        # Who serves which method; filled once, by the rooms that do.
        self.outside: dict[str, Outside] = {}
        self.inside: dict[str, Inside] = {}
        self.queries: dict[QueryId, QueryUser] = {}
        self.reachability = Reachability()
        self.appearance = Appearance(settings.nat)
        self.unwilling = Unwilling()
        self.aliases = Aliases()
        # What the machine has; empty while nobody has said.
        self.addresses: frozenset[str] = frozenset()
        # Streams that stand, by number, with the address we listen on beside them.
        self.streams: dict[int, tuple[Flow, Endpoint]] = {}
        self.learn: Callable[[Line, str, tuple[Target, ...], float], None] = _nobody_learns
        self.suspect: Callable[[Line, float], None] = _nobody_suspects
        self.too_late: TooLate = _nobody_minds
        # Whether what the far end of a flow asserts may be believed (A21).
        self.trusts: Callable[[Line, Flow], bool] = _nobody_is_believed
        # Whether a line has to do with a host, so that a call may be sent on to it (A19).
        self.knows: Callable[[Line, str], bool] = _nobody_is_known
        # What the driver said about the flow that is failing right now.
        self.trouble = LOST
        self._nowhere = ""
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return (
            len(self.transactions)
            + len(self.deadlines)
            + len(self.calls)
            + len(self.dialogs)
            + len(self.half_dialogs)
            + len(self.shared)
            + len(self.queries)
            + len(self.streams)
            + len(self.aliases)
        )

    # --- outboxes and alarms ----------------------------------------------------------------

    def transmit(self, flow: Flow, data: bytes) -> None:
        """Send octets."""
        self.effects.append(Transmit(flow, data))

    def notify(self, notification: Notification) -> None:
        """Tell the phone, and the rooms that listen to this kind."""
        self.notifications.append(notification)
        for hear in self.listeners.get(type(notification), ()):
            hear(notification)

    def listen(self, hear: Callable[[Notification], None], *kinds: type[Notification]) -> None:
        """Have `hear` told too; it has no `now` and must only take note (arm an alarm at 0)."""
        for kind in kinds:
            self.listeners.setdefault(kind, []).append(hear)

    def arm(self, owner: Alarmed, alarm: Alarm, at: float) -> None:
        """Wake `owner` at `at`; an alarm of the same kind is replaced."""
        self.deadlines.set((owner, alarm), at)

    def disarm(self, owner: Alarmed, *alarms: Alarm) -> None:
        """Forget alarms."""
        for alarm in alarms:
            self.deadlines.cancel((owner, alarm))

    def new_query(self, user: QueryUser) -> QueryId:
        """A number for a question to the driver."""
        query = QueryId(next(self._numbers))
        self.queries[query] = user
        return query

    def distrust(self, flow: Flow) -> None:
        """Nobody answers on a stream: close it, so that it is not used for the next request."""
        if self.streams.pop(flow.number, None) is not None:
            self.effects.append(CloseFlow(flow))

    def leave(self, key: DialogKey) -> None:
        """The call of a dialog has ended; if there are other usages they go on (RFC 5057 §4)."""
        heir = self.shared.get(key)
        if heir is None:
            self.dialogs.pop(key, None)
        else:
            self.dialogs[key] = heir

    def has_address(self, host: str) -> bool:
        """Whether the machine may still be reached at, and send from, an address it once had."""
        known = self.addresses
        bare = host.partition("%")[0]
        # Loopback and link-local addresses are not announced, and are no business of networks.
        return not known or bare in known or bare.startswith(("127.", "fe80:")) or bare == "::1"

    # --- names ------------------------------------------------------------------------------

    def branch(self) -> str:
        """A branch nobody can guess (RFC 3261 §8.1.1.7)."""
        return MAGIC_COOKIE + self.tokens.word(100)

    def call_ref(self) -> CallRef:
        """A name for a call that arrives."""
        return CallRef(f"in-{next(self._numbers)}-{self.tokens.word(40)}")

    def local(self, flow: Flow) -> Endpoint:
        """Where the far end of `flow` can reach us: our listening address."""
        stream = self.streams.get(flow.number)
        local = stream[1] if stream else flow.local
        if "%" in local.host:
            # RFC 6874 §4: the zone of a link-local address means nothing to the far end.
            return Endpoint(local.host.partition("%")[0], local.port)
        return local

    def contact(self, line: Line, flow: Flow, *, secure: bool = False, own: str = "") -> str:
        """Our Contact on this flow: the line's random user at the address the far end can use.

        It is a sips URI if `secure`: where the request was for one (RFC 3261 §8.1.1.8, §12.1.1).
        `own` is our From or To row: one that hides who we are gets a Contact that does so too.
        """
        return f"<{self.contact_uri(line, flow, secure=secure, own=own)}>"

    def contact_uri(self, line: Line, flow: Flow, *, secure: bool = False, own: str = "") -> str:
        """The URI in our Contact: the registrar's name for us if it gave one, else our address.

        RFC 5627 §4.4: a GRUU is used wherever we hand out our address while its registration
        stands, for who stays unnamed the temporary one (§10.3). RFC 5626 §4.3: without one, `ob`
        keeps the dialog on the flow that made it.
        """
        standing = line.standing
        if standing is not None and not secure:
            hides = "@anonymous.invalid" in own
            gruu = standing.temp_gruu if hides else standing.gruu
            if gruu:
                return gruu
        ob = ";ob" if standing is not None and standing.outbound else ""
        return self.address(line, flow, secure=secure) + ob

    def address(self, line: Line, flow: Flow, *, secure: bool = False) -> str:
        """The line's random user at the address the far end of the flow can use."""
        transport = flow.transport
        plain = transport is Transport.UDP or (secure and transport is Transport.TLS)
        # RFC 5630 §5.1.1 wants no transport=tls beside sip either, but without it a peer that
        # knows no outbound flows would call us back in the clear.
        suffix = "" if plain else f";transport={transport.parameter}"
        scheme = "sips" if secure else "sip"
        return f"{scheme}:{line.contact_user}@{self._outer(flow)}{suffix}"

    def _outer(self, flow: Flow) -> str:
        """Where the far end finds us: our own address, or what a NAT has made of it."""
        if flow.transport.web:
            return self.sent_by(flow)
        outer = self.appearance.contact_for(flow, self.local(flow))
        return f"{bracketed(outer.host)}:{outer.port}"

    def shown(self, flow: Flow) -> str:
        """What a session description for the far end of `flow` calls us, "" = our own address."""
        host = self.appearance.host_for(flow.remote.host) or self.local(flow).host
        return host if host != flow.local.host else ""

    def sent_by(self, flow: Flow) -> str:
        """Our own address in Via and Contact.

        Nobody can connect to a WebSocket client, and a name that leads nowhere says so
        (RFC 7118 §5.1, §B.1).
        """
        if flow.transport.web and flow.terms is not None:
            self._nowhere = self._nowhere or f"{self.tokens.word(60)}.invalid"
            return self._nowhere
        local = self.local(flow)
        host = self.appearance.host_for(flow.remote.host) or local.host
        return f"{bracketed(host)}:{local.port}"

    def abilities(self, asked: Headers | None = None) -> tuple[tuple[str, str], ...]:
        """What else we can do beside Allow and Supported, for our INVITE or a 2xx to one.

        Which event packages we notify (RFC 6665 §4.4.4), and which INFO packages we take (RFC 6086
        §5.2.3): an INVITE says so even if there are none, the answer only to who has said so too.
        """
        packages = ", ".join(self.settings.info_packages)
        named = asked is None or asked.get("Recv-Info") is not None
        return (*self.allow_events_rows, *((("Recv-Info", packages),) if named else ()))

    @property
    def allow_events_rows(self) -> tuple[tuple[str, str], ...]:
        """Our Allow-Events; none if we notify nothing."""
        return (("Allow-Events", self.allow_events),) if self.allow_events else ()

    # --- answering --------------------------------------------------------------------------

    def response(
        self,
        arrival: Arrival,
        status: int,
        tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        phrase: str = "",
    ) -> Response:
        """A response to a request (RFC 3261 §8.2.6); `tag` becomes the To tag if there is none."""
        rows = arrival.request.headers
        to = rows.get("To") or ""
        if tag and not arrival.to_tag:
            to = f"{to};tag={tag}"
        answer = Headers([("Via", row) for row in rows.all("Via")])
        answer.add("From", rows.get("From") or "")
        answer.add("To", to)
        answer.add("Call-ID", arrival.call_id)
        answer.add("CSeq", rows.get("CSeq") or "")
        for name, value in headers:
            answer.add(name, value)
        if status > 100:
            answer.add("User-Agent", self.settings.product)
        return Response(status, phrase or phrase_for(status), answer, body)

    def answer(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request outside or inside a dialog with a final response."""
        arrival = transaction.arrival
        tag = "" if arrival.to_tag else self.tokens.word(60)
        transaction.respond(self.response(arrival, status, tag, headers, body), now)


def _nobody_learns(line: Line, host: str, targets: tuple[Target, ...], now: float) -> None:
    del line, host, targets, now


def _nobody_suspects(line: Line, now: float) -> None:
    del line, now


def _nobody_is_believed(line: Line, flow: Flow) -> bool:
    del line, flow
    return False


def _nobody_is_known(line: Line, host: str) -> bool:
    del line, host
    return False


def _nobody_minds(
    core: Core, line: Line | None, request: Request, response: Response, flow: Flow, now: float
) -> None:
    del core, line, request, response, flow, now
