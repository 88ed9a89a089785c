"""What arrives: from octets to the part of the user agent whose business it is.

Everything here is caused by the network, so nothing here raises. A friend gets the answer that the
RFC asks for, a stranger none (`screening`).
"""

from firmware.sip import trying
from firmware.sip.auth.gatekeeper import Gatekeeper
from firmware.sip.bodies import Refusal, refusal
from firmware.sip.calls import Calls
from firmware.sip.core import ALLOW, Core, Usage
from firmware.sip.echo import echo
from firmware.sip.effects import CloseFlow
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow
from firmware.sip.handed_up import HandedUp
from firmware.sip.invite.replaces import misplaced
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import KNOWN, SUPPORTED
from firmware.sip.parser import parse, validate
from firmware.sip.reach.keepalive import Keepalives
from firmware.sip.reach.stun_ping import is_stun
from firmware.sip.route.sips import unfit
from firmware.sip.screening import Screening
from firmware.sip.tel import called_user
from firmware.sip.transaction.keys import Arrival, read_arrival, response_flow
from firmware.sip.uri import parse_uri
from firmware.sip.usage import options
from firmware.sip.writer import write

# They mean something only inside a dialog or a subscription that we would know.
_NEED_DIALOG = frozenset({"BYE", "INFO", "UPDATE", "PRACK", "NOTIFY"})


