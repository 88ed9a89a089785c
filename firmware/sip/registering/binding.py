"""One registration of a line: with one registrar, by one outbound proxy (RFC 3261 §10).

    OFF ──register──▶ TRYING ──2xx──▶ REGISTERED ──refresh fails──▶ FAILED ──retry──▶ …
                        └────────any failure───────────────────────────▲

Not here: what the phone hears of it and the line's other bindings (`registration`), what stands in
a REGISTER (`register`), when the next is due (`schedule`), what a 2xx says (`grant`).
"""

from typing import Final, Protocol

from msgspec import Struct

from firmware.sip.account import Home
from firmware.sip.bodies import shown
from firmware.sip.causes import cause_of
from firmware.sip.core import Alarm, Core
from firmware.sip.errors import ParseError
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.headers import parse_retry_after
from firmware.sip.line import Line, Standing
from firmware.sip.message import Request, Response
from firmware.sip.notifications import FailureCause, RegistrationState
from firmware.sip.reach.keepalive import Keepalives
from firmware.sip.registering.grant import Grant, read_grant
from firmware.sip.registering.register import Register
from firmware.sip.registering.removal import Removal
from firmware.sip.registering.schedule import Schedule

_CLOCKS: Final = (
    FailureCause.CLOCK_NOT_SET,
    FailureCause.CERT_NOT_YET,
    FailureCause.CERT_EXPIRED,
)
_LONGEST_RETRY_AFTER: Final = 1800.0
_SUSPICION_SECONDS: Final = 30.0
_MOST_LEFTOVERS: Final = 4

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
        self.outcome = Outcome()
        self._core = core
        self._owner = owner
        self._keepalives = keepalives
        self._register = Register(core, line, number)
        self._schedule = Schedule(line.account, core.tokens)
        self._news = News()
        self._bound = ""
        self._exchange: Exchange | None = None
        self._wanted = False
        self._again = False
        self._removing = False
        # Whether we are at another server than we would be if all were well.
        self._detoured = False
        # Whether the REGISTER under way goes where the binding stands, wherever that is.
        self._checking = False
        self._suspected_at = float("-inf")

    # --- intents ----------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.outcome.state

    @property
    def home(self) -> Home:
        """The server, and the proxy that leads to it."""
        return self._register.home

    def register(self, now: float) -> None:
        """Register now, or again now."""
        self._wanted = True
        self._schedule.forgive()
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
        if self.state is State.REGISTERED and now - self._suspected_at > _SUSPICION_SECONDS:
            self._suspected_at = now
            self._begin(now)

    def probed(self, flow: Flow, now: float, *, alive: bool) -> None:
        """A probe on a flow was answered or not; if it is ours the binding may be of no use."""
        standing = self.line.standings.get(self.number)
        if standing is None or standing.flow != flow:
            return
        if not alive:
            self.suspect(now)
        elif self._exchange is None and self._register.is_misplaced(flow):
            self._begin(now)

    def address_known(self, now: float) -> None:
        """We are known by another name now: the registrar shall have it."""
        standing = self.line.standings.get(self.number)
        if standing is not None and self._register.is_misplaced(standing.flow):
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
        wait = self._schedule.lost_wait(now)
        if not proven:
            wait = self._schedule.unproven_wait(others=self._owner.others_stand(self))
            trouble = self._core.trouble
            self._tell(Outcome(State.FAILED, trouble.cause, 0, trouble.reason, retry_in=wait))
        self._core.arm(self, Alarm.REFRESH, now + wait)

    def network_changed(self, now: float) -> None:
        """Addresses may be others now: the registrar must learn the new Contact (F9)."""
        standing = self.line.standings.get(self.number)
        if standing is not None and not standing.flow.transport.reliable:
            del self.line.standings[self.number]  # a connection that is gone has said so
        self._schedule.forgive()
        if self._wanted:
            self._core.arm(self, Alarm.REFRESH, now + self._core.tokens.fraction())

    def clock_set(self, now: float) -> None:
        """Try again at once if it was the clock that was in the way (F11)."""
        if self._wanted and self._exchange is None and self.outcome.cause in _CLOCKS:
            self._begin(now)

    def told(self, uri: str, news: "News") -> None:
        """The registrar says that something happened to the binding of `uri` (RFC 3680 §4.6)."""
        if uri == self._register.contact and news.event in _NEWS and self.state is State.REGISTERED:
            self._news = news
            self._core.arm(self, Alarm.EXPIRY, 0.0)  # at once: the teller has no clock

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH and self._wanted:
            self._begin(now, check=self._schedule.checks(now))
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
            wait = self._schedule.refresh_wait(news.expires or 0)
            self._core.arm(self, Alarm.REFRESH, now + wait)
        else:
            self._core.arm(self, Alarm.REFRESH, now + self._schedule.soon_wait())

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
        return self._register.binding(flow, removing=self._removing)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        if self._register.mended(response):
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

    # --- outcomes ---------------------------------------------------------------------------

    def _accepted(self, exchange: Exchange, response: Response, now: float) -> None:
        if self._removing or not self._wanted:
            if not self._again:
                self._tell(Outcome())
            return
        grant = read_grant(response, self._register.contact, self._register.expires)
        flow = exchange.flow
        if grant.seconds <= 0 or flow is None:
            self._failed(FailureCause.SERVER_ERROR, response.status, "expires at once", now)
            return
        before = self.line.standings.get(self.number)
        if before is None or before.flow != flow:
            self._schedule.new_flow(now)
        if before is not None or not grant.outbound:
            self._schedule.forgive()
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
        if self._checking and exchange.flow_was_hint:
            self._schedule.confirmed(grant.seconds, now)
        else:
            better = exchange.detour_until(now)
            self._detoured = better is not None
            self._schedule.renewed(grant.seconds, better, now)
        self._core.arm(self, Alarm.REFRESH, self._schedule.next_at(flow, now))

    def _correct(self, flow: Flow, now: float) -> None:
        """The registrar saw us elsewhere than our Contact says: register that (F55)."""
        if self._register.is_misplaced(flow):
            # First: a gateway that rewrites Contacts makes one of the old and the new.
            self._remove(self._register.contact, flow, now)
            self._bound = ""
            self._again = True

    def _tidy(self, grant: Grant, flow: Flow, now: float) -> None:
        """Remove bindings of ours at addresses we no longer have (F9)."""
        old, contact = set(grant.leftovers), self._register.contact
        if self._bound and self._bound != contact and not grant.outbound:
            old.add(self._bound)
        self._bound = contact
        if len(self.line.account.homes) > 1:
            return  # another binding of the line may be what looks like a leftover
        for uri in sorted(old)[:_MOST_LEFTOVERS]:
            self._remove(uri, flow, now)

    def _remove(self, uri: str, flow: Flow, now: float) -> None:
        Removal(self._core, self.line, self._register, uri, flow).start(now)

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
        wait = self._schedule.failure_wait(cause)
        if status == 430 and standing is not None:
            # RFC 5626 §11.5: the flow is dead although its near end is not.
            self._core.distrust(standing.flow)
            wait = self._schedule.soon_wait()
        elif not status and len(self.line.account.homes) > 1:
            wait = self._schedule.flow_wait(others=self._owner.others_stand(self))
        if after is not None:
            wait = self._schedule.told_wait(after)
        self._core.arm(self, Alarm.REFRESH, now + wait)
        self._tell(Outcome(State.FAILED, cause, status, phrase, retry_in=wait))

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
