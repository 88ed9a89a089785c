"""Who may ask us for something outside a dialog, and for which line (A1 to A4, P7).

A source is trusted by a line if it is one of the addresses its server or proxy was resolved to,
one of its `peers`, or the far end of the connection the line registered over. Everybody else gets
no answer at all; over a stream the connection is closed. What strangers may cost is bounded by
counting what they send within a second.
"""

import ipaddress
from typing import Final

from msgspec import Struct, field

from firmware.sip.account import Account
from firmware.sip.core import Alarm, Core
from firmware.sip.effects import CloseFlow, ResolveTarget
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow, Target
from firmware.sip.line import Line
from firmware.sip.notifications import FailureCause, LineName, Stranger
from firmware.sip.uri import host_port

_PER_HOST: Final = 50
_PER_SECOND: Final = 400
_RESOLVE_AGAIN: Final = 300.0
_MOST_CACHED: Final = 1024
_LONGEST_METHOD: Final = 32  # of what a stranger wrote, in the log (A23)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Trust(Struct):
    """Whom one line trusts: hosts by the name they were resolved from, and networks."""

    line: Line
    account: Account
    by_name: dict[str, frozenset[str]] = field(default_factory=dict)
    networks: list[Network] = field(default_factory=list)

    def covers(self, host: str) -> bool:
        if any(host in hosts for hosts in self.by_name.values()):
            return True
        if not self.networks:
            return False
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


