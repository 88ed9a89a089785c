"""The practice exchange: what each number does, and calls between the phones registered here.

    600 echo · 601 announcement and tone · 602 busy · 603 rings for ever · 604 answers, hangs up
    605 asks you to hang up and calls back five seconds later · emergency numbers: an announcement
    else: whoever is registered under that number

Phones transfer calls among each other: a REFER goes on to the other phone, and a call that takes
the place of another (Replaces) goes on to the phone that has that one.

It is a back-to-back user agent on our own SIP stack, and as pure as that: notifications and moments
in, calls of the `UserAgent` and of the `Booth` (the sound) out. Between two phones it passes SDP
through untouched, so their sound does not pass here. Every phone of a user rings, and the first
that is lifted has the call; one that has registered more than once is looked for where it was last,
then where it was before. Texts (MESSAGE) go to every phone of a user too.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from firmware.base.deadlines import Deadlines
from firmware.lab.registrar import Registrar
from firmware.lab.ringing import Branch, Ring, status_of
from firmware.lab.texts import Texts
from firmware.media.messages import Route
from firmware.sip.agent import UserAgent
from firmware.sip.errors import LocalError
from firmware.sip.invite.reasons import ELSEWHERE
from firmware.sip.invite.replaces import Replaces
from firmware.sip.methods import MESSAGE
from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallRef,
    IncomingCall,
    InfoDigit,
    LineName,
    MessageOutcome,
    MessageReceived,
    Notification,
    OfferWanted,
    Party,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
    RequestReceived,
    TransferAsked,
)
from firmware.sip.uri import parse_uri

LINE = LineName("practice")
BRIEF_SECONDS = 3.0
"""How long 604 stays after it has answered."""
NOTICE_SECONDS = 5.5
"""How long 605 speaks before it hangs up by itself."""
CALL_BACK_SECONDS = 5.0
_DIGITS = frozenset("0123456789*#ABCD")


class Booth(Protocol):
    """The sound of the calls that end here."""

    def answer(self, call: CallRef, offer: bytes, local: str, route: Route, clip: str) -> bytes:
        """Our SDP for this call, with its stream opened; `b""` if there is nothing in common."""

    def answer_again(self, call: CallRef, offer: bytes) -> bytes:
        """Our SDP for a re-INVITE, `b""` as above."""

    def offer(self, call: CallRef, local: str, clip: str) -> bytes:
        """Our offer for a call that we place, a new one each time; `b""` if there is no port."""

    def answered(self, call: CallRef, answer: bytes) -> bool:
        """The far end has answered our offer; False if that leaves nothing to say it with."""

    def close(self, call: CallRef) -> None:
        """The call is over; nothing happens if it had no sound here."""


class _CallBack(Struct, frozen=True):
    """Whom to call at which moment: a name for a deadline."""

    user: str


class _HangUp(Struct, frozen=True):
    """Which call to end: a name for a deadline."""

    call: CallRef


class Exchange:
    """All calls of the practice PBX."""

    def __init__(
        self, agent: UserAgent, registrar: Registrar, booth: Booth, emergency: frozenset[str]
    ) -> None:
        self._agent = agent
        self._registrar = registrar
        self._booth = booth
        self._emergency = emergency
        # Both ways: a caller's call and the leg to the phone it asked for.
        self._other: dict[CallRef, CallRef] = {}
        # By the caller's call and by ours: what nobody has answered yet.
        self._rings: dict[CallRef, Ring] = {}
        self._branches: dict[CallRef, Branch] = {}
        # Calls of ours without an offer: the phone has offered, the caller's ACK has the answer.
        self._late: set[CallRef] = set()
        self._texts = Texts(agent, LINE)
        # Calls at 605 that still hear its words, with who is to be called back.
        self._patient: dict[CallRef, str] = {}
        self._deadlines: Deadlines[_CallBack | _HangUp] = Deadlines()
        self._placed = 0

    def __len__(self) -> int:
        calls = len(self._other) + len(self._rings) + len(self._branches) + len(self._late)
        return calls + len(self._patient) + len(self._deadlines) + len(self._texts)

    def next_deadline(self) -> float | None:
        """When `fire_timers` has something to do."""
        return self._deadlines.earliest()

    def fire_timers(self, now: float) -> None:
        """Hang up, call back."""
        for due in self._deadlines.take_due(now):
            match due:
                case _HangUp(call):
                    self._agent.end(call, now)
                case _CallBack(user):
                    self._call_back(user, now)

    def handle(self, notification: Notification, now: float) -> None:
        """One thing happened."""
        handler = _HANDLERS.get(type(notification))
        if handler is not None:
            handler(self, notification, now)

    # --- registering ------------------------------------------------------------------------

    def request(self, received: RequestReceived, now: float) -> None:
        """REGISTER and MESSAGE are handed up whole."""
        if received.request.method == MESSAGE:
            user = parse_uri(received.request.uri).user
            places = self._registrar.places_of(user, now)
            self._texts.route(received, places, now, known=user in EXTENSIONS)
            return
        answer = self._registrar.register(received.request, received.flow, now)
        self._agent.respond(received.key, answer.status, now, answer.headers)

    # --- calls that arrive ------------------------------------------------------------------

    def arrive(self, incoming: IncomingCall, now: float) -> None:
        """Somebody dialled a number."""
        number = incoming.called_user
        if incoming.replaces is not None and incoming.replaces in self._other:
            self._replace(incoming, self._other[incoming.replaces], now)
            return
        if incoming.replaces is not None:
            self._agent.end(incoming.replaces, now)  # a call with us: another one takes its place
        if number in self._emergency:
            self._play(incoming, "emergency", now)
        elif number in EXTENSIONS:
            EXTENSIONS[number](self, incoming, now)
        else:
            self._connect(incoming, now)

    def echo(self, incoming: IncomingCall, now: float) -> None:
        """600: what you say comes back."""
        self._accept(incoming, Route.LOOP, "", now)

    def announcement(self, incoming: IncomingCall, now: float) -> None:
        """601: words and a tone, again and again."""
        self._play(incoming, "welcome", now)

    def busy(self, incoming: IncomingCall, now: float) -> None:
        """602."""
        self._agent.reject(incoming.call, 486, now)

    def silence(self, incoming: IncomingCall, now: float) -> None:
        """603: nobody is ever there."""
        self._agent.ring(incoming.call, now)

    def brief(self, incoming: IncomingCall, now: float) -> None:
        """604: answers and hangs up."""
        self._play(incoming, "welcome", now)
        self._deadlines.set(_HangUp(incoming.call), now + BRIEF_SECONDS)

    def call_back(self, incoming: IncomingCall, now: float) -> None:
        """605: asks to hang up, then calls; strangers are told what is missing."""
        user = incoming.caller.user
        if not self._registrar.ways_to(user, now):
            self._agent.reject(incoming.call, 403, now, "only a registered phone is called back")
            return
        if self._play(incoming, "call_back", now):
            self._patient[incoming.call] = user
            self._deadlines.set(_HangUp(incoming.call), now + NOTICE_SECONDS)

    def _play(self, incoming: IncomingCall, clip: str, now: float) -> bool:
        self._agent.ring(incoming.call, now)
        return self._accept(incoming, Route.CLIP, clip, now)

    def _accept(self, incoming: IncomingCall, route: Route, clip: str, now: float) -> bool:
        """Answer here; whether the call is up."""
        sdp = self._booth.answer(incoming.call, incoming.offer, incoming.local, route, clip)
        if sdp:
            self._agent.accept(incoming.call, sdp, now)
        else:
            self._agent.reject(incoming.call, 488, now, "no audio format in common")
        return bool(sdp)

    # --- calls we place ---------------------------------------------------------------------

    def _call_back(self, user: str, now: float) -> None:
        ways = self._registrar.ways_to(user, now)
        if ways:
            caller = Party("Practice PBX", "605", "sip:605@practice")
            self._agent.invite(self._new_call(), LINE, ways[0], now, caller=caller)

    def _connect(self, incoming: IncomingCall, now: float) -> None:
        places = self._registrar.places_of(incoming.called_user, now)
        if not places:
            self._agent.reject(incoming.call, 404, now)
        elif incoming.ring_with_offer and len(places) > 1:
            # RFC 3262 §5: each phone would offer something of its own before it is lifted.
            self._agent.reject(incoming.call, 488, now, "only one phone can offer while it rings")
        else:
            ring = self._rings[incoming.call] = Ring(incoming, alone=len(places) == 1)
            for ways in places:
                self._try(Branch(ring, ways), now)

    def _replace(self, incoming: IncomingCall, taken: CallRef, now: float) -> None:
        """Somebody takes the place of one phone in its call with another (RFC 3891)."""
        try:
            target, replaces = self._agent.transfers.far_end_of(taken)
        except LocalError:
            self._agent.reject(incoming.call, 481, now)
            return
        ring = self._rings[incoming.call] = Ring(incoming, alone=True)
        self._try(Branch(ring, [target]), now, replaces)

    def refer(self, asked: TransferAsked, now: float) -> None:
        """A phone sends the other one on."""
        transfers, other = self._agent.transfers, self._other.get(asked.call)
        try:
            if other is not None:
                transfers.relay(asked.transfer, other, now)
                return
        except LocalError:
            pass  # it is not up yet, or on its way already
        transfers.refuse(asked.transfer, 603, now)

    def _try(self, branch: Branch, now: float, replaces: Replaces | None = None) -> None:
        """Ring a phone at the best place that is left."""
        call, ring = self._new_call(), branch.ring
        self._branches[call] = branch
        ring.branches.add(call)
        if ring.alone:
            self._pair(ring.caller.call, call)
        # RFC 3262 §5: who wants an offer while it rings gets the phone's.
        insists = (("Require", "100rel"),) if ring.caller.ring_with_offer else ()
        caller, way = ring.caller.caller, branch.ways.pop(0)
        self._agent.invite(call, LINE, way, now, caller=caller, replaces=replaces, headers=insists)

    def _pair(self, caller: CallRef, call: CallRef) -> None:
        self._other[caller], self._other[call] = call, caller

    def _part(self, call: CallRef) -> CallRef | None:
        """These two have nothing to do with each other any more; gives the other."""
        self._late.discard(call)
        other = self._other.pop(call, None)
        if other is not None:
            self._other.pop(other, None)
            self._late.discard(other)
        return other

    def _new_call(self) -> CallRef:
        self._placed += 1
        return CallRef(f"out-{self._placed}")

    # --- calls that live --------------------------------------------------------------------

    def offer_wanted(self, wanted: OfferWanted, now: float) -> None:
        """The way to the phone is known."""
        branch = self._branches.get(wanted.call)
        if branch is not None:
            # Without an offer of the caller's the phone makes one (RFC 3261 §13.2.1).
            self._agent.offer(wanted.call, branch.ring.caller.offer, now)
            return
        sdp = self._booth.offer(wanted.call, wanted.local, "welcome")
        if sdp:
            self._agent.offer(wanted.call, sdp, now)
        else:
            self._agent.end(wanted.call, now)

    def progress(self, progress: CallProgress, now: float) -> None:
        """The phone rings: the caller shall hear so."""
        branch = self._branches.get(progress.call)
        if branch is None:
            return
        branch.rang = True
        branch.early = progress.body or branch.early
        # Of several phones none speaks before it is lifted.
        body = progress.body if branch.ring.alone else b""
        self._agent.ring(branch.ring.caller.call, now, body)

    def answered(self, answered: CallAnswered, now: float) -> None:
        """A phone was lifted; the others stop."""
        call = answered.call
        branch = self._branches.pop(call, None)
        if branch is None:
            self._agreed(call, answered.body, now)
            return
        caller = branch.ring.caller.call
        self._rings.pop(caller, None)
        self._silence(branch.ring, now, but=call)
        self._pair(caller, call)
        sdp = answered.body or branch.early
        if sdp:
            self._agent.accept(caller, sdp, now)
        elif branch.ring.caller.offer:
            self._agent.end(call, now)
        elif branch.ring.caller.ring_with_offer:
            self._agent.accept(caller, b"", now)
        else:
            self._late.add(call)

    def _silence(self, ring: Ring, now: float, but: CallRef | None = None) -> None:
        """Nobody else rings for this caller (RFC 3261 §16.7 step 10, RFC 3326 §2)."""
        others, ring.branches = ring.branches - {but}, set()
        for call in others:
            self._branches.pop(call, None)
            self._part(call)
            self._agent.end(call, now, ELSEWHERE if but else "")

    def confirmed(self, confirmed: CallConfirmed, now: float) -> None:
        """An ACK; to a caller without an offer of its own one was made, and here is the answer."""
        call = self._other.get(confirmed.call)
        if call is not None and call in self._late:
            self._late.discard(call)
            if confirmed.body:
                self._agent.answer_reoffer(call, confirmed.body, now)
            else:
                self._agent.end(call, now)
        elif confirmed.body and call is None:
            self._agreed(confirmed.call, confirmed.body, now)

    def _agreed(self, call: CallRef, answer: bytes, now: float) -> None:
        if not self._booth.answered(call, answer):
            self._agent.end(call, now)

    def ended(self, ended: CallEnded, now: float) -> None:
        """One side has gone; the other is told why."""
        self._booth.close(ended.call)
        self._deadlines.cancel(_HangUp(ended.call))
        user = self._patient.pop(ended.call, None)
        if user is not None:
            self._deadlines.set(_CallBack(user), now + CALL_BACK_SECONDS)
        branch = self._branches.pop(ended.call, None)
        ring = self._rings.pop(ended.call, None)
        other = self._part(ended.call)
        if branch is not None:
            self._branch_ended(branch, ended, now)
        elif ring is not None:
            self._silence(ring, now)  # the caller has given up
        elif other is not None:
            self._agent.end(other, now)

    def _branch_ended(self, branch: Branch, ended: CallEnded, now: float) -> None:
        ring = branch.ring
        ring.branches.discard(ended.call)
        if branch.elsewhere(ended):
            self._try(branch, now)
            return
        ring.refusals.append(status_of(ended))
        if ring.refusals[-1] >= 600:
            # RFC 3261 §16.7 step 5: who declines does so for every phone of theirs.
            self._silence(ring, now)
        if not ring.branches:
            self._rings.pop(ring.caller.call, None)
            self._agent.reject(ring.caller.call, ring.verdict(), now)

    def reoffered(self, offer: ReofferReceived, now: float) -> None:
        """Hold, resume, moved: passed on, or answered here."""
        other = self._other.get(offer.call)
        branch = self._branches.get(offer.call)
        if other is not None and branch is not None and not branch.ring.caller.offer:
            if branch.ring.caller.ring_with_offer:
                self._agent.ring(other, now, offer.body)
                return
        elif other is not None and offer.call in self._late:
            self._agent.accept(other, offer.body, now)
            return
        elif other is None:
            sdp = self._booth.answer_again(offer.call, offer.body)
            if sdp:
                self._agent.answer_reoffer(offer.call, sdp, now)
                return
        elif offer.body:
            self._agent.reoffer(other, offer.body, now)
            return
        self._agent.reject_reoffer(offer.call, 488, now)

    def reoffer_answered(self, answer: ReofferAnswered, now: float) -> None:
        """The other phone agrees."""
        if (other := self._other.get(answer.call)) is not None:
            self._agent.answer_reoffer(other, answer.body, now)

    def reoffer_rejected(self, answer: ReofferRejected, now: float) -> None:
        """The other phone does not agree."""
        if (other := self._other.get(answer.call)) is not None:
            self._agent.reject_reoffer(other, max(answer.status, 400), now)

    def digit(self, digit: InfoDigit, now: float) -> None:
        """A key pressed in the call, sent by INFO."""
        other = self._other.get(digit.call)
        if other is not None and digit.digit in _DIGITS:
            self._agent.info_digit(other, digit.digit, digit.duration_ms, now)

    def text_delivered(self, outcome: MessageOutcome, now: float) -> None:
        """A phone has taken a text, or has not."""
        self._texts.delivered(outcome, now)

    def text_in_call(self, received: MessageReceived, now: float) -> None:
        """A text for whom the phone talks with."""
        other = None if received.call is None else self._other.get(received.call)
        if other is not None:
            self._texts.pass_on(other, received.text, now)


EXTENSIONS: dict[str, Callable[[Exchange, IncomingCall, float], None]] = {
    "600": Exchange.echo,
    "601": Exchange.announcement,
    "602": Exchange.busy,
    "603": Exchange.silence,
    "604": Exchange.brief,
    "605": Exchange.call_back,
}
_HANDLERS: dict[type, Callable[..., None]] = {
    RequestReceived: Exchange.request,
    IncomingCall: Exchange.arrive,
    OfferWanted: Exchange.offer_wanted,
    CallProgress: Exchange.progress,
    CallAnswered: Exchange.answered,
    CallConfirmed: Exchange.confirmed,
    CallEnded: Exchange.ended,
    ReofferReceived: Exchange.reoffered,
    ReofferAnswered: Exchange.reoffer_answered,
    ReofferRejected: Exchange.reoffer_rejected,
    InfoDigit: Exchange.digit,
    TransferAsked: Exchange.refer,
    MessageReceived: Exchange.text_in_call,
    MessageOutcome: Exchange.text_delivered,
}
