"""Ways to one next hop, best first: addresses are asked for, connections opened, failures skipped.

The driver does the asking (RFC 3263 §4); this keeps the list, so that a request moves on to the
next server when one is silent or refuses (RFC 3263 §4.3). Places that failed lately come last.
Connections to a host with addresses of both families are raced: the second starts a quarter of a
second after the first, and whichever stands first is used (RFC 8305 §5).
"""

from typing import Final, Protocol

from firmware.sip.causes import cause_of_trouble
from firmware.sip.core import Alarm, Core
from firmware.sip.effects import OpenFlow, QueryId, ResolveTarget
from firmware.sip.flow import Endpoint, Flow, Target, Terms, TlsTerms, Transport
from firmware.sip.line import Line
from firmware.sip.notifications import FailureCause
from firmware.sip.route.reachability import place_of
from firmware.sip.transaction.keys import DEFAULT_PORT
from firmware.sip.uri import Uri

_MOST_TARGETS: Final = 8
_HEAD_START: Final = 0.25
"""RFC 8305 §5: how long the first family has before the other one starts too."""
_PATIENCE: Final = 4.0
_PATIENCE_OF_FAMILY: Final = 1.5
"""Seconds without any answer to a datagram after which another address is tried (F16, F54)."""


class WayUser(Protocol):
    """Who wants to send something."""

    def on_way(self, flow: Flow, now: float) -> None:
        """This is a way; ask for the `next` one if it leads nowhere."""

    def on_no_way(self, cause: FailureCause, detail: str, now: float) -> None:
        """There is no (further) way."""


