"""One registration of a line: with one registrar, by one outbound proxy (RFC 3261 §10).

    OFF ──register──▶ TRYING ──2xx──▶ REGISTERED ──refresh fails──▶ FAILED ──retry──▶ …
                        └────────any failure───────────────────────────▲

Not here: what the phone hears of it and the line's other bindings (`registration`), how long to
wait (`pace`), what a 2xx says (`grant`).
"""

from typing import Final, Protocol

from msgspec import Struct

from firmware.sip.account import Home
from firmware.sip.bodies import shown
from firmware.sip.causes import cause_of
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.errors import ParseError
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.headers import delta_seconds, parse_retry_after
from firmware.sip.line import Line, Standing
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import FailureCause, RegistrationState
from firmware.sip.reach.keepalive import Keepalives
from firmware.sip.registering.capabilities import capabilities
from firmware.sip.registering.grant import Grant, read_grant
from firmware.sip.registering.pace import check_wait, flow_wait, wait_after
from firmware.sip.registering.removal import Removal

_CLOCKS: Final = (
    FailureCause.CLOCK_NOT_SET,
    FailureCause.CERT_NOT_YET,
    FailureCause.CERT_EXPIRED,
)
_SOONEST_RETURN: Final = 30.0
_MOST_CORRECTIONS: Final = 3
_LONGEST_RETRY_AFTER: Final = 1800.0
_LONGEST_EXPIRES: Final = 7 * 86400
_BRIEF_SECONDS: Final = 60.0
_FEW_BRIEF: Final = 2
_SUSPICION_SECONDS: Final = 30.0
_MOST_LEFTOVERS: Final = 4
# RFC 5627 §4.2: early enough for the refresh to time out before the binding ends.
_TIME_OUT: Final = 32.0

State = RegistrationState


class Outcome(Struct, frozen=True):
    """How a binding stands now; the fields are those of `RegistrationChanged`."""

    state: State = State.OFF
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""
    expires_in: float = 0.0
    retry_in: float = 0.0


class News(Struct, frozen=True):
    """What RFC 3680 says of a binding: its event, seconds left, seconds to stay away."""

    event: str = ""
    expires: int | None = None
    retry_after: int | None = None


_NEWS: Final = frozenset(
    {"deactivated", "expired", "probation", "rejected", "shortened", "unregistered"}
)
_PROBATION: Final = 60


class Owner(Protocol):
    """The registration a binding belongs to."""

    def changed(self, binding: "Binding") -> None:
        """The binding has a new outcome."""

    def others_stand(self, binding: "Binding") -> bool:
        """Whether another binding of the line is registered."""


