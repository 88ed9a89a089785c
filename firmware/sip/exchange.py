"""One request of ours on its way to a final response.

    wayfinder ─▶ flow ─▶ compose ─▶ Via, credentials ─▶ client transaction ─▶ response
        ▲                                │ 401, 407: once more with credentials (RFC 3261 §22.2)
        └── time-out, refusal, 503: the next address (RFC 3263 §4.3)

A datagram that nobody answers at all is sent to the next address after seconds rather than after
the time-out of its transaction, if there is one; what the first still says of an INVITE is seen to.
Not here: what a response means to a call or a registration.
"""

from collections.abc import Callable
from typing import Final, Protocol

from firmware.sip.auth.credentials import Attempts
from firmware.sip.bodies import only_session
from firmware.sip.core import Alarm, Core
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow
from firmware.sip.headers import parse_retry_after
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.notifications import CardAdvanced, FailureCause
from firmware.sip.oversize import Switch
from firmware.sip.route.aliases import offers_alias
from firmware.sip.transaction.client import ClientTransaction, cancel_for
from firmware.sip.transaction.machine import Failure
from firmware.sip.transaction.tables import State
from firmware.sip.uri import Uri
from firmware.sip.wayfinder import Wayfinder
from firmware.sip.writer import write

Compose = Callable[[Flow], Request]
_LOOK_AGAIN: Final = 0.5
_LONGEST_AFTER: Final = 1800.0


class ExchangeUser(Protocol):
    """Who wants the answer."""

    def on_located(self, exchange: "Exchange", now: float) -> None:
        """There is a way, `exchange.flow`; call `go` when the request may leave."""

    def on_response(self, exchange: "Exchange", response: Response, now: float) -> None:
        """A response that is the user's business."""

    def on_failed(self, exchange: "Exchange", cause: FailureCause, detail: str, now: float) -> None:
        """No address gave an answer."""


class Detours(Protocol):
    """Other next hops that may do as well, when nobody answers at the first."""

    def __len__(self) -> int:
        """How many are left."""

    def take(self) -> Uri:
        """The next one; what `compose` makes is meant for it from now on."""