class Wayfinder:
    """Finds flows to `hop`.

    `hint` is a flow that may still lead there: the registrar's for a call through the registrar,
    the dialog's own for a request inside it. `line`, if given, learns its server's addresses and
    lends the last good ones when the name cannot be looked up.
    """

    __slots__ = (
        "_cause",
        "_core",
        "_detail",
        "_further",
        "_hint",
        "_hop",
        "_line",
        "_openings",
        "_owner",
        "_passed",
        "_query",
        "_taken",
        "_targets",
        "_tried",
        "_user",
    )

    def __init__(
        self,
        core: Core,
        hop: Uri,
        user: WayUser,
        line: Line | None = None,
        hint: Flow | None = None,
    ) -> None:
        self._core = core
        self._hop = hop
        self._user = user
        self._owner = line
        # Only its own server's addresses are the line's to learn and to lend.
        ours = line is not None and (line.serves(hop.host) or line.routes_through(hop.host))
        self._line = line if ours else None
        self._hint = hint
        self._query: QueryId | None = None
        self._targets: list[Target] | None = None
        self._openings: list[_Opening] = []
        self._taken: Target | None = None
        self._tried: set[Endpoint] = set()
        self._passed: list[Target] = []
        # Whether the look-up under way is only to know what else there is.
        self._further = False
        self._cause = FailureCause.NO_ANSWER
        self._detail = "no answer"

    def start(self, now: float) -> None:
        """Look for the first way; `on_way` may be called before this returns."""
        flow = self._hint and self._follow(self._hint)
        if flow:
            self._tried.add(flow.remote)
            self._taken = Target(flow.transport, flow.remote, flow.local)
            self._user.on_way(flow, now)
        else:
            self._resolve()

    def next(self, cause: FailureCause, detail: str, now: float) -> None:
        """The last way failed; try another or say what was wrong with this one."""
        self._cause, self._detail = cause, detail
        if self._is_outdated():
            # The network changed: what is known, and what was tried, is from the old one.
            self._targets = self._taken = None
            self._tried.clear()
        elif self._taken is not None:
            self._passed.append(self._taken)
        if self._targets is None:
            self._resolve()
            return
        target = self._next_target()
        if target is None:
            self._user.on_no_way(self._cause, self._detail, now)
        else:
            self._take(target, now)

    @property
    def known(self) -> bool:
        """Whether the addresses have been asked for, rather than a hint followed."""
        return self._targets is not None

    @property
    def exhausted(self) -> bool:
        """Whether it is known that no further address is left."""
        return self._targets is not None and self._following() is None

    @property
    def patience(self) -> float:
        """Seconds to wait for an answer on the way just given before another may be better."""
        taken, following = self._taken, self._following()
        same = taken is not None and following is not None and _is_sibling(taken, following)
        return _PATIENCE_OF_FAMILY if same else _PATIENCE

    def look_further(self) -> None:
        """Find out what else there is beside the hint, without leaving it."""
        if self._targets is None and self._query is None:
            self._further = True
            self._resolve()

    def detour_until(self, now: float) -> float | None:
        """When a better place than the one in use may be tried again; None if there is none."""
        reach = self._core.reachability
        times = [reach.bad_until(place_of(target), now) for target in self._passed]
        return min((at for at in times if at is not None), default=None)

    def abandon(self) -> None:
        """Nobody waits any more."""
        if self._query is not None:
            self._core.queries.pop(self._query, None)
            self._query = None
        for opening in self._openings:
            self._core.queries.pop(opening.query, None)
        self._openings.clear()
        self._core.disarm(self, Alarm.RACE)

    # --- answers of the driver --------------------------------------------------------------

    def on_resolved(self, targets: tuple[Target, ...], now: float) -> None:
        self._query = None
        if self._line is not None:
            self._core.learn(self._line, self._hop.host, targets, now)
        self._found(targets[:_MOST_TARGETS], self._cause, self._detail, now)

    def on_unresolved(self, cause: FailureCause, detail: str, now: float) -> None:
        self._query = None
        # Emergency calls and calls with a dead DNS go to where the server was last seen (F14).
        known = self._line.targets if self._line is not None else ()
        here = tuple(each for each in known if self._core.has_address(each.local.host))
        self._found(here, cause, detail, now)

    def on_opened(self, flow: Flow, now: float) -> None:
        """Connections answer to their `_Opening`."""

    def on_refused(self, reason: str, now: float, cause: FailureCause | None = None) -> None:
        """As above."""

    def opened(self, opening: "_Opening", flow: Flow, now: float) -> None:
        """A connection stands: the others of its race are not wanted any more."""
        self._openings.remove(opening)
        for other in self._openings:
            self._passed.append(other.target)
            self._core.reachability.fail(place_of(other.target), now)
        self.abandon()
        self._core.reachability.forgive(place_of(opening.target))
        self._taken = opening.target
        # Where nobody listens for this transport, the connection itself is our only address.
        local = opening.target.local if opening.target.local.port else flow.local
        self._core.streams[flow.number] = (flow, local)
        self._user.on_way(flow, now)

    def refused(self, opening: "_Opening", reason: str, cause: FailureCause, now: float) -> None:
        """A connection cannot be had; the race may be won by another."""
        self._openings.remove(opening)
        self._passed.append(opening.target)
        self._core.reachability.fail(place_of(opening.target), now)
        if not self._openings:
            self._core.disarm(self, Alarm.RACE)
            self.next(cause, reason, now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        following = self._following()
        if alarm is Alarm.RACE and self._openings and following is not None:
            self._next_target()
            self._tried.add(following.remote)
            self._open(following, now)

    # --- helpers ----------------------------------------------------------------------------

    def _found(
        self, targets: tuple[Target, ...], cause: FailureCause, detail: str, now: float
    ) -> None:
        ranked = self._core.reachability.sorted(targets, now)
        # Whatever stands behind a worse one was passed over because it failed lately.
        first = ranked[0] if ranked else None
        self._passed += targets[: targets.index(first)] if first is not None else ()
        self._targets = ranked
        if self._further:
            self._further = False
        else:
            self.next(cause, detail, now)

    def _is_outdated(self) -> bool:
        """Whether the last way was from an address of ours that is gone."""
        taken = self._taken
        return taken is not None and not self._core.has_address(taken.local.host)

    def _following(self) -> Target | None:
        left = (each for each in self._targets or () if each.remote not in self._tried)
        return next(left, None)

    def _next_target(self) -> Target | None:
        found = self._following()
        if found is not None and self._targets is not None:
            del self._targets[: self._targets.index(found) + 1]
        return found

    def _resolve(self) -> None:
        hop = self._hop
        query = self._core.new_query(self)
        self._query = query
        # A port that was meant for something else is no port for TLS.
        port = None if self._agreed() and hop.port == DEFAULT_PORT else hop.port
        host = hop.param("maddr") or hop.host
        if self._line is not None:
            host = self._line.account.zones.get(host, host)
        effect = ResolveTarget(query, host, port, self._transport(), hop.secure)
        self._core.effects.append(effect)

    def _transport(self) -> Transport | None:
        """The transport that the hop names or that its line uses; None if any will do."""
        named = self._hop.transport
        found = next((each for each in Transport if each.value == named), None)
        kept = self._secure()
        if kept is not None and (found is None or not found.secure):
            # F26: what a line sends by TLS never goes in the clear, whatever a URI says.
            return Transport.WSS if found is Transport.WS else kept
        if found is None and self._line is not None:
            account = self._line.account
            return None if account.any_transport else account.transport
        return found

    def _secure(self) -> Transport | None:
        """The secure transport that the line or the dialog uses, if it does."""
        own = self._owner.account.transport if self._owner is not None else None
        hinted = self._hint.transport if self._hint is not None else None
        for transport in (own, hinted):
            if transport is not None and transport.secure:
                return transport
        return Transport.TLS if self._agreed() else None

    def _agreed(self) -> bool:
        """Whether the line's server insists on TLS though the line is not set up for it."""
        agreement = self._line.keyring.agreement if self._line is not None else None
        return agreement is not None and agreement.by_tls and not self._hop.secure

    def _terms(self, target: Target) -> Terms | None:
        """Under what a connection to the target is opened, or must have been (RFC 5923 §8.1)."""
        transport, hint, line = target.transport, self._hint, self._owner
        if not (transport.secure or transport.web):
            return None
        known = hint is not None and hint.remote.host == target.remote.host
        if hint is not None and known and hint.transport is transport and hint.terms is not None:
            return hint.terms
        if line is not None and self._line is not None:
            return line.account.terms(transport, self._hop.host)
        if line is not None and self._hop.host == target.remote.host in line.servers:
            # Our server wrote its address into a route: it is the one whose name we know.
            return line.account.terms(transport)
        # Whom the line trusts holds for others too; its own certificate, its server's name and
        # the wish not to verify do not.
        trusted = TlsTerms(ca=line.account.tls.ca if line is not None else "")
        tls = trusted if transport.secure else None
        return Terms(self._hop.host, tls, "/" if transport.web else "")

    def _take(self, target: Target, now: float) -> None:
        self._tried.add(target.remote)
        self._taken = target
        if not target.transport.reliable:
            self._user.on_way(Flow(target.transport, target.local, target.remote), now)
            return
        terms = self._terms(target)
        wanted = (target.transport, target.remote)
        # A laboratory PBX knows its phones by the connections they came by, whoever they are.
        known = (terms, None) if self._core.settings.open_house else (terms,)
        for flow, _ in self._core.streams.values():
            if (flow.transport, flow.remote) == wanted and flow.terms in known:
                self._user.on_way(flow, now)
                return
        alias = self._core.aliases.find(target, terms)
        if alias is not None:
            self._user.on_way(alias, now)
            return
        self._open(target, now)

    def _open(self, target: Target, now: float) -> None:
        opening = _Opening(self, self._core, target)
        self._openings.append(opening)
        self._core.effects.append(OpenFlow(opening.query, target, self._terms(target)))
        following = self._following()
        if following is not None and _is_sibling(target, following):
            self._core.arm(self, Alarm.RACE, now + _HEAD_START)

    def _follow(self, hint: Flow) -> Flow | None:
        """`hint` as a way to the hop, without asking anybody; None if it is not one."""
        hop = self._hop
        if not self._core.has_address(hint.local.host):
            return None
        if hop.secure and not hint.transport.secure:
            return None  # RFC 5630 §5.1.1: sips goes over TLS or not at all
        if self._line is not None and self._line.stands_on(hint):
            return hint  # whatever its name is now: this is where we are registered
        if hint.transport.reliable:
            return hint if hint.number in self._core.streams else None
        if hop.transport not in (None, "udp") or hop.secure or hop.host != hint.remote.host:
            return None
        return Flow(hint.transport, hint.local, Endpoint(hop.host, hop.port or DEFAULT_PORT))


class _Opening:
    """One connection that is being made."""

    __slots__ = ("query", "target", "way")

    def __init__(self, way: Wayfinder, core: Core, target: Target) -> None:
        self.way = way
        self.target = target
        self.query = core.new_query(self)

    def on_resolved(self, targets: tuple[Target, ...], now: float) -> None:
        """Never asked for."""

    def on_unresolved(self, cause: FailureCause, detail: str, now: float) -> None:
        """Never asked for."""

    def on_opened(self, flow: Flow, now: float) -> None:
        self.way.opened(self, flow, now)

    def on_refused(self, reason: str, now: float, cause: FailureCause | None = None) -> None:
        self.way.refused(self, reason, cause or cause_of_trouble(reason), now)


def _is_sibling(one: Target, other: Target) -> bool:
    """Whether they are one server by both families of addresses."""
    both = one.remote.is_ipv6 != other.remote.is_ipv6
    return both and one.host == other.host != "" and one.transport is other.transport
