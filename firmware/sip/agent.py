"""The SIP user agent of the phone: one object, no I/O.

    receive(data, flow, now) ─▶ parse ─▶ response ─▶ its transaction ─▶ exchange ─▶ usage
                                  │
                                  └────▶ request ─▶ its transaction (again, ACK)
                                           ├──────▶ its dialog ─▶ Session
                                           ├──────▶ stranger: nothing
                                           └──────▶ INVITE, OPTIONS, … by method

Feed it one input (a message, a timer, an answer of the driver, an intent of the phone), then take
all effects and all notifications, then feed the next. Whatever the network sends, nothing raises;
an intent that makes no sense raises `LocalError`.
"""

from collections.abc import Iterable

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.bodies import Refusal, refusal, sdp_of
from firmware.sip.core import ALLOW, AgentSettings, Core
from firmware.sip.credentials import Keyring
from firmware.sip.dialog import Dialog, contact_of, from_bytes
from firmware.sip.effects import CloseFlow, Effect, QueryId
from firmware.sip.errand import say_goodbye
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.flow import Flow, Target
from firmware.sip.gatekeeper import Gatekeeper
from firmware.sip.handed_up import HandedUp
from firmware.sip.keepalive import Keepalives
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import KNOWN
from firmware.sip.notifications import CallRef, FailureCause, LineName, Notification, Party
from firmware.sip.parser import parse, validate
from firmware.sip.screening import Screening
from firmware.sip.transaction.keys import Arrival, read_arrival, response_flow
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.uri import parse_uri
from firmware.sip.usage.info import answer_info
from firmware.sip.usage.invite_client import InviteClient
from firmware.sip.usage.invite_server import InviteServer
from firmware.sip.usage.options import answer_options
from firmware.sip.usage.registration import Registration
from firmware.sip.usage.session import Session
from firmware.sip.writer import write

__all__ = ["Account", "AgentSettings", "UserAgent"]

# They mean something only inside a dialog or a subscription that we would know.
_NEED_DIALOG = frozenset({"BYE", "INFO", "UPDATE", "PRACK", "NOTIFY"})


