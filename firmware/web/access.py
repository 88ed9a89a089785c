"""Who may use the page: token, session cookie, Host, Origin, and the headers of every answer.

The page can lift a handset and open a microphone, so a foreign page in the same browser must not
reach it. A request is let in if its Host is ours (a name, which DNS could bend to this machine, is
not), if its Origin, where there is one, is this page, and if it carries the cookie that was given
in exchange for the token of the printed address. There is no password and nothing is done by GET or
POST: everything that changes the phone goes through a WebSocket, which must have our Origin.
"""

import hmac
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import hdrs, web

TOKEN_BYTES = 24
SESSION_LIMIT = 32
"""Browsers that are let in at a time; the one unused for longest goes first."""
_STRANGER_LIMIT = 256
_FREE_TRIES = 3
_LONGEST_WAIT = 60.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def new_token() -> str:
    """A token nobody guesses, fit for a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


@dataclass(slots=True)
class _Tries:
    """Wrong tokens from one address, and until when (loop time) it is not listened to."""

    wrong: int = 0
    deaf_until: float = 0.0


@dataclass(slots=True)
class Access:
    """The token and the sessions of one run; `now` is a monotonic clock in seconds."""

    token: str
    now: Callable[[], float]
    _sessions: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _tries: OrderedDict[str, _Tries] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._sessions) + len(self._tries)

    def exchange(self, token: str, address: str) -> str | None:
        """A fresh session for the right token, None for a wrong one.

        Raises:
            TooManyTriesError: the address has guessed wrong too often; it must wait.
        """
        tries = self._tries.get(address, _Tries())
        if self.now() < tries.deaf_until:
            raise TooManyTriesError(tries.deaf_until - self.now())
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            self._note_wrong(address, tries)
            return None
        self._tries.pop(address, None)
        session = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions[session] = None
        while len(self._sessions) > SESSION_LIMIT:
            self._sessions.popitem(last=False)
        return session

    def knows(self, session: str) -> bool:
        """Whether this is a session we gave out."""
        if session not in self._sessions:
            return False
        self._sessions.move_to_end(session)
        return True

    def _note_wrong(self, address: str, tries: _Tries) -> None:
        tries.wrong += 1
        if tries.wrong > _FREE_TRIES:
            wait = min(2.0 ** (tries.wrong - _FREE_TRIES), _LONGEST_WAIT)
            tries.deaf_until = self.now() + wait
        self._tries[address] = tries
        self._tries.move_to_end(address)
        while len(self._tries) > _STRANGER_LIMIT:
            self._tries.popitem(last=False)


class TooManyTriesError(Exception):
    """Wait `seconds` before the next token."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many wrong tokens: wait {seconds:.0f} s")
        self.seconds = seconds


ACCESS = web.AppKey("access", Access)


def cookie_name(request: web.Request) -> str:
    """Cookies do not know ports: the name does, so that two phones on one machine stay apart."""
    return f"deskphone_{_own_port(request)}"


def has_session(request: web.Request) -> bool:
    """Whether the browser was let in before."""
    return request.app[ACCESS].knows(request.cookies.get(cookie_name(request), ""))


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away whatever does not come from our own page."""
    if not host_is_ours(request):
        raise web.HTTPForbidden(text="This address is not the phone's.\n")
    if not origin_is_ours(request) or not fetch_is_ours(request):
        raise web.HTTPForbidden(text="Another page may not use the phone.\n")
    is_public = request.path == "/" or request.path.startswith("/static/")
    if not is_public and not has_session(request):
        raise web.HTTPForbidden(text="Open the address that the phone printed.\n")
    return await handler(request)


def host_is_ours(request: web.Request) -> bool:
    """Whether the Host names this machine by number or as localhost, with our port.

    A rebound DNS name always is a name: numbers cannot be rebound.
    """
    name, _, port = request.host.rpartition(":")
    if not name or name.endswith(":"):
        return False
    if port != str(_own_port(request)):
        return False
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name[1:-1] if name[0] == "[" and name[-1] == "]" else name)
    except ValueError:
        return False
    return True


def origin_is_ours(request: web.Request) -> bool:
    """Whether the request comes from our page; only a plain GET may leave the Origin out."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        is_plain = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
        return is_plain and hdrs.UPGRADE not in request.headers
    return origin == f"http://{request.host}"


def fetch_is_ours(request: web.Request) -> bool:
    """Whether the browser says that our page, or a person, asks; a link may lead to the door.

    Other ports of this machine are the same site to a cookie, but not to this header.
    """
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site in ("same-origin", "none"):
        return True
    is_visit = request.headers.get("Sec-Fetch-Dest") == "document"
    return is_visit and request.path == "/" and request.method == hdrs.METH_GET


def _own_port(request: web.Request) -> int:
    """The port this connection came in on."""
    transport = request.transport
    address = transport.get_extra_info("sockname") if transport is not None else None
    return int(address[1]) if address else 0


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says: no foreign code, no frames, no traces, no banner."""
    response.headers.update(
        {
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
                f"img-src 'self'; connect-src 'self' ws://{request.host}; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
            if host_is_ours(request)
            else "default-src 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Server": "deskphone",
        }
    )