class Reception:
    """Takes messages and finds who is responsible."""

    def __init__(
        self, core: Core, screening: Screening, keepalives: Keepalives, handed_up: HandedUp
    ) -> None:
        self._core = core
        self._screening = screening
        self._keepalives = keepalives
        self._handed_up = handed_up
        settings = core.settings
        self._gatekeeper = (
            Gatekeeper(settings.realm, settings.passwords, core.tokens) if settings.realm else None
        )
        options.install(core)
        self.calls = Calls(core, self.in_call, self._challenge)

    # --- messages ---------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """A datagram, or one whole message of a stream."""
        if flow.transport.reliable:
            self._core.streams.setdefault(flow.number, (flow, flow.local))
        if self._kept_alive(data, flow, now):
            return
        if not self._screening.admits(flow, now):
            if flow.transport.reliable:
                self._core.effects.append(CloseFlow(flow))  # A13: nobody keeps a place by shouting
            return
        try:
            message = parse(data)
            if isinstance(message, Response):
                if validate(message) is None:
                    self._core.transactions.receive_response(message, flow, now)
            else:
                self._receive_request(message, flow, now)
        except ParseError as error:
            self._refuse_garbage(error, data, flow, now)

    def _kept_alive(self, data: bytes, flow: Flow, now: float) -> bool:
        """Whether it is the answer to a keep-alive, and no message."""
        if not data.strip(b"\r\n\0 "):
            self._keepalives.pong(flow)
        elif is_stun(data):
            self._keepalives.stun(data, flow, now)
        else:
            return False
        return True

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        try:
            arrival = read_arrival(request, flow)
        except ParseError as error:
            error.partial = request
            raise
        if self._core.transactions.absorb(arrival, now):
            return
        status = validate(request)
        if status is not None:
            self._stateless(arrival, status, now)
        elif request.method == "CANCEL":
            self._cancel(arrival, now)
        else:
            if arrival.to_tag:
                self._inside_dialog(arrival, now)
            else:
                self._outside_dialog(arrival, now)
            trying.watch(self._core, arrival, now)

    def _refuse_garbage(self, error: ParseError, data: bytes, flow: Flow, now: float) -> None:
        """Answer what could not be read, if a friend sent it and says whom to answer."""
        arrival = _sender(error.partial, flow)
        if arrival is not None:
            self._stateless(arrival, error.status, now, phrase=error.phrase)
        elif not self._screening.trusting(flow):
            self._screening.turn_away(flow, "", now)
        elif (answer := self._echo(error)) is not None:
            self._core.transmit(flow, answer)
        elif flow.transport.reliable and not data.startswith(b"SIP/"):
            # F21, A14: over a stream somebody waits for an answer that cannot be written.
            self._core.effects.append(CloseFlow(flow))

    def _echo(self, error: ParseError) -> bytes | None:
        tag = self._core.tokens.word(60)
        return echo(error.partial, error.status, error.phrase, tag)

    def _inside_dialog(self, arrival: Arrival, now: float) -> None:
        core, call_id, tag = self._core, arrival.call_id, arrival.to_tag
        user = core.dialogs.get((call_id, tag, arrival.from_tag))
        if user is None:
            user = core.half_dialogs.get((call_id, tag))
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
        elif core.transactions.sent_by_us(arrival):
            # RFC 3261 §16.3: a loop; what a proxy brings back to us has the proxy's Via on top.
            core.answer(core.transactions.open(arrival), 482, now)
        elif core.transactions.merged(arrival):
            core.answer(core.transactions.open(arrival), 482, now)
        elif request.method in core.settings.hand_up:
            self._handed_up.take(arrival, now)
        else:
            self._welcome(arrival, lines, now)

    def _welcome(self, arrival: Arrival, lines: tuple[Line, ...], now: float) -> None:
        core, request = self._core, arrival.request
        core.aliases.note(arrival)
        able = any(line.account.transport.secure for line in lines)
        refused = unfit(request, arrival.flow, able=able)
        if refused is not None:
            core.answer(core.transactions.open(arrival), refused[0], now, refused[1])
        elif request.method == "INVITE":
            user = called_user(parse_uri(request.uri))
            line = self._screening.line_for(user, arrival.flow, lines)
            self.calls.invited(arrival, line, now)
        else:
            self._by_method(arrival, lines, now)

    def _by_method(self, arrival: Arrival, lines: tuple[Line, ...], now: float) -> None:
        """RFC 3261 §8.2: method, then who it is for, then what it requires."""
        core, method = self._core, arrival.request.method
        transaction = core.transactions.open(arrival)
        serve = core.outside.get(method)
        user = called_user(parse_uri(arrival.request.uri))
        line = self._screening.line_for(user, arrival.flow, lines)
        refused = refusal(arrival.request, SUPPORTED)
        if method not in KNOWN:
            core.answer(transaction, 501, now, [("Allow", ALLOW)])
        elif serve is None and method in _NEED_DIALOG:
            core.answer(transaction, 481, now)
        elif serve is None:
            core.answer(transaction, 405, now, [("Allow", ALLOW)])
        elif misplaced(arrival.request):
            core.answer(transaction, 400, now)
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        elif line is None and method != "OPTIONS":
            core.answer(transaction, 404, now)
        else:
            serve(transaction, line or lines[0], now)

    def in_call(self, usage: Usage, arrival: Arrival, now: float) -> None:
        """A request inside a call that is neither ACK, BYE nor INVITE."""
        core, method = self._core, arrival.request.method
        transaction = core.transactions.open(arrival)
        serve = core.inside.get(method)
        refused = refusal(arrival.request, SUPPORTED)
        if method not in KNOWN:
            core.answer(transaction, 501, now, [("Allow", ALLOW)])
        elif serve is None:
            core.answer(transaction, 405, now, [("Allow", ALLOW)])
        elif misplaced(arrival.request):
            core.answer(transaction, 400, now)
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        else:
            serve(usage, transaction, now)

    # --- calls that arrive ------------------------------------------------------------------

    def _challenge(self, arrival: Arrival, now: float) -> Refusal | None:
        gatekeeper, request = self._gatekeeper, arrival.request
        if gatekeeper is not None and gatekeeper.admits(request, now) is None:
            return 401, gatekeeper.challenges(request, now)
        return None

    def _cancel(self, cancel: Arrival, now: float) -> None:
        """RFC 3261 §9.2: the CANCEL has its own answer; the INVITE gets 487 if it still waits."""
        core = self._core
        invite = core.transactions.invite_of(cancel)
        if invite is None:
            self._stateless(cancel, 481, now)
            return
        core.answer(core.transactions.open(cancel), 200, now)
        self.calls.cancelled(cancel, invite, now)

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


def _sender(so_far: Request | None, flow: Flow) -> Arrival | None:
    """Whom to answer, if that much of a request could be read."""
    try:
        return None if so_far is None else read_arrival(so_far, flow)
    except ParseError:
        return None
