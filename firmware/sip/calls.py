"""All calls: how they begin, and which of their stages an intent is for.

place()   ─▶ InviteClient ─┐
                           ├─ 2xx ─▶ Session
invited() ─▶ InviteServer ─┘
"""

from collections.abc import Callable

from firmware.sip.bodies import Refusal, Rows, party, refusal, sdp_of
from firmware.sip.core import Core
from firmware.sip.dialog import remote_target
from firmware.sip.errors import LocalError
from firmware.sip.identity.privacy import NOBODY, rows_for_hiding
from firmware.sip.invite.early import Others
from firmware.sip.invite.invitation import Wishes
from firmware.sip.invite.leg import Leg
from firmware.sip.invite.replaces import Replaces, judge, judge_join
from firmware.sip.invite.session_timer import MIN_SE, SessionTimer
from firmware.sip.line import Line
from firmware.sip.methods import SUPPORTED, SUPPORTED_WITH_ICE
from firmware.sip.notifications import CallRef, Party
from firmware.sip.tel import called_user
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.uri import parse_uri
from firmware.sip.usage.invite_client import InviteClient
from firmware.sip.usage.invite_server import Answer, InviteServer
from firmware.sip.usage.session import Session

Gate = Callable[[Arrival, float], Refusal | None]


class Calls:
    """The calls of a user agent; `gate` may ask a caller for credentials."""

    def __init__(self, core: Core, others: Others, gate: Gate) -> None:
        self._core = core
        self._others = others
        self._gate = gate

    # --- calls we place ---------------------------------------------------------------------

    def place(  # noqa: PLR0913 - what a call is made of
        self,
        call: CallRef,
        line: Line,
        target: str,
        now: float,
        *,
        emergency: bool = False,
        caller: Party | None = None,
        headers: Rows = (),
        replaces: Replaces | None = None,
        anonymous: bool | None = None,
    ) -> None:
        """Place a call; `anonymous` None = as the line is set up.

        Raises:
            LocalError: the call exists already, or the target cannot be called.
        """
        if call in self._core.calls or call.startswith("in-"):
            raise LocalError(f"there is a call {call} already, or the name is not yours to give")
        if (line.account.anonymous if anonymous is None else anonymous) and not emergency:
            caller = party(NOBODY)
            headers = (*headers, *rows_for_hiding(line.identity))
        wishes = Wishes(caller, emergency, headers, replaces)
        client = InviteClient(
            *(self._core, line, call, line.target(target), self._established, self._others), wishes
        )
        self._core.calls[call] = client
        client.start(now)

    def _established(self, leg: Leg, now: float) -> Session:
        del now
        session = Session(self._core, leg, self._others)
        self._core.calls[leg.call] = session
        session.begin()
        return session

    # --- calls that arrive ------------------------------------------------------------------

    def invited(self, arrival: Arrival, line: Line | None, now: float) -> None:
        """An INVITE outside dialogs from somebody we trust; `line` is None if it is for nobody."""
        core, request = self._core, arrival.request
        target = remote_target(arrival)
        body = sdp_of(request)
        transaction = core.transactions.open(arrival)
        refused = self._why_not(arrival, line, now)
        replaces = judge(request.headers, core.dialogs)
        if refused is not None or line is None:
            status, rows = refused or (404, ())
            core.answer(transaction, status, now, rows)
        elif target is None:
            core.answer(transaction, 400, now)
        elif body is None:
            core.answer(transaction, 415, now, [("Accept", "application/sdp")])
        elif isinstance(replaces, tuple):
            core.answer(transaction, replaces[0], now, replaces[1])
        else:
            call = core.call_ref()
            server = InviteServer(
                core, line, call, transaction, target, self._accepted, self._others
            )
            core.calls[call] = server
            user = called_user(parse_uri(request.uri))
            called = called_user(arrival.to.uri) if user == line.contact_user else user
            server.begin(called, body, now, replaces)

    def _why_not(self, arrival: Arrival, line: Line | None, now: float) -> Refusal | None:
        headers = arrival.request.headers
        if line is None:
            return 404, ()
        gate = self._gate(arrival, now)
        if gate is not None:
            return gate
        if len(self._core.calls) >= self._core.settings.most_calls:
            return 486, ()
        brief = SessionTimer(self._core, MIN_SE).too_brief(headers)
        joins = judge_join(headers, self._core.dialogs)
        known = SUPPORTED_WITH_ICE if line.account.ice else SUPPORTED
        return refusal(arrival.request, known) or brief or joins

    def _accepted(
        self,
        leg: Leg,
        transaction: ServerTransaction,
        answer: Answer,
        now: float,
    ) -> None:
        session = Session(self._core, leg, self._others)
        self._core.calls[leg.call] = session
        session.begin()
        session.accept(transaction, answer.sdp, now, offered=answer.offered, headers=answer.headers)

    def cancelled(self, cancel: Arrival, invite: ServerTransaction, now: float) -> None:
        """A CANCEL for an INVITE that was found (RFC 3261 §9.2)."""
        match invite.user:
            case InviteServer() as server:
                server.cancelled(cancel, now)
            case Session() as session:
                session.cancelled(invite, now)
            case _:
                pass

    # --- intents ----------------------------------------------------------------------------

    def client(self, call: CallRef) -> InviteClient | None:
        """A call being placed; None if it has ended.

        Raises:
            LocalError: it is in another stage.
        """
        found = self._core.calls.get(call)
        if found is None or isinstance(found, InviteClient):
            return found
        raise LocalError(f"call {call} wants no offer")

    def server(self, call: CallRef) -> InviteServer | None:
        """A call that rings here; None if it has ended.

        Raises:
            LocalError: it is in another stage.
        """
        found = self._core.calls.get(call)
        if found is None or isinstance(found, InviteServer):
            return found
        raise LocalError(f"call {call} is not one that waits for an answer")

    def session(self, call: CallRef) -> Session | None:
        """A call that is up; None if it has ended.

        Raises:
            LocalError: it has not been answered.
        """
        found = self._core.calls.get(call)
        if found is None or isinstance(found, Session):
            return found
        raise LocalError(f"call {call} has not been answered")

    def leg(self, call: CallRef, fork: str) -> Leg | None:
        """The dialog of a call in any stage; `fork` while several may be early."""
        match self._core.calls.get(call):
            case InviteClient() as client:
                return client.leg(fork)
            case InviteServer() | Session() as found:
                return found.leg
            case _:
                return None

    def reoffer(self, call: CallRef, sdp: bytes, now: float) -> None:
        """Offer something else: by re-INVITE, or by UPDATE before the call is answered."""
        match self._core.calls.get(call):
            case InviteClient() | InviteServer() | Session() as found:
                found.reoffer(sdp, now)
            case _:
                pass

    def reject_reoffer(
        self, call: CallRef, status: int, now: float, warning: str = "", fork: str = ""
    ) -> None:
        """Refuse an offer of the far end.

        Raises:
            LocalError: the status is no failure.
        """
        if not 300 <= status <= 699:
            raise LocalError(f"{status} refuses nothing")
        leg = self.leg(call, fork)
        if leg is not None:
            leg.refuse(status, now, warning)
