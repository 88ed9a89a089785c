"""The practice exchange: what each number does, and calls between the phones registered here.

    600 echo · 601 announcement and tone · 602 busy · 603 rings for ever · 604 answers, hangs up
    605 calls you back after five seconds · emergency numbers: an announcement · else: a phone

It is a back-to-back user agent on our own SIP stack, and as pure as that: notifications and moments
in, calls of the `UserAgent` and of the `Booth` (the sound) out. Between two phones it passes SDP
through untouched, so their sound does not pass here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from firmware.base.deadlines import Deadlines
from firmware.lab.registrar import Registrar
from firmware.media.messages import Route
from firmware.sip.agent import UserAgent
from firmware.sip.notifications import (
    CallAnswered,
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
)

LINE = LineName("practice")
BRIEF_SECONDS = 3.0
"""How long 604 stays after it has answered."""
CALL_BACK_SECONDS = 5.0
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
        """Our offer for a call that we place; `b""` if there is no port."""

    def answered(self, call: CallRef, answer: bytes) -> None:
        """The far end has answered our offer."""

    def close(self, call: CallRef) -> None:
        """The call is over; nothing happens if it had no sound here."""


@dataclass(frozen=True, slots=True)
class _CallBack:
    """Whom to call at which moment: a name for a deadline."""

    user: str


@dataclass(frozen=True, slots=True)
class _HangUp:
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
        self._other: dict[CallRef, CallRef] = {}
        self._waiting_offers: dict[CallRef, bytes] = {}
        self._deadlines: Deadlines[_CallBack | _HangUp] = Deadlines()
        self._placed = 0

    def __len__(self) -> int:
        return len(self._other) + len(self._waiting_offers) + len(self._deadlines)

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
        """605: refuses politely, then calls."""
        self._agent.reject(incoming.call, 480, now)
        self._deadlines.set(_CallBack(incoming.caller.user), now + CALL_BACK_SECONDS)

    def _play(self, incoming: IncomingCall, clip: str, now: float) -> None:
        self._agent.ring(incoming.call, now)
        self._accept(incoming, Route.CLIP, clip, now)

    def _accept(self, incoming: IncomingCall, route: Route, clip: str, now: float) -> None:
        sdp = self._booth.answer(incoming.call, incoming.offer, incoming.local, route, clip)
        if sdp:
            self._agent.accept(incoming.call, sdp, now)
        else:
            self._agent.reject(incoming.call, 488, now, "no audio format in common")

    # --- calls we place ---------------------------------------------------------------------

    def _call_back(self, user: str, now: float) -> None:
        contact = self._registrar.contact_of(user, now)
        if contact is not None:
            caller = Party("Practice PBX", "605", "sip:605@practice")
            self._agent.invite(self._new_call(), LINE, contact, now, caller=caller)

    def _connect(self, incoming: IncomingCall, now: float) -> None:
        contact = self._registrar.contact_of(incoming.called_user, now)
        if contact is None:
            self._agent.reject(incoming.call, 404, now)
            return
        leg = self._new_call()
        self._other[incoming.call] = leg
        self._other[leg] = incoming.call
        self._waiting_offers[leg] = incoming.offer
        self._agent.invite(leg, LINE, contact, now, caller=incoming.caller)

    def _new_call(self) -> CallRef:
        self._placed += 1
        return CallRef(f"out-{self._placed}")

    # --- calls that live --------------------------------------------------------------------

    def offer_wanted(self, wanted: OfferWanted, now: float) -> None:
        """The way to the phone is known."""
        if wanted.call in self._other:
            sdp = self._waiting_offers.pop(wanted.call, b"")
        else:
            sdp = self._booth.offer(wanted.call, wanted.local, "welcome")
        self._agent.offer(wanted.call, sdp, now)

    def progress(self, progress: CallProgress, now: float) -> None:
        """The phone rings: the caller shall hear so."""
        if (caller := self._other.get(progress.call)) is not None:
            self._agent.ring(caller, now, progress.body)

    def answered(self, answered: CallAnswered, now: float) -> None:
        """The phone was lifted."""
        if (caller := self._other.get(answered.call)) is not None:
            self._agent.accept(caller, answered.body, now)
        else:
            self._booth.answered(answered.call, answered.body)

    def ended(self, ended: CallEnded, now: float) -> None:
        """One side has gone; the other is told why."""
        self._booth.close(ended.call)
        self._deadlines.cancel(_HangUp(ended.call))
        self._waiting_offers.pop(ended.call, None)
        other = self._other.pop(ended.call, None)
        if other is None:
            return
        self._other.pop(other, None)
        self._waiting_offers.pop(other, None)
        status = ended.status if ended.status >= 400 else 0
        status = status or _CAUSE_STATUS.get(ended.cause or FailureCause.OTHER, 0)
        if status and other.startswith("in-"):
            self._agent.reject(other, status, now)
        else:
            self._agent.end(other, now)

    def reoffered(self, offer: ReofferReceived, now: float) -> None:
        """Hold, resume, moved: passed on, or answered here."""
        if (other := self._other.get(offer.call)) is not None:
            self._agent.reoffer(other, offer.body, now)
        elif sdp := self._booth.answer_again(offer.call, offer.body):
            self._agent.answer_reoffer(offer.call, sdp, now)
        else:
            self._agent.reject_reoffer(offer.call, 488, now)

    def reoffer_answered(self, answer: ReofferAnswered, now: float) -> None:
        """The other phone agrees."""
        if (other := self._other.get(answer.call)) is not None:
            self._agent.answer_reoffer(other, answer.body, now)

    def reoffer_rejected(self, answer: ReofferRejected, now: float) -> None:
        """The other phone does not agree."""
        if (other := self._other.get(answer.call)) is not None:
            self._agent.reject_reoffer(other, answer.status, now)

    def digit(self, digit: InfoDigit, now: float) -> None:
        """A key pressed in the call, sent by INFO."""
        if (other := self._other.get(digit.call)) is not None:
            self._agent.info_digit(other, digit.digit, digit.duration_ms, now)


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
    CallEnded: Exchange.ended,
    ReofferReceived: Exchange.reoffered,
    ReofferAnswered: Exchange.reoffer_answered,
    ReofferRejected: Exchange.reoffer_rejected,
    InfoDigit: Exchange.digit,
}
