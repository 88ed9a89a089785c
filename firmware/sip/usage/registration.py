"""Keeps one line registered (RFC 3261 §10), whatever happens.

    OFF ──register──▶ TRYING ──2xx──▶ REGISTERED ──refresh fails──▶ FAILED ──retry──▶ …
                        └────────any failure───────────────────────────▲

It never gives up and never storms: what a retry may mend soon (no answer, no network, no name) is
tried again after seconds, what only a person can mend (a wrong password, a refusal) after minutes,
always with jitter, so that a thousand phones do not come back in the same second.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import shown
from firmware.sip.causes import cause_of
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.errors import ParseError
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.headers import contact_list, delta_seconds, parse_retry_after, route_list
from firmware.sip.line import Line, Standing
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import FailureCause, RegistrationChanged, RegistrationState

# First wait and longest wait in seconds, by cause.
_SLOW: Final = (60.0, 900.0)
_FAST: Final = (4.0, 48.0)
_MIDDLE: Final = (10.0, 120.0)
_BACK_OFF: Final = {
    FailureCause.WRONG_PASSWORD: _SLOW,
    FailureCause.FORBIDDEN: _SLOW,
    FailureCause.NOT_FOUND: _SLOW,
    FailureCause.NAME_NOT_FOUND: _FAST,
    FailureCause.NO_ANSWER: _FAST,
    FailureCause.REFUSED: _FAST,
    FailureCause.NO_NETWORK: _FAST,
    FailureCause.TLS_OWN_FILES: _SLOW,
    FailureCause.TLS_WANTS_CERT: _SLOW,
    FailureCause.TLS_TOO_OLD: _SLOW,
    FailureCause.CERT_UNTRUSTED: _SLOW,
    FailureCause.CERT_SELF_SIGNED: _SLOW,
    FailureCause.CERT_NAME: _SLOW,
    FailureCause.CERT_EXPIRED: _SLOW,
}
_CLOCKS: Final = (
    FailureCause.CLOCK_NOT_SET,
    FailureCause.CERT_NOT_YET,
    FailureCause.CERT_EXPIRED,
)
_LONGEST_RETRY_AFTER: Final = 1800.0
_LONGEST_EXPIRES: Final = 7 * 86400
_SUSPICION_SECONDS: Final = 30.0

State = RegistrationState


class Registration:
    """The registration of one line; `kept(flow, now)` is told over which flow it stands."""

    def __init__(self, core: Core, line: Line, kept: Callable[[Flow, float], None]) -> None:
        self.line = line
        self.state = State.OFF
        self._core = core
        self._kept = kept
        self._call_id = core.tokens.word(100)
        self._tag = core.tokens.word(60)
        self._cseq = 0
        self._expires = line.account.expires
        self._exchange: Exchange | None = None
        self._wanted = False
        self._again = False
        self._silent = False
        self._removing = False
        self._failures = 0
        self._cause: FailureCause | None = None
        self._checked_at = float("-inf")

    # --- intents ----------------------------------------------------------------------------

    def register(self, now: float) -> None:
        """Register now, or again now."""
        self._wanted = True
        self._failures = 0
        if self.state is not State.REGISTERED:
            self._tell(State.TRYING)
        self._begin(now)

    def unregister(self, now: float) -> None:
        """Remove our binding (RFC 3261 §10.2.2)."""
        self._wanted = False
        self._core.disarm(self, Alarm.REFRESH)
        if self._exchange is not None and not self._exchange.sent:
            self._exchange.abandon()
            self._exchange = None
        if self._exchange is not None or self.state is State.REGISTERED:
            self._begin(now)
        else:
            self._tell(State.OFF)

    def retire(self, now: float) -> None:
        """The line is removed or has changed: remove the binding, and say nothing more."""
        self._silent = True
        self.unregister(now)

    def suspect(self, now: float) -> None:
        """Something made us doubt that the registrar still knows us (F17): look, but not often."""
        if self.state is State.REGISTERED and now - self._checked_at > _SUSPICION_SECONDS:
            self._checked_at = now
            self._begin(now)

    def flow_lost(self, now: float) -> None:
        """The way to the registrar is gone: find another, the sooner the better."""
        self.line.standings.clear()
        if self._wanted and self._exchange is None and self.state is State.REGISTERED:
            self._core.arm(self, Alarm.REFRESH, now + 0.2 + 2 * self._core.tokens.fraction())

    def network_changed(self, now: float) -> None:
        """Addresses may be others now: the registrar must learn the new Contact (F9)."""
        flow = self.line.registrar_flow
        if flow is not None and not flow.transport.reliable:
            self.line.standings.clear()  # a connection that is gone has said so
        self._failures = 0
        if self._wanted:
            self._core.arm(self, Alarm.REFRESH, now + self._core.tokens.fraction())

    def clock_set(self, now: float) -> None:
        """Try again at once if it was the clock that was in the way (F11)."""
        if self._wanted and self._exchange is None and self._cause in _CLOCKS:
            self._begin(now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH and self._wanted:
            self._begin(now)

    # --- one REGISTER -----------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        # RFC 3261 §10.2: no new REGISTER while one is under way.
        if self._exchange is not None:
            self._again = True
            return
        self._again = False
        self._core.disarm(self, Alarm.REFRESH)
        account = self.line.account
        hop = account.proxy_uri or account.server_uri
        flow = self.line.registrar_flow
        # A datagram has no connection to keep: look the server up anew, it may have moved (F16).
        hint = flow if flow is not None and flow.transport.reliable else None
        self._exchange = Exchange(self._core, self.line, hop, self._compose, self, hint)
        self._exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        self._cseq += 1
        self._removing = not self._wanted
        account, core = self.line.account, self._core
        identity = str(account.identity)
        contact = f"<{core.address(self.line, flow)}>"
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", f"{identity};tag={self._tag}"),
                ("To", identity),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", f'{contact};+sip.instance="<{self.line.instance_id}>"'),
                ("Expires", "0" if self._removing else str(self._expires)),
                ("Allow", ALLOW),
                ("Supported", "path"),
            ]
        )
        if account.proxy_uri is not None:
            headers.add("Route", f"<{account.proxy_uri}>")
        return Request("REGISTER", str(account.server_uri), headers)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        if response.status == 423 and self._lengthen(response):
            exchange.go(now)
            return
        self._exchange = None
        if response.status < 300:
            self._accepted(exchange, response, now)
        else:
            cause = cause_of(response.status)
            self._failed(
                cause, response.status, shown(response.phrase), _retry_after(response), now
            )
        self._follow_up(now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        if exchange is not self._exchange:
            return
        self._exchange = None
        self._failed(cause, 0, detail, None, now)
        self._follow_up(now)

    def _follow_up(self, now: float) -> None:
        if self._again:
            self._begin(now)

    # --- outcomes ---------------------------------------------------------------------------

    def _accepted(self, exchange: Exchange, response: Response, now: float) -> None:
        if self._removing or not self._wanted:
            if not self._again:
                self._tell(State.OFF)
            return
        granted = self._granted(response)
        if granted <= 0:
            self._failed(FailureCause.SERVER_ERROR, response.status, "expires at once", None, now)
            return
        self._failures = 0
        if exchange.flow is not None:
            self.line.standings[0] = _standing(self.line, exchange.flow, response)
        fraction = self._core.tokens.fraction()
        wait = granted * (0.75 + 0.1 * fraction) if granted > 40 else granted * 0.5
        self._core.arm(self, Alarm.REFRESH, now + wait)
        self._tell(State.REGISTERED, expires_in=float(granted))
        if exchange.flow is not None:
            self._kept(exchange.flow, now)

    def _failed(
        self, cause: FailureCause, status: int, phrase: str, after: float | None, now: float
    ) -> None:
        self.line.standings.clear()
        if not self._wanted:
            self._again = False
            self._tell(State.OFF)
            return
        first, longest = _BACK_OFF.get(cause, _MIDDLE)
        wait = min(longest, first * 2 ** min(self._failures, 16))
        if after is not None:
            wait = max(after, 1.0)
        self._failures += 1
        wait *= 1.0 + 0.25 * self._core.tokens.fraction()
        self._core.arm(self, Alarm.REFRESH, now + wait)
        self._tell(State.FAILED, cause, status, phrase, retry_in=wait)

    def _lengthen(self, response: Response) -> bool:
        """RFC 3261 §10.2.8: ask for the time the registrar wants, if that is longer."""
        try:
            least = delta_seconds(response.headers.get("Min-Expires") or "")
        except ParseError:
            return False
        if not self._expires < least <= _LONGEST_EXPIRES:
            return False
        self._expires = least
        return True

    def _granted(self, response: Response) -> int:
        """Seconds until our binding ends (RFC 3261 §10.2.4)."""
        try:
            for contact in contact_list(response.headers):
                if contact.uri.user == self.line.contact_user:
                    text = contact.param("expires") or response.headers.get("Expires")
                    return delta_seconds(text) if text else self._expires
            text = response.headers.get("Expires")
            return delta_seconds(text) if text else self._expires
        except ParseError:
            return self._expires

    def _tell(
        self,
        state: State,
        cause: FailureCause | None = None,
        status: int = 0,
        phrase: str = "",
        *,
        expires_in: float = 0.0,
        retry_in: float = 0.0,
    ) -> None:
        self.state, self._cause = state, cause
        if state is State.OFF:
            self.line.standings.clear()
        if self._silent:
            return
        where = self.line.account.where
        self._core.notify(
            RegistrationChanged(
                self.line.name, state, cause, status, phrase, where, expires_in, retry_in
            )
        )


def _standing(line: Line, flow: Flow, response: Response) -> Standing:
    try:
        routes = tuple(route_list(response.headers, "Service-Route"))
    except ParseError:
        routes = ()
    return Standing(flow, line.account.homes[0], routes)


def _retry_after(response: Response) -> float | None:
    text = response.headers.get("Retry-After")
    if text is None:
        return None
    try:
        return min(float(parse_retry_after(text)), _LONGEST_RETRY_AFTER)
    except ParseError:
        return None
