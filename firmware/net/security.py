"""Makes the layers that a connection is opened or accepted with, off the loop.

Contexts are kept as long as their files stay as they are; `ssl` and the WebSocket library are
loaded when the first line or listener wants them, so that a phone without pays nothing.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from firmware.net.clock import synchronised, wall_clock
from firmware.net.link_error import LinkError
from firmware.net.pipe import Framed, Pipe, Secure
from firmware.sip.flow import Endpoint, Terms, TlsTerms, Transport
from firmware.sip.notifications import FailureCause

if TYPE_CHECKING:
    import ssl

    from firmware.net.tls import Context, Ticket

_DAY = 86400.0
WARNED_SECONDS = 30 * _DAY
"""So long before its end our own certificate is spoken of (F27)."""
_MOST_CONTEXTS = 16
_MOST_TICKETS = 16
Made = TypeVar("Made")


class OwnCertificate(Struct, frozen=True):
    """A certificate of ours and the moment its validity ends, in seconds since 1970."""

    file: str
    until: float


class Security:
    """The contexts of this phone."""

    def __init__(
        self,
        clock_is_set: Callable[[], bool] | None = None,
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self._clock_is_set = clock_is_set
        self._wall = wall
        self._contexts: dict[tuple[object, ...], Context] = {}
        self._tickets: dict[tuple[int, str, Endpoint], Ticket] = {}
        # One thread for all handshakes: strangers cannot keep more of the processor busy (A13).
        self._worker = ThreadPoolExecutor(1, "handshakes")

    def apart(self, step: Callable[[], Made]) -> "asyncio.Future[Made]":
        """Do one step of a handshake off the loop."""
        return asyncio.get_running_loop().run_in_executor(self._worker, step)

    def close(self) -> None:
        """Shake no more hands."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    @property
    def own(self) -> tuple[OwnCertificate, ...]:
        """The certificates of ours that are in use."""
        found = {
            each.terms.cert: each.own_until
            for each in self._contexts.values()
            if each.own_until is not None
        }
        return tuple(OwnCertificate(file, until) for file, until in found.items())

    async def opener(self, transport: Transport, remote: Endpoint, terms: Terms | None) -> Pipe:
        """The layers of a connection to `remote` that we open.

        Raises:
            LinkError: a file of the line cannot be used.
        """
        if terms is None or (transport.secure and terms.tls is None):
            # What asks for TLS must never travel in the clear.
            raise LinkError(FailureCause.TLS_FAILED, "nothing says whom to trust")
        context = None
        if terms.tls is not None and transport.secure:
            context = await self._context(terms.tls, server=False)
        return await asyncio.to_thread(self._layers, transport, remote, terms, context)

    async def door(self, transport: Transport, terms: TlsTerms | None) -> Callable[[], Pipe]:
        """Makes the layers of each connection that somebody opens to us.

        Raises:
            LinkError: the certificate or its key cannot be used.
        """
        context = None
        if transport.secure:
            context = await self._context(terms or TlsTerms(), server=True)
        return await asyncio.to_thread(_acceptor, transport, context)

    async def _context(self, terms: TlsTerms, *, server: bool) -> "Context":
        key = await asyncio.to_thread(_key_of, terms, server=server)
        if key not in self._contexts:
            made = await asyncio.to_thread(_make, terms, server=server)
            if len(self._contexts) >= _MOST_CONTEXTS:
                self._contexts.clear()
                self._tickets.clear()
            self._contexts[key] = made
        return self._contexts[key]

    def _layers(
        self, transport: Transport, remote: Endpoint, terms: Terms, context: "Context | None"
    ) -> Pipe:
        secure = None
        if context is not None:
            from firmware.net.tls import TlsLayer  # noqa: PLC0415 - see above

            is_set = self._clock_is_set or synchronised
            is_set()  # loads what the answer needs, here and not on the loop
            place = (id(context), terms.name, remote)
            secure = TlsLayer(
                *(context, terms.name),
                clock_is_set=is_set,
                session=self._session(place),
                keep=lambda ticket: self._keep(place, ticket),
            )
        if not transport.web:
            return Pipe(Framed(), secure)
        from firmware.net.websocket import client_layer  # noqa: PLC0415 - see above

        layer = client_layer(terms.name, remote, terms.path, secure=transport.secure)
        return Pipe(layer, secure)

    def _session(self, place: tuple[int, str, Endpoint]) -> "ssl.SSLSession | None":
        """The session that was kept for a place; each is used once."""
        ticket = self._tickets.pop(place, None)
        return ticket.session if ticket is not None and ticket.until > self._wall() else None

    def _keep(self, place: tuple[int, str, Endpoint], ticket: "Ticket") -> None:
        while len(self._tickets) >= _MOST_TICKETS:
            del self._tickets[next(iter(self._tickets))]
        self._tickets[place] = ticket


class CertificateWatch:
    """Says once a day which certificate of ours ends within `WARNED_SECONDS` (F27)."""

    def __init__(
        self,
        security: Security,
        ends: Callable[[str, int], None],
        wall: Callable[[], float] = wall_clock,
    ) -> None:
        self._security = security
        self._ends = ends
        self._wall = wall
        self._said: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Certificates may have come into use."""
        for certificate in self._security.own:
            left = certificate.until - self._wall()
            if left < WARNED_SECONDS and certificate.file not in self._said:
                self._said.add(certificate.file)
                self._ends(certificate.file, max(0, int(left // _DAY)))
            elif left >= WARNED_SECONDS and certificate.file in self._said:
                self._said.discard(certificate.file)
                self._ends(certificate.file, int(left // _DAY))  # it has been renewed
        if self._timer is None and self._security.own:
            self._timer = asyncio.get_running_loop().call_later(_DAY, self._next_day)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next_day(self) -> None:
        self._timer = None
        said, self._said = self._said, set()
        self.look()
        self._said |= said
        self.look()


def _make(terms: TlsTerms, *, server: bool) -> "Context":
    from firmware.net.tls import client_context, server_context  # noqa: PLC0415 - see above

    return server_context(terms) if server else client_context(terms)


def _acceptor(transport: Transport, context: "Context | None") -> Callable[[], Pipe]:
    if not transport.web:
        return lambda: Pipe(Framed(), _server_side(context))
    from firmware.net.websocket import server_layer  # noqa: PLC0415 - see above

    return lambda: Pipe(server_layer(), _server_side(context))


def _server_side(context: "Context | None") -> Secure | None:
    if context is None:
        return None
    from firmware.net.tls import TlsLayer  # noqa: PLC0415 - see above

    return TlsLayer(context, server=True)


def _key_of(terms: TlsTerms, *, server: bool) -> tuple[object, ...]:
    """What a context depends on: a file that was renewed makes another."""
    files = (terms.ca, terms.cert, terms.key)
    return (terms, server, *(_changed(file) for file in files))


def _changed(file: str) -> tuple[int, int]:
    try:
        seen = Path(file).stat() if file else None
    except OSError:
        seen = None
    return (seen.st_mtime_ns, seen.st_size) if seen else (0, 0)
