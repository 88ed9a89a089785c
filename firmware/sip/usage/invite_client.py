"""A call we place, until somebody answers or nobody will (RFC 3261 §13.2).

    LOCATING ──way found──▶ OFFERING ──offer()──▶ CALLING ──1xx──▶ CALLING ──2xx──▶ a Session
        └──────────── end(): nothing was sent ───────┤ end(): CANCEL ──▶ OVER

What comes after the phone has lost interest is still dealt with: a 2xx that crosses the CANCEL and
the 2xx of further forks are acknowledged and ended with BYE, repeated ones acknowledged again.
"""

import enum
from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import Rows, party, shown
from firmware.sip.causes import cause_of
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.dialog import Dialog, from_response, tag_of
from firmware.sip.errand import say_goodbye
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.exchange import Exchange, Parcel
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr, parse_name_addr
from firmware.sip.identity.connected import answered_by
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    CallTrying,
    FailureCause,
    OfferWanted,
    Party,
)
from firmware.sip.outgoing import way_of
from firmware.sip.reoffer import ack_parcel
from firmware.sip.uri import Uri, parse_uri
from firmware.sip.usage.replaces import Replaces

Established = Callable[[CallRef, Line, Dialog], None]

# After these the registrar may have forgotten us (F17).
_SUSPICIOUS: Final = frozenset({403, 404, 408, 480, 503})
_MOST_FORKS: Final = 16


class Stage(enum.Enum):
    """How far the call is."""

    LOCATING = "locating"
    OFFERING = "offering"
    CALLING = "calling"
    ANSWERED = "answered"
    OVER = "over"