class Binding:
    """One registration; `number` is its reg-id (RFC 5626 §4.2.1) and its place in the line."""

    def __init__(
        self, core: Core, line: Line, number: int, owner: Owner, keepalives: Keepalives
    ) -> None:
        self.line = line
        self.number = number
        self.home: Home = line.account.homes[number - 1]
        self.outcome = Outcome()
        self._core = core
        self._owner = owner
        self._keepalives = keepalives
        self._call_id = core.tokens.word(100)
        self._tag = core.tokens.word(60)
        self._cseq = 0
        self._contact = ""
        self._news = News()
        self._bound = ""
        self._expires = line.account.expires
        self._exchange: Exchange | None = None
        self._wanted = False
        self._again = False
        self._removing = False
        # Whether we are at another server than we would be if all were well.
        self._detoured = False
        self._corrections = 0
        self._failures = 0
        # When the flow in use was first good, and how many in a row were good only briefly.
        self._stood_since = float("-inf")
        self._brief = 0
        self._checked_at = float("-inf")
        # When the servers are to be looked up anew, and whether the REGISTER under way does not.
        self._anew_at = float("-inf")
        self._checking = False
        # Datagrams to a single server gain nothing by it, and it makes them longer; an edge proxy
        # can lead calls back through the NAT by the flow they came from (RFC 5626 §5.3).
        by_edge = len(line.account.homes) > 1 or self.home.proxy is not None
        self._outbound = line.account.transport.reliable or by_edge

    # --- intents ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.outcome.state

    def register(self, now: float) -> None:
        """Register now, or again now."""
        self._wanted = True
        self._failures = 0
        if self.state is not State.REGISTERED:
            self._tell(Outcome(State.TRYING))
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
            self._tell(Outcome())

    def suspect(self, now: float) -> None:
        """Something made us doubt that the registrar still knows us (F17): look, but not often."""
        if self.state is State.REGISTERED and now - self._checked_at > _SUSPICION_SECONDS:
            self._checked_at = now
            self._begin(now)

    def probed(self, flow: Flow, now: float, *, alive: bool) -> None:
        """A probe on a flow was answered or not; if it is ours the binding may be of no use."""
        standing = self.line.standings.get(self.number)
        if standing is None or standing.flow != flow:
            return
        if not alive:
            self.suspect(now)
        elif self._exchange is None and self._is_misplaced(flow):
            self._begin(now)

    def address_known(self, now: float) -> None:
        """We are known by another name now: the registrar shall have it."""
        standing = self.line.standings.get(self.number)
        if standing is not None and self._is_misplaced(standing.flow):
            self._begin(now)

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A way to the registrar is gone; if it was ours find another, the sooner the better."""
        standing = self.line.standings.get(self.number)
        if standing is None or standing.flow != flow:
            return
        proven = self._keepalives.proven(flow) or not standing.outbound
        del self.line.standings[self.number]
        if not self._wanted or self._exchange is not None or self.state is not State.REGISTERED:
            return
        wait = self._flow_again(now)
        if not proven:
            # RFC 5626 §4.5: a flow that never carried an answer to a ping was no success.
            self._failures += 1
            wait = self._flow_wait()
            trouble = self._core.trouble
            self._tell(Outcome(State.FAILED, trouble.cause, 0, trouble.reason, retry_in=wait))
        self._core.arm(self, Alarm.REFRESH, now + wait)

    def _flow_again(self, now: float) -> float:
        """Seconds until the next flow: at once after a good one, longer after each brief one.

        F21: a server that registers us and then sends garbage must not make us storm.
        """
        fraction = self._core.tokens.fraction()
        brief = now - self._stood_since < _BRIEF_SECONDS
        self._brief = self._brief + 1 if brief else 0
        if self._brief < _FEW_BRIEF:
            return 0.2 + 2 * fraction
        return wait_after(FailureCause.REFUSED, self._brief - _FEW_BRIEF, fraction)

    def network_changed(self, now: float) -> None:
        """Addresses may be others now: the registrar must learn the new Contact (F9)."""
        standing = self.line.standings.get(self.number)
        if standing is not None and not standing.flow.transport.reliable:
            del self.line.standings[self.number]  # a connection that is gone has said so
        self._failures = 0
        if self._wanted:
            self._core.arm(self, Alarm.REFRESH, now + self._core.tokens.fraction())

    def clock_set(self, now: float) -> None:
        """Try again at once if it was the clock that was in the way (F11)."""
        if self._wanted and self._exchange is None and self.outcome.cause in _CLOCKS:
            self._begin(now)

    def told(self, uri: str, news: "News") -> None:
        """The registrar says that something happened to the binding of `uri` (RFC 3680 §4.6)."""
        if uri == self._contact and news.event in _NEWS and self.state is State.REGISTERED:
            self._news = news
            self._core.arm(self, Alarm.EXPIRY, 0.0)  # at once: the teller has no clock

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH and self._wanted:
            self._begin(now, check=now < self._anew_at)
        elif alarm is Alarm.EXPIRY and self._wanted and self._exchange is None:
            self._heed(self._news, now)

    def _heed(self, news: "News", now: float) -> None:
        """RFC 3680 §4.6: who was deactivated comes back, who was rejected does not."""
        if self.state is not State.REGISTERED:
            return
        if news.event == "rejected":
            self._failed(FailureCause.FORBIDDEN, 0, "rejected by the registrar", now)
        elif news.event == "probation":
            after = float(min(news.retry_after or _PROBATION, int(_LONGEST_RETRY_AFTER)))
            self._failed(FailureCause.SERVER_ERROR, 0, "on probation", now, after)
        elif news.event == "shortened":
            self._core.arm(self, Alarm.REFRESH, now + self._refresh_in(news.expires or 0))
        else:
            self._core.arm(self, Alarm.REFRESH, now + 0.2 + 2 * self._core.tokens.fraction())

    # --- one REGISTER -----------------------------------------------------------------------

    def _begin(self, now: float, *, check: bool = False) -> None:
        """Send a REGISTER; to `check` a binding it goes where the binding stands."""
        # RFC 3261 §10.2: no new REGISTER while one is under way.
        if self._exchange is not None:
            self._again = True
            return
        self._again = False
        self._core.disarm(self, Alarm.REFRESH)
        standing = self.line.standings.get(self.number)
        flow = standing.flow if standing is not None else None
        # A datagram has no connection to keep: look the server up anew, it may have moved (F16).
        self._checking = check and flow is not None
        kept = flow is not None and flow.transport.reliable and not self._detoured
        hint = flow if kept or self._checking else None
        self._exchange = Exchange(
            self._core, self.line, self.home.hop, self._compose, self, hint, keep=True
        )
        self._exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        self._removing = not self._wanted
        self._contact = self._address(flow)
        reg_id = f";reg-id={self.number}" if self._outbound else ""
        instance = f';+sip.instance="<{self.line.instance_id}>"'
        able = capabilities(self.line.account)
        request = self.request(f"<{self._contact}>{reg_id}{instance}{able}")
        options = ["path"]
        if self.line.account.gruu:
            options.append("gruu")
        if self._outbound:
            options.append("outbound")
        request.headers.add("Expires", "0" if self._removing else str(self._expires))
        request.headers.add("Allow", ALLOW)
        # RFC 3327 §5.1, RFC 5627 §4.1, RFC 5626 §4.2.1.
        request.headers.add("Supported", ", ".join(options))
        return request

    def request(self, contact: str) -> Request:
        """A REGISTER of this binding with the next CSeq (RFC 3261 §10.2)."""
        self._cseq += 1
        identity = str(self.line.account.identity_at(self.home.server))
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", f"{identity};tag={self._tag}"),
                ("To", identity),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", contact),
            ]
        )
        if self.home.proxy is not None:
            headers.add("Route", f"<{self.home.proxy}>")
        return Request("REGISTER", str(self.home.server), headers)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        if self._mended(response):
            exchange.go(now)
            return
        self._exchange = None
        if response.status < 300:
            self._accepted(exchange, response, now)
        else:
            cause = cause_of(response.status)
            phrase = shown(response.phrase)
            self._failed(cause, response.status, phrase, now, _retry_after(response))
        self._follow_up(now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        if exchange is not self._exchange:
            return
        self._exchange = None
        self._failed(cause, 0, detail, now)
        self._follow_up(now)

    def _follow_up(self, now: float) -> None:
        if self._again:
            self._begin(now)

    def _mended(self, response: Response) -> bool:
        """Whether the same request, changed as the response asks for, is worth another try."""
        if response.status == 423:
            return self._lengthen(response)
        if response.status == 439 and self._outbound:
            # RFC 5626 §4.2.1: the first hop cannot keep flows; register as of old.
            self._outbound = False
            return True
        return False

    # --- outcomes ---------------------------------------------------------------------------

    def _accepted(self, exchange: Exchange, response: Response, now: float) -> None:
        if self._removing or not self._wanted:
            if not self._again:
                self._tell(Outcome())
            return
        grant = read_grant(response, self._contact, self._expires)
        flow = exchange.flow
        if grant.seconds <= 0 or flow is None:
            self._failed(FailureCause.SERVER_ERROR, response.status, "expires at once", now)
            return
        before = self.line.standings.get(self.number)
        if before is None or before.flow != flow:
            self._stood_since = now
        if before is not None or not grant.outbound:
            self._failures = 0
        # A GRUU that was not asked for is not used: whoever gives it may not route to it.
        gruus = (grant.gruu, grant.temp_gruu) if self.line.account.gruu else ("", "")
        self.line.standings[self.number] = Standing(
            flow, self.home, grant.service_route, *gruus, grant.outbound
        )
        self._plan(exchange, grant, flow, now)
        self._tell(Outcome(State.REGISTERED, expires_in=float(grant.seconds)))
        self._keepalives.keep(flow, now, grant.beat, stun=grant.keeps)
        self._tidy(grant, flow, now)
        self._correct(flow, now)

    def _plan(self, exchange: Exchange, grant: Grant, flow: Flow, now: float) -> None:
        """When to register again, and when to look whether we still are."""
        refresh = now + self._refresh_in(grant.seconds)
        if self._checking and exchange.flow_was_hint:
            refresh = min(refresh, self._anew_at)
        else:
            better = exchange.detour_until(now)
            self._detoured = better is not None
            if better is not None:
                # F16: a server that is to be preferred may be back by then.
                spread = 1.0 + 0.2 * self._core.tokens.fraction()
                refresh = min(refresh, now + spread * max(better - now, _SOONEST_RETURN))
        self._anew_at = refresh
        if self._may_be_forgotten(flow):
            wait = check_wait(self.line.account.recheck, self._core.tokens.fraction())
            refresh = min(refresh, now + wait)
        self._core.arm(self, Alarm.REFRESH, refresh)

    def _may_be_forgotten(self, flow: Flow) -> bool:
        """Whether the registrar could lose us without our noticing (F17, P4).

        A connection breaks with its server. By datagrams a PBX that restarts between two probes
        looks as ever, and only a REGISTER brings us back.
        """
        return bool(self.line.account.recheck) and not flow.transport.reliable

    def _correct(self, flow: Flow, now: float) -> None:
        """The registrar saw us elsewhere than our Contact says: register that (F55).

        A NAT that gives every datagram another port is followed a few times only.
        """
        if self._is_misplaced(flow):
            # First: a gateway that rewrites Contacts makes one of the old and the new.
            Removal(self._core, self, self._contact, flow).start(now)
            self._bound = ""
            self._again = True

    def _is_misplaced(self, flow: Flow) -> bool:
        """Whether our Contact is not where the registrar sees us, and changing it may help."""
        if self._address(flow) == self._contact:
            self._corrections = 0
            return False
        self._corrections += 1
        return self._corrections <= _MOST_CORRECTIONS

    def _address(self, flow: Flow) -> str:
        # RFC 5630 §5.1.1.1: who wants to be reached by sips registers a sips Contact.
        secure = self.line.account.address.secure
        address = self._core.address(self.line, flow, secure=secure)
        return address + (";ob" if self._outbound else "")

    def _refresh_in(self, granted: int) -> float:
        """Seconds until the refresh: well before the end, and not when everybody else does."""
        fraction = self._core.tokens.fraction()
        if granted <= 2 * _TIME_OUT:
            return granted * (0.5 - 0.02 * fraction)
        in_time = (granted - _TIME_OUT) * (0.9 + 0.1 * fraction)
        return min(granted * (0.75 + 0.1 * fraction), in_time)

    def _tidy(self, grant: Grant, flow: Flow, now: float) -> None:
        """Remove bindings of ours at addresses we no longer have (F9)."""
        old = set(grant.leftovers)
        if self._bound and self._bound != self._contact and not grant.outbound:
            old.add(self._bound)
        self._bound = self._contact
        if len(self.line.account.homes) > 1:
            return  # another binding of the line may be what looks like a leftover
        for uri in sorted(old)[:_MOST_LEFTOVERS]:
            Removal(self._core, self, uri, flow).start(now)

    def _failed(
        self,
        cause: FailureCause,
        status: int,
        phrase: str,
        now: float,
        after: float | None = None,
    ) -> None:
        standing = self.line.standings.pop(self.number, None)
        if not self._wanted:
            self._again = False
            self._tell(Outcome())
            return
        wait = wait_after(cause, self._failures, self._core.tokens.fraction())
        self._failures += 1
        if status == 430 and standing is not None:
            # RFC 5626 §11.5: the flow is dead although its near end is not.
            self._core.distrust(standing.flow)
            wait = 0.2 + 2 * self._core.tokens.fraction()
        elif not status and len(self.line.account.homes) > 1:
            wait = self._flow_wait()
        if after is not None:
            # Not before; and everybody else was told the same.
            wait = max(after, 1.0) * (1.0 + 0.25 * self._core.tokens.fraction())
        self._core.arm(self, Alarm.REFRESH, now + wait)
        self._tell(Outcome(State.FAILED, cause, status, phrase, retry_in=wait))

    def _flow_wait(self) -> float:
        others = self._owner.others_stand(self)
        return flow_wait(self._failures, self._core.tokens.fraction(), others=others)

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

    def _tell(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if outcome.state is State.OFF:
            self.line.standings.pop(self.number, None)
        self._owner.changed(self)


def _retry_after(response: Response) -> float | None:
    text = response.headers.get("Retry-After")
    if text is None:
        return None
    try:
        return min(float(parse_retry_after(text)), _LONGEST_RETRY_AFTER)
    except ParseError:
        return None
