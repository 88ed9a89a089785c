"""The WebSocket between the page and the phone: events out, keys and hook in, as JSON texts.

Out go the events of the control socket as they are (`firmware.control.schema`), and besides them
`{"event": "link", "up": …}`, `{"event": "said", "text": …}` (the status as a sentence),
`{"event": "log", "rows": […]}` and `{"event": "refused", "text": …}`. In come requests of the
control socket, but only those that a person at the desk could make.
"""

import asyncio
import logging
from collections import deque

import msgspec
from aiohttp import WSMsgType, web

from firmware.control.errors import NoPhoneError, RefusedError
from firmware.control.schema import (
    Answer,
    AnyEvent,
    AnyRequest,
    Dial,
    Dtmf,
    HangUp,
    Hold,
    Hook,
    Key,
    LogRow,
    Mute,
    Path,
    Record,
    RecordEvent,
    Resume,
    ScreenEvent,
    StatusEvent,
    Volume,
    decode_request,
)
from firmware.ui.text import Texts
from firmware.web.open_sockets import serve_page
from firmware.web.phone_link import PhoneLink, Told
from firmware.web.sentences import sentence

LINK = web.AppKey("link", PhoneLink)
TEXTS = web.AppKey("texts", Texts)


QUEUE_LIMIT = 200
MESSAGE_LIMIT = 4096
_DESK = (Key, Hook, Dial, Answer, HangUp, Hold, Resume, Dtmf, Mute, Volume, Path, Record)
_LOG = logging.getLogger(__name__)
_ENCODER = msgspec.json.Encoder()


class Link(msgspec.Struct, frozen=True, tag_field="event", tag="link"):
    """Whether the phone is there."""

    up: bool


class Said(msgspec.Struct, frozen=True, tag_field="event", tag="said"):
    """The status as a sentence."""

    text: str


class Log(msgspec.Struct, frozen=True, tag_field="event", tag="log"):
    """The call list, newest first."""

    rows: list[LogRow]


class Refusal(msgspec.Struct, frozen=True, tag_field="event", tag="refused"):
    """The phone did not do what the page asked, and why."""

    text: str


Message = AnyEvent | Link | Said | Log | Refusal


class _Outbox:
    """Messages on their way to one page; a page that does not read loses pictures, then goes."""

    def __init__(self, link: PhoneLink, texts: Texts) -> None:
        self._link = link
        self._texts = texts
        self._messages: deque[Message] = deque()
        self._filled = asyncio.Event()
        self.is_overrun = False

    def put(self, message: Message) -> None:
        if isinstance(message, ScreenEvent):
            # Only the latest picture counts.
            stale = [old for old in self._messages if isinstance(old, ScreenEvent)]
            for old in stale:
                self._messages.remove(old)
        self.is_overrun = self.is_overrun or len(self._messages) >= QUEUE_LIMIT
        self._messages.append(message)
        self._filled.set()

    def take(self, event: Told) -> None:
        """An event of the phone."""
        if event is None:
            self.put_present()
            return
        self.put(event)
        if isinstance(event, StatusEvent):
            self.put(Said(sentence(event.status, self._texts)))
        if isinstance(event, RecordEvent):
            self.put(Log(self._link.log))

    def put_present(self) -> None:
        """How the phone is now."""
        self.put(Link(self._link.is_up))
        if not self._link.is_up:
            self.put(Said(self._texts.say("web.said.gone")))
            return
        self.put(Log(self._link.log))
        for event in self._link.present():
            self.take(event)

    async def pump(self, page: web.WebSocketResponse) -> None:
        """Send until the page has gone."""
        while not self.is_overrun:
            await self._filled.wait()
            self._filled.clear()
            while self._messages and not self.is_overrun:
                await page.send_str(_ENCODER.encode(self._messages.popleft()).decode())


async def live(request: web.Request) -> web.StreamResponse:
    """Serve one open page."""
    return await serve_page(request, MESSAGE_LIMIT, _serve)


async def _serve(request: web.Request, page: web.WebSocketResponse) -> None:
    link = request.app[LINK]
    outbox = _Outbox(link, request.app[TEXTS])
    outbox.put_present()
    pump = asyncio.create_task(_pump(outbox, page))
    try:
        with link.listening(outbox.take):
            async for message in page:
                if message.type is WSMsgType.TEXT:
                    await _obey(message.data, link, outbox)
    finally:
        pump.cancel()
        await asyncio.wait([pump])


async def _pump(outbox: _Outbox, page: web.WebSocketResponse) -> None:
    try:
        await outbox.pump(page)
        await page.close(message=b"the page does not read")
    except ConnectionError:
        pass  # The page went away: the reader notices too.


async def _obey(text: str, link: PhoneLink, outbox: _Outbox) -> None:
    request = desk_request(text)
    if request is None:
        _LOG.info("a page sent what no page sends")
        return
    try:
        await link.ask(request)
    except (RefusedError, NoPhoneError) as error:
        outbox.put(Refusal(str(error)))


def desk_request(text: str) -> AnyRequest | None:
    """What the page asks for, None if it is not a thing that a person at the desk can do."""
    try:
        request = decode_request(text.encode())
    except (msgspec.MsgspecError, ValueError):
        return None
    return request if isinstance(request, _DESK) else None