class UserAgent:
    """All lines, calls and transactions of one phone."""

    def __init__(self, settings: AgentSettings, tokens: Tokens) -> None:
        self._core = Core(settings, tokens)
        self._screening = Screening(self._core)
        self._keepalives = Keepalives(self._core, self._flow_dead)
        self._registrations: dict[LineName, Registration] = {}
        self._handed_up = HandedUp(self._core)
        self._gatekeeper = (
            Gatekeeper(settings.realm, settings.passwords, tokens) if settings.realm else None
        )
        self._core.learn = self._screening.learn
        self._core.suspect = self._suspect

    def __len__(self) -> int:
        """How many things are alive: transactions, timers, calls, dialogs, questions, streams."""
        return len(self._core) + len(self._keepalives) + len(self._handed_up)

    def __bool__(self) -> bool:
        return True  # also while nothing is alive

    @property
    def settled(self) -> bool:
        """Whether nothing we sent still waits for its answer (a stopping phone may go)."""
        return not self._core.queries and not self._core.transactions.waiting

    # --- the driver's side ------------------------------------------------------------------

    def take_effects(self) -> list[Effect]:
        """What the driver must do, in this order; each is given once."""
        effects, self._core.effects = self._core.effects, []
        return effects

    def take_notifications(self) -> list[Notification]:
        """What the phone must know, in this order; each is given once."""
        notifications, self._core.notifications = self._core.notifications, []
        return notifications

    def next_deadline(self) -> float | None:
        """When `fire_timers` wants to be called."""
        mine, theirs = self._core.deadlines.earliest(), self._core.transactions.next_deadline
        if mine is None or theirs is None:
            return theirs if mine is None else mine
        return min(mine, theirs)

    def fire_timers(self, now: float) -> None:
        """Do what is due."""
        self._core.transactions.fire_timers(now)
        for owner, alarm in self._core.deadlines.take_due(now):
            owner.on_alarm(alarm, now)

    def target_resolved(self, query: QueryId, targets: tuple[Target, ...], now: float) -> None:
        """The answer to `ResolveTarget`."""
        user = self._core.queries.pop(query, None)
        if user is not None:
            user.on_resolved(targets, now)

    def target_failed(self, query: QueryId, cause: FailureCause, detail: str, now: float) -> None:
        """`ResolveTarget` found nothing."""
        user = self._core.queries.pop(query, None)
        if user is not None:
            user.on_unresolved(cause, detail, now)

    def flow_opened(self, query: QueryId, flow: Flow, now: float) -> None:
        """The answer to `OpenFlow`; one that nobody waits for any more is closed."""
        user = self._core.queries.pop(query, None)
        if user is None:
            self._core.effects.append(CloseFlow(flow))
        else:
            user.on_opened(flow, now)

    def flow_refused(self, query: QueryId, reason: str, now: float) -> None:
        """`OpenFlow` failed."""
        user = self._core.queries.pop(query, None)
        if user is not None:
            user.on_refused(reason, now)

    def flow_failed(self, flow: Flow, reason: str, now: float) -> None:
        """A connection is gone, or a datagram could not be sent."""
        del reason
        self._flow_dead(flow, now)

    def network_changed(self, now: float) -> None:
        """Our addresses may have changed: register again everywhere, soon."""
        for registration in self._registrations.values():
            registration.network_changed(now)

    # --- the phone's side: lines ------------------------------------------------------------

    def set_lines(self, accounts: tuple[Account, ...], now: float) -> None:
        """Have exactly these lines; unchanged ones do not notice, removed ones are unregistered.

        Raises:
            LocalError: two lines have one name.
        """
        if len({account.line for account in accounts}) != len(accounts):
            raise LocalError("two lines have one name")
        old, self._core.lines = self._core.lines, {}
        for account in accounts:
            kept = old.get(account.line)
            unchanged = kept is not None and kept.account == account
            line = kept if kept and unchanged else self._new_line(account, kept)
            self._core.lines[account.line] = line
        for name, line in old.items():
            if self._core.lines.get(name) is not line:
                self._retire(line, now)
        self._screening.set_lines(now)

    def register(self, line: LineName, now: float) -> None:
        """Keep a line registered from now on; again = refresh now.

        Raises:
            LocalError: there is no such line.
        """
        self._registration(line).register(now)

    def unregister(self, line: LineName, now: float) -> None:
        """Remove a line's binding.

        Raises:
            LocalError: there is no such line.
        """
        self._registration(line).unregister(now)

    # --- the phone's side: calls ------------------------------------------------------------

    def invite(
        self,
        call: CallRef,
        line: LineName,
        target: str,
        now: float,
        *,
        emergency: bool = False,
        caller: Party | None = None,
    ) -> None:
        """Place a call; `target` is a number, a user part or a URI. `OfferWanted` follows.

        Any line may be used, registered or not. `caller` replaces the line's own identity.

        Raises:
            LocalError: no such line, the call exists already, or the target cannot be called.
        """
        if call in self._core.calls or call.startswith("in-"):
            raise LocalError(f"there is a call {call} already, or the name is not yours to give")
        owner = self._line(line)
        uri = owner.account.target(target)
        client = InviteClient(
            self._core, owner, call, uri, self._established, caller=caller, emergency=emergency
        )
        self._core.calls[call] = client
        client.start(now)

    def offer(self, call: CallRef, sdp: bytes, now: float) -> None:
        """The session description for `OfferWanted`; nothing if the call has ended meanwhile.

        Raises:
            LocalError: the call wants none.
        """
        match self._core.calls.get(call):
            case InviteClient() as client:
                client.offer(sdp, now)
            case None:
                pass
            case _:
                raise LocalError(f"call {call} wants no offer")

    def ring(self, call: CallRef, now: float, body: bytes = b"") -> None:
        """Tell the caller that it rings; `body` is early media. Nothing if the call is over."""
        server = self._incoming(call)
        if server is not None:
            server.ring(now, body)

    def accept(self, call: CallRef, sdp: bytes, now: float) -> None:
        """Answer a call. Nothing if the caller has given up meanwhile."""
        server = self._incoming(call)
        if server is not None:
            server.accept(sdp, now)

    def reject(self, call: CallRef, status: int, now: float, warning: str = "") -> None:
        """Refuse a call with a status from 300 to 699. Nothing if it is over.

        `warning` is a whole Warning value (RFC 3261 §20.43).
        """
        server = self._incoming(call)
        if server is not None:
            server.reject(status, now, warning)

    def end(self, call: CallRef, now: float) -> None:
        """Cancel, decline or hang up; `CallEnded` follows. Nothing if it is over."""
        found = self._core.calls.get(call)
        if found is not None:
            found.end(now)

    def reoffer(self, call: CallRef, sdp: bytes, now: float) -> None:
        """Send a re-INVITE. Nothing if the call is over."""
        session = self._session(call)
        if session is not None:
            session.reoffer(sdp, now)

    def answer_reoffer(self, call: CallRef, sdp: bytes, now: float) -> None:
        """Accept the far end's re-INVITE. Nothing if it is over or withdrawn."""
        session = self._session(call)
        if session is not None:
            session.answer_reoffer(sdp, now)

    def reject_reoffer(self, call: CallRef, status: int, now: float, warning: str = "") -> None:
        """Refuse the far end's re-INVITE. Nothing if it is over or withdrawn."""
        session = self._session(call)
        if session is not None:
            session.reject_reoffer(status, now, warning)

    def info_digit(self, call: CallRef, digit: str, ms: int, now: float) -> None:
        """Send a keypad digit by INFO. Nothing if the call is over."""
        session = self._session(call)
        if session is not None:
            session.send_digit(digit, ms, now)

    def respond(
        self,
        key: str,
        status: int,
        now: float,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        """Answer a `RequestReceived` with a final response. Nothing if it was given up.

        Raises:
            LocalError: the status is not final.
        """
        self._handed_up.respond(key, status, now, headers, body)

    def end_orphan(self, snapshot: bytes, now: float) -> None:
        """End a call of an earlier life (`DialogSaved`) with BYE; a damaged one is passed over."""
        try:
            dialog, name = from_bytes(snapshot)
        except ValueError:
            return
        # Requests since the snapshot was written are not in it.
        dialog.local_cseq += 100
        say_goodbye(self._core, self._core.lines.get(LineName(name)), dialog, now)

    def shut_down(self, now: float) -> None:
        """End every call and registration; go on feeding the agent until it is `settled`."""
        for call in list(self._core.calls.values()):
            call.end(now)
        for registration in self._registrations.values():
            registration.unregister(now)

    # --- messages ---------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """A datagram, or one whole message of a stream."""
        if flow.transport.reliable:
            self._core.streams.setdefault(flow.number, (flow, flow.local))
        if not data.strip(b"\r\n\0 "):
            self._keepalives.pong(flow)
            return
        if not self._screening.admits(flow, now):
            return
        try:
            message = parse(data)
            if isinstance(message, Response):
                if validate(message) is None:
                    self._core.transactions.receive_response(message, flow, now)
            else:
                self._receive_request(message, flow, now)
        except ParseError as error:
            self._refuse_garbage(error, flow, now)

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        arrival = read_arrival(request, flow)
        if self._core.transactions.absorb(arrival, now):
            return
        status = validate(request)
        if status is not None:
            self._stateless(arrival, status, now)
        elif request.method == "CANCEL":
            self._cancel(arrival, now)
        elif arrival.to_tag:
            self._inside_dialog(arrival, now)
        else:
            self._outside_dialog(arrival, now)

    def _refuse_garbage(self, error: ParseError, flow: Flow, now: float) -> None:
        """Answer what could not be read, if a friend sent it and says whom to answer."""
        if error.partial is None:
            if not self._screening.trusting(flow):
                self._screening.turn_away(flow, "", now)
            return
        try:
            arrival = read_arrival(error.partial, flow)
        except ParseError:
            return
        self._stateless(arrival, error.status, now, phrase=error.phrase)

    def _inside_dialog(self, arrival: Arrival, now: float) -> None:
        user = self._core.dialogs.get((arrival.call_id, arrival.to_tag, arrival.from_tag))
        if user is not None:
            user.on_request(arrival, now)
        else:
            self._stateless(arrival, 481, now)

    def _outside_dialog(self, arrival: Arrival, now: float) -> None:
        core, request = self._core, arrival.request
        lines = self._screening.trusting(arrival.flow)
        if not lines:
            self._screening.turn_away(arrival.flow, request.method, now)
        elif request.method == "ACK":
            pass  # an ACK is never answered, and this one belongs to nothing
        elif core.transactions.full:
            self._stateless(arrival, 503, now)
        elif core.transactions.merged(arrival):
            core.answer(core.transactions.open(arrival), 482, now)
        elif request.method in core.settings.hand_up:
            self._handed_up.take(arrival, now)
        elif request.method == "INVITE":
            self._invited(arrival, lines, now)
        else:
            self._by_method(arrival, now)

    def _by_method(self, arrival: Arrival, now: float) -> None:
        core, method = self._core, arrival.request.method
        transaction = core.transactions.open(arrival)
        refused = refusal(arrival.request)
        if method not in KNOWN:
            core.answer(transaction, 501, now, [("Allow", ALLOW)])
        elif method in _NEED_DIALOG:
            core.answer(transaction, 481, now)
        elif method != "OPTIONS":
            core.answer(transaction, 405, now, [("Allow", ALLOW)])
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        else:
            answer_options(core, transaction, now)

    def _in_call(self, call: CallRef, arrival: Arrival, now: float) -> None:
        """A request inside a call that is neither ACK, BYE nor INVITE."""
        core, method = self._core, arrival.request.method
        transaction = core.transactions.open(arrival)
        refused = refusal(arrival.request)
        if method not in KNOWN:
            core.answer(transaction, 501, now, [("Allow", ALLOW)])
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        elif method == "INFO":
            answer_info(core, call, transaction, now)
        elif method == "OPTIONS":
            answer_options(core, transaction, now)
        else:
            core.answer(transaction, 405, now, [("Allow", ALLOW)])

    # --- calls that arrive ------------------------------------------------------------------

    def _invited(self, arrival: Arrival, lines: tuple[Line, ...], now: float) -> None:
        core, request = self._core, arrival.request
        uri = parse_uri(request.uri)
        line = self._screening.line_for(uri.user, arrival.flow, lines)
        target = contact_of(request.headers)
        body = sdp_of(request)
        transaction = core.transactions.open(arrival)
        refused = self._why_not(arrival, line, now)
        if refused is not None or line is None:
            core.answer(transaction, *_at(refused or (404, ()), now))
        elif target is None:
            core.answer(transaction, 400, now)
        elif body is None:
            core.answer(transaction, 415, now, [("Accept", "application/sdp")])
        else:
            call = core.call_ref()
            server = InviteServer(core, line, call, transaction, target, self._accepted)
            core.calls[call] = server
            called = arrival.to.uri.user if uri.user == line.contact_user else uri.user
            server.begin(called, body, now)

    def _why_not(self, arrival: Arrival, line: Line | None, now: float) -> Refusal | None:
        if line is None:
            return 404, ()
        gatekeeper, request = self._gatekeeper, arrival.request
        if gatekeeper is not None and gatekeeper.admits(request, now) is None:
            return 401, gatekeeper.challenges(request, now)
        if len(self._core.calls) >= self._core.settings.most_calls:
            return 486, ()
        return refusal(request)

    def _cancel(self, cancel: Arrival, now: float) -> None:
        """RFC 3261 §9.2: the CANCEL has its own answer; the INVITE gets 487 if it still waits."""
        core = self._core
        invite = core.transactions.invite_of(cancel)
        if invite is None:
            self._stateless(cancel, 481, now)
            return
        core.answer(core.transactions.open(cancel), 200, now)
        match invite.user:
            case InviteServer() as server:
                server.cancelled(cancel, now)
            case Session() as session:
                session.cancelled(invite, now)
            case _:
                pass

    # --- what usages report -----------------------------------------------------------------

    def _established(self, call: CallRef, line: Line, dialog: Dialog) -> None:
        session = Session(self._core, line, call, dialog, self._in_call, caller=True)
        self._core.calls[call] = session
        session.begin()

    def _accepted(  # noqa: PLR0913, PLR0917 - the signature of `invite_server.Accepted`
        self,
        call: CallRef,
        line: Line,
        dialog: Dialog,
        transaction: ServerTransaction,
        sdp: bytes,
        offered: bool,  # noqa: FBT001
        now: float,
    ) -> None:
        session = Session(self._core, line, call, dialog, self._in_call, caller=False)
        self._core.calls[call] = session
        session.begin()
        session.accept(transaction, sdp, now, offered=offered)

    def _suspect(self, line: Line, now: float) -> None:
        registration = self._registrations.get(line.name)
        if registration is not None and registration.line is line:
            registration.suspect(now)

    def _flow_dead(self, flow: Flow, now: float) -> None:
        self._core.streams.pop(flow.number, None)
        self._keepalives.drop(flow)
        self._core.transactions.flow_failed(flow, now)
        for registration in self._registrations.values():
            if registration.line.registrar_flow == flow:
                registration.flow_lost(now)

    # --- helpers ----------------------------------------------------------------------------

    def _stateless(self, arrival: Arrival, status: int, now: float, phrase: str = "") -> None:
        """Answer a friend without keeping anything (RFC 3261 §8.2.7); a stranger not at all."""
        if not self._screening.trusting(arrival.flow):
            self._screening.turn_away(arrival.flow, arrival.request.method, now)
        elif arrival.request.method != "ACK":
            # The tag need not be the same for a retransmission: nothing follows from a failure.
            tag = self._core.tokens.word(60)
            answer = self._core.response(arrival, status, tag, phrase=phrase)
            self._core.transmit(response_flow(arrival), write(answer))

    def _new_line(self, account: Account, old: Line | None) -> Line:
        tokens = self._core.tokens
        contact = account.contact_user or (old.contact_user if old else tokens.word(80))
        instance = account.instance_id or (old.instance_id if old else _urn(tokens.octets(16)))
        return Line(account, contact, instance, Keyring(account, tokens))

    def _retire(self, line: Line, now: float) -> None:
        registration = self._registrations.pop(line.name, None)
        if registration is not None:
            registration.retire(now)

    def _line(self, name: LineName) -> Line:
        line = self._core.lines.get(name)
        if line is None:
            raise LocalError(f"there is no line {name!r}")
        return line

    def _registration(self, name: LineName) -> Registration:
        line = self._line(name)
        found = self._registrations.get(name)
        if found is None:
            found = Registration(self._core, line, self._keepalives.keep)
            self._registrations[name] = found
        return found

    def _incoming(self, call: CallRef) -> InviteServer | None:
        found = self._core.calls.get(call)
        if found is None or isinstance(found, InviteServer):
            return found
        raise LocalError(f"call {call} is not one that waits for an answer")

    def _session(self, call: CallRef) -> Session | None:
        found = self._core.calls.get(call)
        if found is None or isinstance(found, Session):
            return found
        raise LocalError(f"call {call} has not been answered")


def _urn(octets: bytes) -> str:
    """A random UUID as a URN (RFC 4122 §4.4), for +sip.instance."""
    digits = bytearray(octets)
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _at(refused: Refusal, now: float) -> tuple[int, float, tuple[tuple[str, str], ...]]:
    return refused[0], now, refused[1]
