"""A request of a line outside dialogs: where it goes first, and the headers all of them share.

    letter = OutOfDialog(core, line, "MESSAGE", target, headers=…, body=…)
    letter.exchange(user).start(now)

INVITE, SUBSCRIBE, MESSAGE, PUBLISH, REFER and OPTIONS of ours are made here, so that outbound
proxy, Service-Route (RFC 3608), the flow we registered over (RFC 5626) and our GRUU (RFC 5627) are
used by all of them alike. REGISTER is not: it goes to the registrar and to nobody else.
"""

from collections.abc import Callable

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.core import Core
from firmware.sip.exchange import Exchange, ExchangeUser
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request
from firmware.sip.uri import Uri, parse_uri

Rows = tuple[tuple[str, str], ...]


class Way(Struct, frozen=True):
    """Where a request is sent: the next hop, the Request-URI, the Route values, a known flow."""

    hop: Uri
    uri: Uri
    routes: tuple[NameAddr, ...]
    hint: Flow | None


def way_of(line: Line, target: Uri) -> Way:
    """The way of a request of the line to `target` (RFC 3261 §8.1.2, RFC 3608 §6.1)."""
    routes = line.routes()
    if not routes:
        return Way(target, target, (), _hint(line, target))
    hop = routes[0].uri
    if hop.loose:
        return Way(hop, target, routes, _hint(line, hop))
    # A strict router wants itself as the Request-URI and the target last.
    return Way(hop, hop, (*routes[1:], NameAddr("", target)), _hint(line, hop))


def _hint(line: Line, hop: Uri) -> Flow | None:
    """The flow of the registration in use, if the hop is whom it leads to (RFC 5626 §4.3)."""
    standing = line.standing
    if standing is None:
        return None
    there = (*standing.home.hosts, standing.flow.remote.host)
    return standing.flow if hop.host in there else None


class Detours:
    """The other homes of a line that stands at none, each once: registrars and proxies (F16).

    `take` gets the way and who we are there. A request that is for nobody of ours takes no way
    twice: without proxies all its ways are one.
    """

    def __init__(self, line: Line, target: Uri, take: Callable[[Way, NameAddr], None]) -> None:
        self._take = take
        self._left: dict[Uri, tuple[Way, NameAddr]] = {}
        if line.standing is not None:
            return
        for home in line.account.homes[1:]:
            uri = _at(home.server, target) if line.serves(target.host) else target
            proxy = home.proxy
            routes = (NameAddr("", proxy),) if proxy is not None else ()
            way = Way(proxy or uri, uri, routes, None)
            self._left.setdefault(way.hop, (way, line.account.identity_at(home.server)))
        self._left.pop(way_of(line, target).hop, None)

    def __len__(self) -> int:
        return len(self._left)

    def take(self) -> Uri:
        """The next hop to try."""
        hop = next(iter(self._left))
        self._take(*self._left.pop(hop))
        return hop


def _at(server: Uri, target: Uri) -> Uri:
    """The same name at another server of ours."""
    return replace(target, host=server.host, port=server.port, params=server.params)


class OutOfDialog:
    """One request and its repetitions with credentials: same Call-ID and tag, next CSeq.

    `sender` replaces the line's identity in From, `to` the target in To. With `contact` it has
    our Contact, as a request that makes a dialog must. A later request of the same row (a refresh
    of PUBLISH) may set `headers` and `body` anew and start another exchange.
    """

    def __init__(  # noqa: PLR0913 - what a request is made of
        self,
        core: Core,
        line: Line,
        method: str,
        target: Uri,
        *,
        headers: Rows = (),
        body: bytes = b"",
        sender: NameAddr | None = None,
        to: NameAddr | None = None,
        contact: bool = True,
    ) -> None:
        self.call_id = core.tokens.word(100)
        self.tag = core.tokens.word(60)
        self.method = method
        self.headers = headers
        self.body = body
        self.cseq = 0
        self._core = core
        self._line = line
        self._target = target
        self._sender = sender
        self._way = way_of(line, target)
        self._from = f"{sender or line.identity};tag={self.tag}"
        self._to = str(to or NameAddr("", target))
        self._contact = contact

    @property
    def hop(self) -> Uri:
        """The next hop."""
        return self._way.hop

    def exchange(self, user: ExchangeUser) -> Exchange:
        """An exchange that sends it; `start` it."""
        way = self._way
        return Exchange(
            *(self._core, self._line, way.hop, self.compose, user, way.hint),
            detours=Detours(self._line, self._target, self._go_by),
        )

    def _go_by(self, way: Way, identity: NameAddr) -> None:
        self._way = way
        self._from = f"{self._sender or identity};tag={self.tag}"

    def compose(self, flow: Flow) -> Request:
        """The request for this flow, with the next CSeq; its Via is added on sending."""
        self.cseq += 1
        way = self._way
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", self._from),
                ("To", self._to),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self.cseq} {self.method}"),
            ]
        )
        if way.routes:
            headers.add("Route", ", ".join(str(route) for route in way.routes))
        if self._contact:
            headers.add("Contact", self._core.contact(self._line, flow, own=self._from))
        for name, value in self.headers:
            headers.add(name, value)
        return Request(self.method, str(way.uri), headers, self.body)


def out_of_dialog(
    core: Core, line: Line, method: str, target: str, headers: Rows = (), body: bytes = b""
) -> OutOfDialog:
    """A request of `line` to `target`, a number, user part or URI.

    Raises:
        LocalError: the target cannot be addressed.
    """
    uri = parse_uri(target) if target[:4].lower() in ("sip:", "sips") else line.target(target)
    return OutOfDialog(core, line, method, uri, headers=headers, body=body)
