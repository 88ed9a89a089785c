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

from collections.abc import Iterable, Sized

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.bodies import Rows, party
from firmware.sip.buddies import Buddies
from firmware.sip.causes import Trouble, cause_of_trouble
from firmware.sip.core import AgentSettings, Core
from firmware.sip.dialog import from_bytes
from firmware.sip.effects import CloseFlow, Effect, QueryId
from firmware.sip.errand import say_goodbye
from firmware.sip.flow import Endpoint, Flow, Target
from firmware.sip.handed_up import HandedUp
from firmware.sip.invite.late import too_late
from firmware.sip.invite.replaces import Replaces
from firmware.sip.line import Line
from firmware.sip.lines import Lines
from firmware.sip.notifications import (
    CallRef,
    EventReceived,
    FailureCause,
    LineName,
    Notification,
    Party,
)
from firmware.sip.presentity import Presentity
from firmware.sip.published_calls import PublishedCalls
from firmware.sip.reach.keepalive import Keepalives
from firmware.sip.reception import Reception
from firmware.sip.relocation import Relocations
from firmware.sip.route.appearance import NatRule
from firmware.sip.screening import Screening
from firmware.sip.transfer.room import Transfers
from firmware.sip.usage.info import Info
from firmware.sip.usage.message import Messages
from firmware.sip.usage.notifier import Notifiers
from firmware.sip.usage.own_calls import OwnCalls
from firmware.sip.usage.publication import Publications
from firmware.sip.usage.subscription import Subscriptions
from firmware.sip.usage.unasked import Unasked

__all__ = ["Account", "AgentSettings", "UserAgent"]