class Screening:
    """The trust of all lines."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._trust: dict[LineName, _Trust] = {}
        self._cache: dict[str, tuple[Line, ...]] = {}
        self._second = 0
        self._counts: dict[str, int] = {}
        self._total = 0
        self._unsaid = 0
        self._said_at = float("-inf")

    # --- what is trusted --------------------------------------------------------------------

    def set_lines(self, now: float) -> None:
        """Begin anew with the lines of the core; what is known about unchanged lines stays."""
        self._cache.clear()
        old, self._trust = self._trust, {}
        for name, line in self._core.lines.items():
            self._trust[name] = self._kept(old.get(name), line) or self._begin(line)
        self._core.disarm(self, Alarm.RESOLVE)
        self._resolve(now)

    def learn(self, line: Line, name: str, targets: tuple[Target, ...], now: float) -> None:
        """`name`, a server or peer of the line, has these addresses now."""
        del now
        trust = self._trust.get(line.name)
        if trust is None or trust.line is not line:
            return
        hosts = frozenset(target.remote.host for target in targets)
        if line.serves(name):
            line.targets = targets
        if trust.by_name.get(name) != hosts:
            trust.by_name[name] = hosts
            self._cache.clear()
            served = [hosts for name, hosts in trust.by_name.items() if _ours(line, name)]
            line.servers = set().union(*served)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.RESOLVE:
            self._resolve(now)

    def _kept(self, old: _Trust | None, line: Line) -> _Trust | None:
        """The trust of a line that stays; with other peers it is new but for its servers."""
        if old is None or old.line is not line:
            return None
        if old.account == line.account:
            return old
        trust = self._begin(line)
        served = {name: hosts for name, hosts in old.by_name.items() if line.serves(name)}
        trust.by_name |= served
        return trust

    def _begin(self, line: Line) -> _Trust:
        account = line.account
        trust = _Trust(line, account)
        for host in (host for home in account.homes for host in home.hosts):
            if _is_address(host):
                trust.by_name[host] = frozenset((host,))
                line.servers.add(host)
        for peer in account.peers:
            try:
                trust.networks.append(ipaddress.ip_network(peer.strip("[]"), strict=False))
            except ValueError:
                continue  # a name: resolved below
        return trust

    def _names(self, trust: _Trust) -> list[tuple[str, int | None]]:
        """The names of a line that nobody else looks up: a REGISTER finds its own server."""
        account = trust.line.account
        names: list[tuple[str, int | None]] = []
        if not account.register:
            servers = [uri for home in account.homes for uri in (home.server, home.proxy)]
            names += [(uri.host, uri.port) for uri in servers if uri and not _is_address(uri.host)]
        for peer in account.peers:
            try:
                host, port = host_port(peer)
            except ParseError:
                continue
            if not _is_address(host) and "/" not in peer:
                names.append((host, port))
        return names

    def _resolve(self, now: float) -> None:
        asked = False
        for trust in self._trust.values():
            for host, port in self._names(trust):
                asked = True
                query = self._core.new_query(_Question(self, trust.line, host))
                transport = trust.line.account.transport
                self._core.effects.append(ResolveTarget(query, host, port, transport))
        if asked:
            self._core.arm(self, Alarm.RESOLVE, now + _RESOLVE_AGAIN)

    # --- judging ----------------------------------------------------------------------------

    def trusting(self, flow: Flow) -> tuple[Line, ...]:
        """The lines that trust the far end of a flow."""
        if flow.transport.reliable:
            own = [each for each in self._core.lines.values() if each.stands_on(flow)]
            if own:
                return tuple(own)
        host = flow.remote.host
        found = self._cache.get(host)
        if found is None:
            if self._core.settings.open_house:
                found = tuple(self._core.lines.values())
            else:
                found = tuple(each.line for each in self._trust.values() if each.covers(host))
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[host] = found
        return found

    def believes(self, line: Line, flow: Flow) -> bool:
        """Whether `line` trusts the far end of a flow with saying who somebody is (A21)."""
        return line in self.trusting(flow)

    def knows(self, line: Line, host: str) -> bool:
        """Whether `host`, a name or an address, is one that the line has to do with (A19)."""
        trust = self._trust.get(line.name)
        if line.account.leads_to(host) or trust is None:
            return line.account.leads_to(host)
        return host in trust.by_name or trust.covers(host)

    def line_for(self, user: str, flow: Flow, lines: tuple[Line, ...]) -> Line | None:
        """The line among `lines` that a request to `user` is for; None means 404."""
        for line in lines:
            if user == line.contact_user:
                return line
        for line in lines:
            if user and line.account.rings_for(user):
                return line
        for line in lines:
            # Our own connection to the registrar carries nothing that is not for the line.
            own = flow.transport.reliable and line.stands_on(flow)
            if own or self._core.settings.open_house:
                return line
        return None

    def admits(self, flow: Flow, now: float) -> bool:
        """Whether a datagram or message is worth parsing; counts those of strangers."""
        if self.trusting(flow):
            return True
        second = int(now)
        if second != self._second:
            self._second, self._total = second, 0
            self._counts.clear()
        host = flow.remote.host
        count = self._counts.get(host, 0)
        if count >= _PER_HOST or self._total >= _PER_SECOND:
            self._unsaid += 1
            return False
        self._counts[host] = count + 1
        self._total += 1
        return True

    def turn_away(self, flow: Flow, method: str, now: float) -> None:
        """Drop a stranger's request without an answer; note it at most once a second."""
        if flow.transport.reliable:
            self._core.effects.append(CloseFlow(flow))
        self._unsaid += 1
        if now - self._said_at >= 1.0:
            self._core.notify(Stranger(flow.remote, method[:_LONGEST_METHOD], self._unsaid))
            self._said_at, self._unsaid = now, 0


class _Question:
    """The addresses of one name."""

    def __init__(self, screening: Screening, line: Line, host: str) -> None:
        self._screening = screening
        self._line = line
        self._host = host

    def on_resolved(self, targets: tuple[Target, ...], now: float) -> None:
        self._screening.learn(self._line, self._host, targets, now)

    def on_unresolved(self, cause: FailureCause, detail: str, now: float) -> None:
        """The last good addresses stay trusted; the next round asks again."""

    def on_opened(self, flow: Flow, now: float) -> None:
        """Never asked for."""

    def on_refused(self, reason: str, now: float, cause: FailureCause | None = None) -> None:
        """Never asked for."""


def _ours(line: Line, name: str) -> bool:
    """Whether the line's own requests go to `name`: it may challenge us."""
    return line.serves(name) or line.routes_through(name)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
