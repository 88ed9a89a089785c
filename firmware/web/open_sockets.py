"""The WebSockets that are open: how many there may be, and that all are closed when we end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import WSCloseCode, web

LIMIT = 16
"""A page has two: one of events, one of sound."""
FULL = 4008
"""The close code for one too many."""
HEARTBEAT = 20.0
"""Seconds between two pings of ours."""


class OpenSockets:
    """The set of them."""

    def __init__(self) -> None:
        self._sockets: set[web.WebSocketResponse] = set()

    def __len__(self) -> int:
        return len(self._sockets)

    @contextlib.contextmanager
    def kept(self, socket: web.WebSocketResponse) -> Iterator[bool]:
        """Keep a socket in mind while the block lasts; gives whether there is room for it."""
        if len(self._sockets) >= LIMIT:
            yield False
            return
        self._sockets.add(socket)
        try:
            yield True
        finally:
            self._sockets.discard(socket)

    async def close(self) -> None:
        """Tell every page that we end."""
        goodbyes = [each.close(code=WSCloseCode.GOING_AWAY) for each in self._sockets]
        await asyncio.gather(*goodbyes, return_exceptions=True)


OPEN = web.AppKey("open", OpenSockets)


async def serve_page(
    request: web.Request,
    message_limit: int,
    talk: Callable[[web.Request, web.WebSocketResponse], Awaitable[None]],
) -> web.WebSocketResponse:
    """Open one and `talk` on it, unless it is one too many; the page's messages have a limit."""
    page = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=message_limit, compress=False)
    await page.prepare(request)
    with request.app[OPEN].kept(page) as has_room:
        if has_room:
            await talk(request, page)
        else:
            await page.close(code=FULL, message=b"too many pages")
    return page
