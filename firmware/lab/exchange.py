"""The practice exchange: what each number does, and calls between the phones registered here.

    600 echo · 601 announcement and tone · 602 busy · 603 rings for ever · 604 answers, hangs up
    605 asks you to hang up and calls back five seconds later · emergency numbers: an announcement
    else: whoever is registered under that number

Phones transfer calls among each other: a REFER goes on to the other phone, and a call that takes
the place of another (Replaces) goes on to the phone that has that one.

It is a back-to-back user agent on our own SIP stack, and as pure as that: notifications and moments
in, calls of the `UserAgent` and of the `Booth` (the sound) out. Between two phones it passes SDP
through untouched, so their sound does not pass here. A phone that has registered more than once is
looked for where it was last, then where it was before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from firmware.base.deadlines import Deadlines
from firmware.lab.registrar import Registrar
from firmware.media.messages import Route
from firmware.sip.agent import UserAgent
from firmware.sip.errors import LocalError
from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    IncomingCall,
    InfoDigit,
    LineName,
    Notification,
    OfferWanted,
    Party,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
    RequestReceived,
    TransferAsked,
)

LINE = LineName("practice")
BRIEF_SECONDS = 3.0
"""How long 604 stays after it has answered."""
NOTICE_SECONDS = 5.5
"""How long 605 speaks before it hangs up by itself."""
CALL_BACK_SECONDS = 5.0
_DIGITS = frozenset("0123456789*#ABCD")
_NOBODY_THERE = frozenset({FailureCause.REFUSED, FailureCause.NO_NETWORK, FailureCause.NO_ANSWER})
"""Causes for which another way to the same phone is tried."""
_CAUSE_STATUS = {
    FailureCause.BUSY: 486,
    FailureCause.DECLINED: 603,
    FailureCause.NOT_ACCEPTABLE: 488,
    FailureCause.NO_ANSWER: 480,
    FailureCause.NOT_FOUND: 404,
}


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


@dataclass(slots=True)
class _Leg:
    """A call that the exchange places for another: who with, what is offered, where else to try."""

    caller: IncomingCall
    ways: list[str]
    rang: bool = False
    early: bytes = b""
    """What the phone answered before it was lifted; a reliable answer is not said twice."""


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
        # Legs that nobody has answered yet.
        self._legs: dict[CallRef, _Leg] = {}
        # Calls at 605 that still hear its words, with who is to be called back.
        self._patient: dict[CallRef, str] = {}
        self._deadlines: Deadlines[_CallBack | _HangUp] = Deadlines()
        self._placed = 0

    def __len__(self) -> int:
        return len(self._other) + len(self._legs) + len(self._patient) + len(self._deadlines)

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
        """REGISTER is the only request that is handed up whole."""
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
        ways = self._registrar.ways_to(incoming.called_user, now)
        if not ways:
            self._agent.reject(incoming.call, 404, now)
        elif not incoming.offer:
            # The answer would come with the caller's ACK, too late for the phone's own.
            self._agent.reject(incoming.call, 488, now, "a call between phones needs an offer")
        else:
            self._try(_Leg(incoming, ways), now)

    def _replace(self, incoming: IncomingCall, taken: CallRef, now: float) -> None:
        """Somebody takes the place of one phone in its call with another (RFC 3891)."""
        try:
            target, replaces = self._agent.transfers.far_end_of(taken)
        except LocalError:
            self._agent.reject(incoming.call, 481, now)
            return
        call = self._new_call()
        self._other[incoming.call], self._other[call] = call, incoming.call
        self._legs[call] = _Leg(incoming, [])
        caller = incoming.caller
        self._agent.invite(call, LINE, target, now, caller=caller, replaces=replaces)

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

    def _try(self, leg: _Leg, now: float) -> None:
        """Ring a phone at the best place that is left."""
        call, caller = self._new_call(), leg.caller
        self._other[caller.call] = call
        self._other[call] = caller.call
        self._legs[call] = leg
        self._agent.invite(call, LINE, leg.ways.pop(0), now, caller=caller.caller)

    def _new_call(self) -> CallRef:
        self._placed += 1
        return CallRef(f"out-{self._placed}")

    # --- calls that live --------------------------------------------------------------------

    def offer_wanted(self, wanted: OfferWanted, now: float) -> None:
        """The way to the phone is known."""
        leg = self._legs.get(wanted.call)
        if leg is not None:
            sdp = leg.caller.offer
        else:
            sdp = self._booth.offer(wanted.call, wanted.local, "welcome")
        if sdp:
            self._agent.offer(wanted.call, sdp, now)
        else:
            self._agent.end(wanted.call, now)

    def progress(self, progress: CallProgress, now: float) -> None:
        """The phone rings: the caller shall hear so."""
        leg = self._legs.get(progress.call)
        if leg is not None:
            leg.rang = True
            leg.early = progress.body or leg.early
            self._agent.ring(leg.caller.call, now, progress.body)

    def answered(self, answered: CallAnswered, now: float) -> None:
        """The phone was lifted."""
        leg = self._legs.pop(answered.call, None)
        if leg is None:
            self._agreed(answered.call, answered.body, now)
        elif answered.body or leg.early:
            self._agent.accept(leg.caller.call, answered.body or leg.early, now)
        else:
            self._agent.end(answered.call, now)

    def confirmed(self, confirmed: CallConfirmed, now: float) -> None:
        """An ACK; to a caller without an offer of its own we made one, and here is the answer."""
        if confirmed.body:
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
        leg = self._legs.pop(ended.call, None)
        other = self._other.pop(ended.call, None)
        if other is None:
            return
        del self._other[other]
        if leg is None:
            self._legs.pop(other, None)
            self._agent.end(other, now)
        elif leg.ways and not leg.rang and not ended.status and ended.cause in _NOBODY_THERE:
            self._try(leg, now)
        else:
            self._agent.reject(other, _status_of(ended), now)

    def reoffered(self, offer: ReofferReceived, now: float) -> None:
        """Hold, resume, moved: passed on, or answered here."""
        other = self._other.get(offer.call)
        if other is None:
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


def _status_of(ended: CallEnded) -> int:
    """How a caller is refused whose call ended so."""
    if ended.status >= 400:
        return ended.status
    return _CAUSE_STATUS.get(ended.cause or FailureCause.OTHER, 480)


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
}
