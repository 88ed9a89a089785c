"""Names to addresses, off the loop's back: literals, /etc/hosts, then DNS with a cache.

What to ask and in which order to try the answers is decided by `firmware.sip.target` (RFC 3263);
this module asks. Answers live as long as their TTL says, and the last good one is served when
the name server does not answer: a phone that could call a minute ago still can (F14).
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.sip.target import SrvRecord

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsResolver
    from dns.resolver import Answer

STALE_SECONDS = 24 * 3600.0
LOOKUP_SECONDS = 4.0
_MOST_NAMES = 256
_KINDS = ("SRV", "A", "AAAA", "CNAME", "DNAME", "NS", "SOA", "OPT")
"""What answers are made of."""
_NEGATIVE_TTL = 30.0
_SILENCE_SECONDS = 5.0
"""How long a name server that did not answer is not asked again: a call asks several questions."""


class LookUpError(Exception):
    """A name gave no address; `missing` tells "does not exist" from "no name server answered"."""

    def __init__(self, text: str, *, missing: bool) -> None:
        super().__init__(text)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class _Cached:
    rows: tuple[str, ...]
    until: float
    stale_until: float


class Resolver:
    """Asks for SRV, A and AAAA."""

    def __init__(
        self,
        clock: Callable[[], float],
        nameservers: tuple[tuple[str, int], ...] = (),
        hosts: Path = Path("/etc/hosts"),
    ) -> None:
        self._clock = clock
        self._nameservers = nameservers
        self._hosts_file = hosts
        self._hosts: dict[str, tuple[str, ...]] | None = None
        self._cache: dict[tuple[str, str], _Cached] = {}
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
            key: _Cached(entry.rows, now, entry.stale_until) for key, entry in self._cache.items()
        }

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
        if self._hosts is None:
            self._hosts = await asyncio.to_thread(_read_hosts, self._hosts_file)
        if (known := self._hosts.get(name.lower())) is not None:
            return known
        results = await asyncio.gather(
            self._ask(name, "A"), self._ask(name, "AAAA"), return_exceptions=True
        )
        found = [row for result in results if isinstance(result, tuple) for row in result]
        if found:
            return tuple(found)
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
        try:
            rows, ttl = await self._query(*key)
        except LookUpError as error:
            if error.missing:
                rows, ttl = (), _NEGATIVE_TTL
            elif cached is not None and self._clock() < cached.stale_until and cached.rows:
                return cached.rows
            else:
                raise
        self._keep(key, rows, ttl)
        return rows

    def _keep(self, key: tuple[str, str], rows: tuple[str, ...], ttl: float) -> None:
        self._cache.pop(key, None)
        if len(self._cache) >= _MOST_NAMES:
            del self._cache[next(iter(self._cache))]
        now = self._clock()
        self._cache[key] = _Cached(rows, now + ttl, now + STALE_SECONDS)

    async def _query(self, name: str, kind: str) -> tuple[tuple[str, ...], float]:
        if not self._loaded:
            await asyncio.to_thread(_load_dns)
            self._loaded = True
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
        rows = tuple(row.to_text() for row in answer.rrset or ())
        return rows, float(answer.rrset.ttl if answer.rrset else _NEGATIVE_TTL)

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
