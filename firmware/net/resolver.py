"""Names to addresses, off the loop's back: literals, /etc/hosts, then DNS with a cache.

What to ask and in which order to try the answers is decided by `sip.route.target` (RFC 3263); this
module asks. Answers live as long as their TTL says, and the last good one is served for a day
when the name server does not answer, over restarts too if there is a `Recollection`: a phone that
could call a minute ago still can (F14).
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from firmware.base.tokens import Tokens
from firmware.sip.route.target import NaptrRecord, SrvRecord, may_be_reached

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsResolver
    from dns.resolver import Answer

STALE_SECONDS = 24 * 3600.0
LOOKUP_SECONDS = 4.0
_MOST_NAMES = 256
_KINDS = ("NAPTR", "SRV", "A", "AAAA", "CNAME", "DNAME", "NS", "SOA", "OPT")
"""What answers are made of."""
_NEGATIVE_TTL = 30.0
_WORN = 3600.0
_SILENCE_SECONDS = 5.0
"""How long a name server that did not answer is not asked again: a call asks several questions."""


_AGAIN_SECONDS = (0.1, 0.4)
"""A name server that failed is asked once more, after a time within these (F15)."""
_LOOPBACK = ("127.0.0.1", "::1")

NameKey = tuple[str, str]
"""A name in lower case without the final dot, and the kind of record."""


class Remembered(Struct, frozen=True):
    """Rows that a name server gave, and how many seconds ago."""

    rows: tuple[str, ...]
    age: float


class Recollection(Protocol):
    """The last good answers over restarts."""

    def load(self) -> Mapping[NameKey, Remembered]:
        """Those of earlier runs; may read a disk, is called off the loop."""

    def keep(self, answers: Mapping[NameKey, Remembered]) -> None:
        """All that are worth keeping now; returns at once."""


class LookUpError(Exception):
    """A name gave no address; `missing` tells "does not exist" from "no name server answered"."""

    def __init__(self, text: str, *, missing: bool) -> None:
        super().__init__(text)
        self.missing = missing


class _Cached(Struct, frozen=True):
    rows: tuple[str, ...]
    until: float
    learned: float


class Resolver:
    """Asks for NAPTR, SRV, A and AAAA."""

    def __init__(
        self,
        clock: Callable[[], float],
        nameservers: tuple[tuple[str, int], ...] = (),
        hosts: Path = Path("/etc/hosts"),
        *,
        recollection: Recollection | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self._clock = clock
        self._recollection = recollection
        self._tokens = tokens or Tokens(b"no jitter is no harm")
        self._nameservers = nameservers
        self._hosts_file = hosts
        self._hosts: dict[str, tuple[str, ...]] | None = None
        self._cache: dict[NameKey, _Cached] = {}
        self._dns: DnsResolver | None = None
        self._loaded = False
        self._silent_until = float("-inf")

    def __len__(self) -> int:
        return len(self._cache)

    def forget(self) -> None:
        """The network changed: ask anew, keep old answers only for when nobody answers."""
        now = self._clock()
        self._dns = None
        self._hosts = None
        self._silent_until = now
        self._cache = {
            key: _Cached(entry.rows, now, entry.learned) for key, entry in self._cache.items()
        }

    async def directions(self, name: str) -> tuple[NaptrRecord, ...]:
        """NAPTR records of `name`; empty if there are none or nobody knows."""
        try:
            rows = await self._ask(name, "NAPTR")
        except LookUpError:
            return ()
        return tuple(_direction(row) for row in rows)

    async def services(self, name: str) -> tuple[SrvRecord, ...]:
        """SRV records of `name`; empty if there are none or nobody knows."""
        try:
            rows = await self._ask(name, "SRV")
        except LookUpError:
            return ()
        return tuple(_service(row) for row in rows)

    async def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 addresses, then IPv6 addresses of a name.

        Raises:
            LookUpError: there are none.
        """
        with contextlib.suppress(ValueError):
            return (str(ipaddress.ip_address(name.strip("[]"))),)
        if name.lower().rstrip(".").rpartition(".")[2] == "localhost":
            return _LOOPBACK  # RFC 6761 §6.3: whatever a name server says
        if self._hosts is None:
            self._hosts = await asyncio.to_thread(_read_hosts, self._hosts_file)
        if (known := self._hosts.get(name.lower())) is not None:
            return known
        results = await asyncio.gather(
            self._ask(name, "A"), self._ask(name, "AAAA"), return_exceptions=True
        )
        told = [row for result in results if isinstance(result, tuple) for row in result]
        found = tuple(row for row in told if _is_elsewhere(row))
        if found:
            return found
        if told:
            # A22: what we say to a name must not reach a service of this machine.
            raise LookUpError(f"{name} leads to no other machine", missing=True)
        errors = [result for result in results if isinstance(result, LookUpError)]
        for error in errors:
            if not error.missing:
                raise error
        raise LookUpError(f"{name} not found", missing=True)

    async def _ask(self, name: str, kind: str) -> tuple[str, ...]:
        key = (name.lower().rstrip("."), kind)
        cached = self._cache.get(key)
        if cached is not None and self._clock() < cached.until:
            return cached.rows
        if not self._loaded:
            await self._load()
            cached = self._cache.get(key)
        try:
            rows, ttl = await self._query_twice(*key)
        except LookUpError as error:
            if error.missing:
                rows, ttl = (), _NEGATIVE_TTL
            elif cached is not None and self._is_good(cached):
                return cached.rows
            else:
                raise
        self._keep(key, rows, ttl)
        return rows

    async def _load(self) -> None:
        """What asking costs once, off the loop: the library, and what earlier runs were told."""
        known = await asyncio.to_thread(_load_all, self._recollection)
        self._loaded = True
        now = self._clock()
        for key, entry in known.items():
            self._cache.setdefault(key, _Cached(entry.rows, now, now - entry.age))

    def _is_good(self, entry: _Cached) -> bool:
        return bool(entry.rows) and self._clock() < entry.learned + STALE_SECONDS

    def _keep(self, key: NameKey, rows: tuple[str, ...], ttl: float) -> None:
        before = self._cache.pop(key, None)
        if len(self._cache) >= _MOST_NAMES:
            del self._cache[next(iter(self._cache))]
        now = self._clock()
        self._cache[key] = _Cached(rows, now + ttl, now)
        # A card wears out by writing: the same answer is written again after an hour.
        news = before is None or set(before.rows) != set(rows) or now - before.learned > _WORN
        if self._recollection is not None and news and (rows or before is not None):
            good = {key: entry for key, entry in self._cache.items() if self._is_good(entry)}
            self._recollection.keep(
                {key: Remembered(entry.rows, now - entry.learned) for key, entry in good.items()}
            )

    async def _query_twice(self, name: str, kind: str) -> tuple[tuple[str, ...], float]:
        try:
            return await self._query(name, kind)
        except LookUpError as error:
            if error.missing or self._clock() < self._silent_until:
                raise
        least, most = _AGAIN_SECONDS
        await asyncio.sleep(least + (most - least) * self._tokens.fraction())
        return await self._query(name, kind)

    async def _query(self, name: str, kind: str) -> tuple[tuple[str, ...], float]:
        import dns.exception  # noqa: PLC0415 - loaded by now
        import dns.resolver  # noqa: PLC0415 - loaded by now

        if self._clock() < self._silent_until:
            raise LookUpError(f"{name}: no name server answered", missing=False)
        try:
            if self._dns is None:
                self._dns = await asyncio.to_thread(self._make_dns)
            answer: Answer = await self._dns.resolve(
                name, kind, lifetime=LOOKUP_SECONDS, search=False, raise_on_no_answer=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            raise LookUpError(f"{name} not found", missing=True) from error
        except (dns.exception.DNSException, OSError) as error:
            # Servers may have changed without a word: their names are read again next time.
            self._dns = None
            if isinstance(error, dns.exception.Timeout):
                self._silent_until = self._clock() + _SILENCE_SECONDS
            raise LookUpError(f"{name}: no name server answered", missing=False) from error
        self._prefer(answer.nameserver)
        rows = tuple(row.to_text() for row in answer.rrset or ())
        return rows, float(answer.rrset.ttl if answer.rrset else _NEGATIVE_TTL)

    def _prefer(self, host: str | None) -> None:
        """Ask whoever answered first from now on: a dead one before it costs time but once.

        RFC 4504 §2.2.
        """
        if self._dns is None or host is None or host not in self._dns.nameservers:
            return  # several questions are asked at once
        others = (each for each in self._dns.nameservers if each != host)
        self._dns.nameservers = [host, *others]

    def _make_dns(self) -> "DnsResolver":
        import dns.asyncresolver  # noqa: PLC0415 - see _load_dns

        if not self._nameservers:
            return dns.asyncresolver.Resolver()
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [host for host, _ in self._nameservers]
        resolver.nameserver_ports = dict(self._nameservers)
        return resolver


def _load_dns() -> None:
    """Import dnspython with the parts that it would import at the first question.

    It costs 60 ms: a phone whose server is a literal never pays it, and the loop never does.
    """
    import dns.asyncbackend  # noqa: PLC0415 - see above
    import dns.asyncresolver  # noqa: PLC0415 - see above
    import dns.rdata  # noqa: PLC0415 - see above

    dns.asyncbackend.set_default_backend("asyncio")
    for kind in map(dns.rdatatype.from_text, _KINDS):
        # mypy: the library has no types for it
        dns.rdata.get_rdata_class(dns.rdataclass.IN, kind)  # type: ignore[no-untyped-call]


def _load_all(recollection: Recollection | None) -> Mapping[NameKey, Remembered]:
    _load_dns()
    return {} if recollection is None else recollection.load()


def _is_elsewhere(address: str) -> bool:
    return may_be_reached(address) and not ipaddress.ip_address(address).is_loopback


def _direction(row: str) -> NaptrRecord:
    numbers, flags, _, service, *_, replacement = row.split('"')
    order, preference = map(int, numbers.split())
    return NaptrRecord(order, preference, flags, service, replacement.strip().rstrip("."))


def _service(row: str) -> SrvRecord:
    priority, weight, port, target = row.split()
    return SrvRecord(int(priority), int(weight), int(port), target.rstrip("."))


def _read_hosts(path: Path) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    with contextlib.suppress(OSError):
        for line in path.read_text(errors="replace").splitlines():
            address, *aliases = line.partition("#")[0].split() or [""]
            with contextlib.suppress(ValueError):
                literal = str(ipaddress.ip_address(address))
                for alias in aliases:
                    names[alias.lower()] = (*names.get(alias.lower(), ()), literal)
    return {name: tuple(sorted(rows, key=lambda row: ":" in row)) for name, rows in names.items()}