class UserAgent:
    """All lines, calls and transactions of one phone."""

    def __init__(self, settings: AgentSettings, tokens: Tokens) -> None:
        self._core = Core(settings, tokens)
        self._screening = Screening(self._core)
        self._keepalives = Keepalives(self._core, self._flow_dead, self._flow_probed)
        self._lines = Lines(self._core, self._keepalives, self._retired)
        self._handed_up = HandedUp(self._core)
        self._reception = Reception(self._core, self._screening, self._keepalives, self._handed_up)
        self.subscriptions = Subscriptions(self._core)
        self.notifiers = Notifiers(self._core)
        self._unasked = Unasked(self._core, self.subscriptions)
        self._own_calls = OwnCalls(self._core, self.notifiers)
        self.notifiers.serve(self._own_calls)
        self.transfers = Transfers(self._core, self.invite)
        self.info = Info(self._core, self._reception.calls.session)
        self.messages = Messages(self._core, self._reception.calls.session)
        self.publications = Publications(self._core)
        self._published_calls = PublishedCalls(self._core, self.publications)
        self.presence = Presentity(self._core, self.publications, self.notifiers)
        self.buddies = Buddies(self._core, self.subscriptions)
        self._calls = self._reception.calls
        self._core.learn = self._screening.learn
        self._core.trusts = self._screening.believes
        self._core.knows = self._screening.knows
        self._core.suspect = self._lines.suspect
        self._core.listen(self._lines.told, EventReceived)
        self._core.too_late = too_late
        self._relocations = Relocations(self._core)

    def __len__(self) -> int:
        """How many things are alive: transactions, timers, calls, dialogs, questions, streams."""
        rooms: tuple[Sized, ...] = (
            *(self._keepalives, self._handed_up, self._relocations, self._unasked),
            *(self.subscriptions, self.notifiers, self._own_calls, self.transfers),
            *(self.info, self.messages, self.publications, self._published_calls, self.buddies),
        )
        return len(self._core) + sum(len(room) for room in rooms)

    def __bool__(self) -> bool:
        return True  # also while nothing is alive

    @property
    def settled(self) -> bool:
        """Whether nothing we sent still waits for its answer (a stopping phone may go)."""
        return not self._core.queries and not self._core.transactions.waiting

    # --- the driver's side ------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """A datagram, or one whole message of a stream."""
        self._reception.receive(data, flow, now)

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
        for owner, alarm in self._core.deadlines.due(now):
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

    def flow_refused(
        self, query: QueryId, reason: str, now: float, cause: FailureCause | None = None
    ) -> None:
        """`OpenFlow` failed; `cause` if the driver knows more than the system's words."""
        user = self._core.queries.pop(query, None)
        if user is not None:
            user.on_refused(reason, now, cause)

    def flow_failed(
        self, flow: Flow, reason: str, now: float, cause: FailureCause | None = None
    ) -> None:
        """A connection is gone, or a datagram could not be sent."""
        self._core.trouble = Trouble(reason, cause or cause_of_trouble(reason))
        self._flow_dead(flow, now)

    def clock_set(self, now: float) -> None:
        """The wall clock has been set: a certificate may be valid now that was not (F11)."""
        self._lines.clock_set(now)

    def network_changed(self, now: float, addresses: frozenset[str] = frozenset()) -> None:
        """Register again everywhere, soon: the machine has `addresses` now (empty = unknown).

        A connection from one of them is kept, and so is the call that is being placed over it. A
        call that is up and stands on an address that is gone is told where it can go on
        (`AddressChanged`); one that nobody has answered yet ends.
        """
        core = self._core
        core.addresses = addresses
        core.reachability.forget()
        core.appearance.forget()
        self._drop_flows(now)
        self._relocations.network_changed(now)
        self._lines.network_changed(now)

    def seen_from_outside(self, local: Endpoint, seen: Endpoint, now: float) -> None:
        """A STUN server saw our socket `local` there: the registrars learn it if it is news."""
        self._lines.seen_from_outside(local, seen, now)

    def binding_life(self, seconds: float) -> None:
        """The NAT between us and the world remembers a datagram for so long."""
        self._keepalives.binding_life = seconds

    def use_nat(self, rules: tuple[NatRule, ...], now: float) -> None:
        """Be called so by far ends of other networks from now on."""
        self._core.appearance.use_rules(rules)
        self._lines.address_known(now)

    def _drop_flows(self, now: float) -> None:
        """End what stands on addresses we no longer have: it would only stay silent."""
        core = self._core
        core.trouble = Trouble("the network changed", FailureCause.NO_NETWORK)
        registered = (each.flow for line in core.lines.values() for each in line.standings.values())
        flows = dict.fromkeys((*registered, *(flow for flow, _ in core.streams.values())))
        for flow in flows:
            gone = not core.has_address(flow.local.host)
            if flow.transport.reliable and (gone or not core.addresses):
                core.effects.append(CloseFlow(flow))
                self._flow_dead(flow, now)
        for flow in core.transactions.flows():
            if not core.has_address(flow.local.host):
                core.transactions.flow_failed(flow, now)

    # --- the phone's side: lines ------------------------------------------------------------

    def set_lines(self, accounts: tuple[Account, ...], now: float) -> frozenset[LineName]:
        """Have exactly these lines; removed ones are unregistered.

        A line keeps its registration if nothing changed that its registrar knows. Returns the
        others: they are new and not registered.

        Raises:
            LocalError: two lines have one name.
        """
        fresh = self._lines.set(accounts, now)
        self._screening.set_lines(now)
        return fresh

    def register(self, line: LineName, now: float) -> None:
        """Keep a line registered from now on; again = refresh now.

        Raises:
            LocalError: there is no such line.
        """
        self._lines.registration(line).register(now)

    def unregister(self, line: LineName, now: float) -> None:
        """Remove a line's binding.

        Raises:
            LocalError: there is no such line.
        """
        self._lines.registration(line).unregister(now)

    def identity(self, line: LineName) -> Party:
        """Who we are on a line.

        Raises:
            LocalError: there is no such line.
        """
        return party(self._lines.line(line).identity)

    # --- the phone's side: calls ------------------------------------------------------------

    def invite(  # noqa: PLR0913 - what a call is made of
        self,
        call: CallRef,
        line: LineName,
        target: str,
        now: float,
        *,
        emergency: bool = False,
        caller: Party | None = None,
        headers: Rows = (),
        replaces: Replaces | None = None,
        anonymous: bool | None = None,
    ) -> None:
        """Place a call; `target` is a number, a user part or a URI. `OfferWanted` follows.

        Any line may be used, registered or not. `caller` replaces the line's own identity.
        `headers` go into the INVITE as they are; `replaces` names a call of the far end whose
        place this one takes (RFC 3891). An `anonymous` call hides who calls (None = as the line
        is set up); an emergency call never does.

        Raises:
            LocalError: no such line, the call exists already, or the target cannot be called.
        """
        self._calls.place(
            *(call, self._lines.line(line), target, now),
            emergency=emergency,
            caller=caller,
            headers=headers,
            replaces=replaces,
            anonymous=anonymous,
        )

    def offer(self, call: CallRef, sdp: bytes, now: float) -> None:
        """The session description for `OfferWanted`; nothing if the call has ended meanwhile.

        An empty one leaves the offer to the far end: it comes as `ReofferReceived`.

        Raises:
            LocalError: the call wants none.
        """
        client = self._calls.client(call)
        if client is not None:
            client.offer(sdp, now)

    def ring(self, call: CallRef, now: float, body: bytes = b"") -> None:
        """Tell the caller that it rings; `body` is early media. Nothing if the call is over.

        If the INVITE had no offer, `body` is ours; the answer comes as `ReofferAnswered`.
        """
        server = self._calls.server(call)
        if server is not None:
            server.ring(now, body)
            self._own_calls.look(now)
            self._published_calls.look()

    def accept(self, call: CallRef, sdp: bytes, now: float, headers: Rows = ()) -> None:
        """Answer a call; `headers` go into the 200. Nothing if the caller has given up."""
        server = self._calls.server(call)
        if server is not None:
            server.accept(sdp, now, headers)

    def reject(
        self, call: CallRef, status: int, now: float, warning: str = "", headers: Rows = ()
    ) -> None:
        """Refuse a call with a status from 300 to 699. Nothing if it is over.

        `warning` is a sentence for the caller, or a whole Warning value (RFC 3261 §20.43);
        `headers` (Contact, Retry-After …) go into the answer as they are.
        """
        server = self._calls.server(call)
        if server is not None:
            server.reject(status, now, warning, headers)

    def end(self, call: CallRef, now: float, reason: str = "") -> None:
        """Cancel, decline or hang up; `CallEnded` follows. Nothing if it is over.

        `reason` is a Reason value for the far end (RFC 3326).
        """
        found = self._core.calls.get(call)
        if found is not None:
            found.end(now, reason)

    def reoffer(self, call: CallRef, sdp: bytes, now: float) -> None:
        """Offer something else: by re-INVITE, before the answer by UPDATE. Nothing if it is over.

        Where an offer may not be sent now, `ReofferRejected` with 491 follows.
        """
        self._calls.reoffer(call, sdp, now)

    def answer_reoffer(self, call: CallRef, sdp: bytes, now: float, fork: str = "") -> None:
        """Accept the far end's offer. Nothing if it is over or withdrawn."""
        leg = self._calls.leg(call, fork)
        if leg is not None:
            leg.answer(sdp, now)

    def reject_reoffer(
        self, call: CallRef, status: int, now: float, warning: str = "", fork: str = ""
    ) -> None:
        """Refuse the far end's offer. Nothing if it is over or withdrawn.

        One that came in a response cannot be refused: it is answered with port 0 for each medium,
        and the call ends, with `warning` as the reason (RFC 6337 §2.3).

        Raises:
            LocalError: the status is no failure.
        """
        self._calls.reject_reoffer(call, status, now, warning, fork)

    def info_digit(self, call: CallRef, digit: str, ms: int, now: float) -> None:
        """Send a keypad digit by INFO. Nothing if the call is over."""
        session = self._calls.session(call)
        if session is not None:
            self.info.digit(session, digit, ms, now)

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
        self.subscriptions.shut_down(now)
        self.notifiers.shut_down(now)
        self.transfers.shut_down(now)
        self.publications.shut_down(now)
        self._lines.shut_down(now)

    # --- what usages report -----------------------------------------------------------------

    def _flow_probed(self, flow: Flow, now: float, *, alive: bool) -> None:
        self._lines.flow_probed(flow, now, alive=alive)

    def _flow_dead(self, flow: Flow, now: float) -> None:
        self._core.streams.pop(flow.number, None)
        if flow.identities:
            self._core.aliases.drop(flow)
        self._core.transactions.flow_failed(flow, now)
        self._lines.flow_lost(flow, now)
        self._keepalives.drop(flow)

    def _retired(self, line: Line, now: float) -> None:
        self.subscriptions.line_retired(line, now)
        self.notifiers.line_retired(line, now)
        self.transfers.line_retired(line, now)
        for room in (
            self.messages,
            self.publications,
            self._published_calls,
            self.presence,
            self.buddies,
        ):
            room.line_retired(line)