class Exchange:
    """Sends what `compose(flow)` makes; it is called again for every attempt, with a new CSeq.

    `keep` offers to keep the flow alive (RFC 6223).
    """

    def __init__(  # noqa: PLR0913 - what a request needs on its way
        self,
        core: Core,
        line: Line | None,
        hop: Uri,
        compose: Compose,
        user: ExchangeUser,
        hint: Flow | None = None,
        *,
        keep: bool = False,
        detours: Detours | None = None,
    ) -> None:
        self._core = core
        self._line = line
        self._keep = keep
        # Whether the far end has failed to prove that it knows our password.
        self._forged = False
        self._hop = hop
        self._compose = compose
        self._user = user
        self._attempts = Attempts(line.keyring if line else None)
        self._detours = detours
        self._unavailable: Response | None = None
        self._way = Wayfinder(core, hop, self, line, hint)
        self._switch = Switch(core, self)
        # The datagram flow that was too small for the request, while it goes by TCP.
        self._small: Flow | None = None
        self._transaction: ClientTransaction | None = None
        self._progressed = False
        self.flow: Flow | None = None

    @property
    def request(self) -> Request:
        """The request as it was last sent."""
        assert self._transaction is not None
        return self._transaction.request

    @property
    def sent(self) -> bool:
        """Whether a request has left."""
        return self._transaction is not None

    @property
    def _friendly(self) -> bool:
        """Whether the far end may see our credentials."""
        line, flow = self._line, self.flow
        return line is not None and flow is not None and line.trusts_with_digest(flow)

    @property
    def flow_was_hint(self) -> bool:
        """Whether the request went where it was told to go, and nobody looked for another way."""
        return not self._way.known

    @property
    def progressed(self) -> bool:
        """Whether the last request had a provisional response."""
        return self._progressed

    def start(self, now: float) -> None:
        """Look for the first way."""
        self._way.start(now)

    def go(self, now: float) -> None:
        """Send the request on `flow`."""
        assert self.flow is not None
        request = self._compose(self.flow)
        if self._friendly:
            self._attempts.authorize(request)
        branch = self._core.branch()
        via = via_row(self._core, self.flow, branch)
        # RFC 6223 §4.3: we are willing to keep this flow alive.
        request.headers.prepend("Via", f"{via};keep" if self._keep else via)
        if "User-Agent" not in request.headers:
            request.headers.add("User-Agent", self._core.settings.product)
        if self._switch.wanted(request, self.flow, now):
            self._small = self.flow
            self._switch.start(self.flow, now)
            return
        self._progressed = False
        transactions = self._core.transactions
        self._transaction = transactions.send(request, branch, self.flow, self, now)
        self._core.disarm(self, Alarm.IMPATIENT)
        if not self.flow.transport.reliable and self._has_more:
            self._core.arm(self, Alarm.IMPATIENT, now + self._way.patience)

    @property
    def _has_more(self) -> bool:
        """Whether another address may be left, of this hop or of another."""
        return not self._way.exhausted or bool(self._detours)

    def detour_until(self, now: float) -> float | None:
        """When a better server than the one that answered may be tried again, if there is one."""
        return self._way.detour_until(now)

    def cancel(self, now: float, reason: str = "") -> None:
        """Send CANCEL for the INVITE under way; a 1xx must have come (RFC 3261 §9.1)."""
        assert self._transaction is not None
        if self._transaction.state not in (State.CALLING, State.PROCEEDING):
            return
        cancel = cancel_for(self._transaction.request)
        if reason:
            cancel.headers.add("Reason", reason)
        flow = self._transaction.flow
        branch = self._transaction.key[0]
        self._core.transactions.send(cancel, branch, flow, _Deaf(), now)

    def abandon(self) -> None:
        """Stop looking; a request that has left runs its course."""
        self._core.disarm(self, Alarm.IMPATIENT)
        self._switch.abandon()
        self._way.abandon()

    def kill(self) -> None:
        """End the transaction without an answer (an INVITE that stayed silent after CANCEL)."""
        self._core.disarm(self, Alarm.IMPATIENT)
        if self._transaction is not None:
            self._core.transactions.kill(self._transaction)

    # --- the wayfinder ----------------------------------------------------------------------

    def on_switched(self, flow: Flow | None, now: float) -> None:
        """The long request leaves by TCP, or by datagram if there is no TCP (F28)."""
        # RFC 3261 §18.1.1: it is written anew, for its Via names the transport.
        self.flow = flow or self._small
        self.go(now)

    def on_way(self, flow: Flow, now: float) -> None:
        self._small = None
        self.flow = flow
        self._user.on_located(self, now)

    def on_no_way(self, cause: FailureCause, detail: str, now: float) -> None:
        if self._detours:
            self._way.abandon()
            self._way = Wayfinder(self._core, self._detours.take(), self, self._line)
            self._way.start(now)
        elif self._unavailable is not None and cause is FailureCause.SERVER_ERROR:
            self._user.on_response(self, self._unavailable, now)
        else:
            self._user.on_failed(self, cause, detail, now)

    # --- the transaction --------------------------------------------------------------------

    def on_response(self, response: Response, now: float) -> None:
        status = response.status
        self._core.disarm(self, Alarm.IMPATIENT)
        self._judge(response, now)
        if status < 200:
            self._progressed = True
        elif self._friendly and self._again(response):
            self._repeat(now)
            return
        elif status == 503 and self._has_more:
            # RFC 3263 §4.3: the next server; if there is none after all, this is the answer.
            self._unavailable = response
            self._way.next(FailureCause.SERVER_ERROR, response.phrase, now)
            return
        if self._forged:
            self._disown(response, now)
            return
        only_session(response)
        self._user.on_response(self, response, now)

    def _repeat(self, now: float) -> None:
        """Send it again where it was sent, or over TLS if that was agreed upon meanwhile."""
        line, flow = self._line, self.flow
        agreement = line.keyring.agreement if line is not None else None
        if agreement is None or not agreement.by_tls or flow is None or flow.transport.secure:
            self.go(now)
            return
        # RFC 3329 §2.3.1: the mechanism that was chosen is begun, and the request sent over it.
        self._way.abandon()
        self._way = Wayfinder(self._core, self._hop, self, line)
        self._way.start(now)

    def _disown(self, response: Response, now: float) -> None:
        """RFC 7616 §3.5: who answered does not know our password, and is not our server.

        A registration there would be none, a text would not have been delivered, and a call would
        be one with whoever stands in between: it ends before a word is said.
        """
        if self.request.method == "INVITE" and self._line is not None and self.flow is not None:
            self._core.too_late(self._core, self._line, self.request, response, self.flow, now)
        self._user.on_failed(self, FailureCause.SERVER_ERROR, "not our server", now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Nobody has said anything yet: the next server may be alive (RFC 3263 §4.3)."""
        transaction, flow = self._transaction, self.flow
        waits = transaction is not None and transaction.state in (State.CALLING, State.TRYING)
        if alarm is not Alarm.IMPATIENT or transaction is None or flow is None or not waits:
            return
        if not self._way.known:
            self._way.look_further()
            self._core.arm(self, Alarm.IMPATIENT, now + _LOOK_AGAIN)
        elif self._has_more:
            self._core.reachability.fail((flow.transport, flow.remote), now)
            _Overtaken(self._core, self._line).watch(transaction)
            self._way.next(FailureCause.NO_ANSWER, "no answer", now)

    def _judge(self, response: Response, now: float) -> None:
        """Remember that a place lives, or how long it wants to be left alone (RFC 3261 §21.5.4)."""
        if self.flow is None:
            return
        if self.request.method == "REGISTER":
            self._core.appearance.note(self.flow, self._core.local(self.flow), response)
        place = (self.flow.transport, self.flow.remote)
        if response.status != 503:
            self._core.reachability.forgive(place)
            return
        try:
            after = parse_retry_after(response.headers.get("Retry-After") or "")
        except ParseError:
            self._core.reachability.fail(place, now)
        else:
            self._core.reachability.fail(place, now, min(float(after), _LONGEST_AFTER))

    def _again(self, response: Response) -> bool:
        """Whether the response asks for something that we have, of one of our own servers."""
        if response.status < 300:
            self._forged = not self._attempts.confirmed(self.request, response)
            return False
        worth = self._attempts.challenged(response)
        numbers = self._line.keyring.advanced() if self._line is not None else None
        if self._line is not None and numbers is not None:
            self._core.notify(CardAdvanced(self._line.name, numbers))
        return worth

    def on_failure(self, failure: Failure, now: float) -> None:
        self._core.disarm(self, Alarm.IMPATIENT)
        if self.flow is not None:
            self._core.reachability.fail((self.flow.transport, self.flow.remote), now)
        if self._progressed and self.request.method == "INVITE":
            # Somebody rings already; another server would ring them twice.
            self._user.on_failed(self, FailureCause.SESSION_LOST, "connection lost", now)
        elif failure is Failure.TRANSPORT and self._small not in (None, self.flow):
            # RFC 3261 §18.1.1: a server that resets the connection may still take datagrams.
            assert self._small is not None
            self._core.unwilling.note(self._small.remote, now)
            self.on_switched(None, now)
        elif failure is Failure.TIMEOUT:
            if self.flow is not None:
                self._core.distrust(self.flow)
            self._way.next(FailureCause.NO_ANSWER, "no answer", now)
        else:
            trouble = self._core.trouble
            self._way.next(trouble.cause, trouble.reason, now)


class _Overtaken:
    """What the first server still says to a request that has been sent to the next one."""

    def __init__(self, core: Core, line: Line | None) -> None:
        self._core = core
        self._line = line
        self._cancelled = False
        self._transaction: ClientTransaction | None = None

    def watch(self, transaction: ClientTransaction) -> None:
        """Take the answers; a request other than INVITE is done twice without harm."""
        self._transaction = transaction
        transaction.user = self
        if transaction.request.method != "INVITE":
            self._core.transactions.kill(transaction)

    def on_response(self, response: Response, now: float) -> None:
        transaction = self._transaction
        if transaction is None:
            return
        if response.status >= 200:
            self._transaction = None
            if response.status < 300:
                flow, request = transaction.flow, transaction.request
                self._core.too_late(self._core, self._line, request, response, flow, now)
        elif not self._cancelled:
            # RFC 3261 §9.1: a provisional response has come, so it can be cancelled.
            self._cancelled = True
            cancel, branch = cancel_for(transaction.request), transaction.key[0]
            self._core.transactions.send(cancel, branch, transaction.flow, _Deaf(), now)

    def on_failure(self, failure: Failure, now: float) -> None:
        """It has stayed silent."""


class _Deaf:
    """Sends a request and does not care what becomes of it (CANCEL)."""

    def on_response(self, response: Response, now: float) -> None:
        """The INVITE's own final response says what happened."""

    def on_failure(self, failure: Failure, now: float) -> None:
        """As above."""


class Parcel:
    """A request without a transaction of its own: the ACK to a 2xx (RFC 3261 §13.2.2.4).

    Keeps what was sent, to send it again for every repeated 2xx.
    """

    def __init__(self, core: Core, request: Request, hop: Uri, hint: Flow) -> None:
        self._core = core
        self._request = request
        self._way = Wayfinder(core, hop, self, None, hint)
        self._hint = hint
        self._flow: Flow | None = None
        self._data = b""
        self._held = False
        self._switch = Switch(core, self)

    def wait(self) -> None:
        """Keep it until `fill`: the answer it has to carry is not there yet."""
        self._held = True

    def fill(self, sdp: bytes) -> None:
        """Put the session description into it that it has waited for."""
        self._held = False
        if sdp and not self._data:
            self._request.headers.add("Content-Type", "application/sdp")
            self._request.body = sdp

    def send(self, now: float) -> None:
        """Send for the first time, or again."""
        if self._held:
            return
        if self._flow is not None:
            self._core.transmit(self._flow, self._data)
        elif not self._data:
            self._data = b"-"  # on its way: a repeated 2xx meanwhile asks for nothing more
            self._way.start(now)

    def on_way(self, flow: Flow, now: float) -> None:
        if self._switch.wanted(self._request, flow, now):
            self._hint = flow
            self._switch.start(flow, now)
            return
        self._flow = flow
        self._request.headers.prepend("Via", via_row(self._core, flow, self._core.branch()))
        self._data = write(self._request)
        self._core.transmit(flow, self._data)

    def on_switched(self, flow: Flow | None, now: float) -> None:
        """An ACK with a long answer in it, as any request (RFC 3261 §18.1.1)."""
        self.on_way(flow or self._hint, now)

    def on_no_way(self, cause: FailureCause, detail: str, now: float) -> None:
        """The way the 2xx came is the last hope."""
        del cause, detail
        self.on_way(self._hint, now)


def via_row(core: Core, flow: Flow, branch: str) -> str:
    """Our Via on this flow, asking for rport (RFC 3581 §3)."""
    alias = ";alias" if offers_alias(flow, core.local(flow)) else ""
    return f"SIP/2.0/{flow.transport.via} {core.sent_by(flow)};rport;branch={branch}{alias}"
