"""Ways to one next hop, best first: addresses are asked for, connections opened, failures skipped.

The driver does the asking (RFC 3263 §4); this keeps the list, so that a request moves on to the
next server when one is silent or refuses (RFC 3263 §4.3).
"""

from typing import Protocol

from firmware.sip.causes import cause_of_trouble
from firmware.sip.core import Core
from firmware.sip.effects import OpenFlow, QueryId, ResolveTarget
from firmware.sip.flow import Endpoint, Flow, Target, Terms, TlsTerms, Transport
from firmware.sip.line import Line
from firmware.sip.notifications import FailureCause
from firmware.sip.transaction.keys import DEFAULT_PORT
from firmware.sip.uri import Uri

_MOST_TARGETS = 8


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
        "_hint",
        "_hop",
        "_line",
        "_owner",
        "_query",
        "_targets",
        "_tried",
        "_trying",
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
        self._trying: Target | None = None
        self._tried: set[Endpoint] = set()
        self._cause = FailureCause.NO_ANSWER
        self._detail = "no answer"

    def start(self, now: float) -> None:
        """Look for the first way; `on_way` may be called before this returns."""
        flow = self._hint and self._follow(self._hint)
        if flow:
            self._tried.add(flow.remote)
            self._user.on_way(flow, now)
        else:
            self._resolve()

    def next(self, cause: FailureCause, detail: str, now: float) -> None:
        """The last way failed; try another or say what was wrong with this one."""
        self._cause, self._detail = cause, detail
        if self._targets is None:
            self._resolve()
            return
        while self._targets:
            target = self._targets.pop(0)
            if target.remote not in self._tried:
                self._take(target, now)
                return
        self._user.on_no_way(self._cause, self._detail, now)

    @property
    def exhausted(self) -> bool:
        """Whether it is known that no further address is left."""
        left = self._targets
        return left is not None and all(target.remote in self._tried for target in left)

    def abandon(self) -> None:
        """Nobody waits any more."""
        if self._query is not None:
            self._core.queries.pop(self._query, None)
            self._query = None

    # --- answers of the driver --------------------------------------------------------------

    def on_resolved(self, targets: tuple[Target, ...], now: float) -> None:
        self._query = None
        if self._line is not None:
            self._core.learn(self._line, self._hop.host, targets, now)
        self._targets = list(targets[:_MOST_TARGETS])
        self.next(self._cause, self._detail, now)

    def on_unresolved(self, cause: FailureCause, detail: str, now: float) -> None:
        self._query = None
        # Emergency calls and calls with a dead DNS go to where the server was last seen (F14).
        known = self._line.targets if self._line is not None else ()
        self._targets = list(known)
        self.next(cause, detail, now)

    def on_opened(self, flow: Flow, now: float) -> None:
        self._query = None
        assert self._trying is not None
        # Where nobody listens for this transport, the connection itself is our only address.
        local = self._trying.local if self._trying.local.port else flow.local
        self._core.streams[flow.number] = (flow, local)
        self._user.on_way(flow, now)

    def on_refused(self, reason: str, now: float, cause: FailureCause | None = None) -> None:
        self._query = None
        self.next(cause or cause_of_trouble(reason), reason, now)

    # --- helpers ----------------------------------------------------------------------------

    def _resolve(self) -> None:
        hop = self._hop
        query = self._core.new_query(self)
        self._query = query
        effect = ResolveTarget(
            query, hop.param("maddr") or hop.host, hop.port, self._transport(), hop.secure
        )
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
            return self._line.account.transport
        return found

    def _secure(self) -> Transport | None:
        """The secure transport that the line or the dialog uses, if it does."""
        own = self._owner.account.transport if self._owner is not None else None
        hinted = self._hint.transport if self._hint is not None else None
        for transport in (own, hinted):
            if transport is not None and transport.secure:
                return transport
        return None

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
        if line is not None and target.remote.host in line.servers:
            return line.account.terms(transport)
        tls = TlsTerms() if transport.secure else None
        return Terms(self._hop.host, tls, "/" if transport.web else "")

    def _take(self, target: Target, now: float) -> None:
        self._tried.add(target.remote)
        if not target.transport.reliable:
            self._user.on_way(Flow(target.transport, target.local, target.remote), now)
            return
        terms = self._terms(target)
        wanted = (target.transport, target.remote, terms)
        for flow, _ in self._core.streams.values():
            if (flow.transport, flow.remote, flow.terms) == wanted:
                self._user.on_way(flow, now)
                return
        self._trying = target
        self._query = self._core.new_query(self)
        self._core.effects.append(OpenFlow(self._query, target, terms))

    def _follow(self, hint: Flow) -> Flow | None:
        """`hint` as a way to the hop, without asking anybody; None if it is not one."""
        hop = self._hop
        if hop.secure and not hint.transport.secure:
            return None  # RFC 5630 §5.1.1: sips goes over TLS or not at all
        if self._line is not None and self._line.stands_on(hint):
            return hint  # whatever its name is now: this is where we are registered
        if hint.transport.reliable:
            return hint if hint.number in self._core.streams else None
        if hop.transport not in (None, "udp") or hop.secure or hop.host != hint.remote.host:
            return None
        return Flow(hint.transport, hint.local, Endpoint(hop.host, hop.port or DEFAULT_PORT))