class InviteClient:
    """One call we place."""

    def __init__(  # noqa: PLR0913 - what a call is made of
        self,
        core: Core,
        line: Line,
        call: CallRef,
        target: Uri,
        established: Established,
        *,
        caller: Party | None = None,
        emergency: bool = False,
        headers: Rows = (),
        replaces: Replaces | None = None,
    ) -> None:
        self.call = call
        self._headers = headers
        self._replaces = replaces
        self.stage = Stage.LOCATING
        self._core = core
        self._line = line
        self._target = target
        self._established = established
        self._emergency = emergency
        self._from = f"{_sender(line, caller)};tag={core.tokens.word(60)}"
        self._call_id = core.tokens.word(100)
        self._cseq = 0
        self._sdp: bytes | None = None
        self._sdp_local = ""
        self._parcels: dict[str, Parcel] = {}
        self._cancel_wanted = False
        self._way = way = way_of(line, target)
        self._exchange = Exchange(core, line, way.hop, self._compose, self, way.hint)

    # --- intents ----------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Find the way."""
        self._exchange.start(now)

    def offer(self, sdp: bytes, now: float) -> None:
        """Our session description for `OfferWanted`.

        Raises:
            LocalError: nobody asked for it.
        """
        if self.stage is not Stage.OFFERING:
            raise LocalError(f"call {self.call} wants no offer now")
        self._sdp = sdp
        self._send(now)

    def end(self, now: float) -> None:
        """Give up the call; whatever the far end still says, it is over."""
        sent = self._exchange.sent
        self._over(now, by_us=True, cause=FailureCause.CANCELLED)
        self._exchange.abandon()
        if sent:
            self._cancel(now)

    # --- the exchange -----------------------------------------------------------------------

    def on_located(self, exchange: Exchange, now: float) -> None:
        assert exchange.flow is not None
        if self.stage is Stage.OVER:
            return
        local = self._core.local(exchange.flow).host
        if self._sdp is not None and local == self._sdp_local:
            self._send(now)
            return
        self.stage = Stage.OFFERING
        self._sdp_local = local
        self._core.arm(self, Alarm.GUARD, now + self._core.timing.patience)
        self._core.notify(OfferWanted(self.call, local, self._call_id))

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if response.status < 200:
            self._progress(response, now)
        elif response.status < 300:
            self._answered(exchange, response, now)
        else:
            if response.status in _SUSPICIOUS:
                self._core.suspect(self._line, now)
            cause = cause_of(response.status)
            self._over(now, cause=cause, status=response.status, phrase=shown(response.phrase))

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange
        self._core.suspect(self._line, now)
        self._over(now, cause=cause, phrase=detail)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is not Alarm.GUARD:
            return
        if self.stage is Stage.OVER:
            # RFC 3261 §9.1: no final response 64·T1 after CANCEL ends the transaction.
            self._exchange.kill()
        elif self.stage is Stage.OFFERING:
            self._over(now, cause=FailureCause.OTHER, phrase="nothing was offered")
        elif self.stage is Stage.CALLING:
            self._over(now, cause=FailureCause.NO_ANSWER, phrase="no answer")
            self._cancel(now)

    # --- stages -----------------------------------------------------------------------------

    def _send(self, now: float) -> None:
        self.stage = Stage.CALLING
        self._core.disarm(self, Alarm.GUARD)
        self._exchange.go(now)

    def _progress(self, response: Response, now: float) -> None:
        if self._cancel_wanted:
            self._cancel(now)
        if self.stage is not Stage.CALLING:
            return
        self._core.arm(self, Alarm.GUARD, now + self._core.settings.ring_limit)
        if response.status == 100:
            self._core.notify(CallTrying(self.call))
        else:
            fork = shown(tag_of(response.headers.get("To") or ""))
            phrase = shown(response.phrase)
            self._core.notify(CallProgress(self.call, response.status, phrase, fork, response.body))
            answered_by(self._core, self.call, self._line, self._exchange.flow, response)

    def _answered(self, exchange: Exchange, response: Response, now: float) -> None:
        fork = tag_of(response.headers.get("To") or "")
        parcel = self._parcels.get(fork)
        if parcel is not None:
            parcel.send(now)  # repeated: our ACK was lost
            return
        if len(self._parcels) >= _MOST_FORKS or exchange.flow is None:
            return
        dialog = from_response(exchange.request, response, exchange.flow)
        parcel = ack_parcel(self._core, dialog, exchange.request)
        self._parcels[fork] = parcel
        parcel.send(now)
        if self.stage is not Stage.CALLING:
            # Another fork was first, or the CANCEL came too late (RFC 3261 §13.2.2.4, §9.1).
            say_goodbye(self._core, self._line, dialog, now)
            return
        self.stage = Stage.ANSWERED
        self._core.disarm(self, Alarm.GUARD)
        self._established(self.call, self._line, dialog)
        self._core.notify(CallAnswered(self.call, shown(fork), response.body, _remote(response)))
        answered_by(self._core, self.call, self._line, exchange.flow, response)

    def _cancel(self, now: float) -> None:
        """RFC 3261 §9.1: CANCEL only after a provisional response; the 200 may still win."""
        if not self._exchange.progressed:
            self._cancel_wanted = True
            return
        self._cancel_wanted = False
        self._exchange.cancel(now)
        self._core.arm(self, Alarm.GUARD, now + self._core.timing.patience)

    def _over(
        self,
        now: float,
        *,
        by_us: bool = False,
        cause: FailureCause | None = None,
        status: int = 0,
        phrase: str = "",
    ) -> None:
        del now
        self._core.disarm(self, Alarm.GUARD)
        self._cancel_wanted = False
        if self.stage in (Stage.OVER, Stage.ANSWERED):
            return
        self.stage = Stage.OVER
        self._core.calls.pop(self.call, None)
        self._core.notify(CallEnded(self.call, by_us, cause, status, phrase))

    def _compose(self, flow: Flow) -> Request:
        self._cseq += 1
        way = self._way
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", self._from),
                ("To", f"<{self._target}>"),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} INVITE"),
                ("Contact", self._core.contact(self._line, flow)),
                ("Allow", ALLOW),
            ]
        )
        if way.routes:
            headers.add("Route", ", ".join(str(route) for route in way.routes))
        if self._emergency:
            headers.add("Priority", "emergency")
        if self._replaces is not None:
            # RFC 3891 §4: only who replaces the old call may ring; others shall refuse with 420.
            headers.add("Require", "replaces")
            headers.add("Replaces", str(self._replaces))
        for name, value in self._headers:
            headers.add(name, value)
        if self._sdp:
            headers.add("Content-Type", "application/sdp")
        return Request("INVITE", str(way.uri), headers, self._sdp or b"")


def _sender(line: Line, caller: Party | None) -> NameAddr:
    if caller is None:
        return line.identity
    try:
        uri = parse_uri(caller.uri) if caller.uri else line.identity.uri
    except ParseError:
        uri = line.identity.uri
    return NameAddr(shown(caller.name), uri)


def _remote(response: Response) -> Party:
    try:
        return party(parse_name_addr(response.headers.get("To") or ""))
    except ParseError:
        return Party("", "", "")
