"""A phone that is only its two sockets: what the page sees, played by the test.

The control socket is the real server with a handler that notes requests; `audio.sock` is a bare
listener whose other end the test holds.
"""

import asyncio
import contextlib
import itertools
import math
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from PIL import Image, ImageDraw
from yarl import URL

from firmware.control.errors import RefusedError
from firmware.control.schema import (
    AnyEvent,
    AnyRequest,
    AudioFigures,
    CallFigures,
    Calls,
    CallsReply,
    LampsEvent,
    LineFigures,
    LogRow,
    ScreenEvent,
    StatusEvent,
    StatusReply,
)
from firmware.control.server import ControlServer
from firmware.ui.bitmap import Bitmap
from firmware.ui.canvas import png_of
from firmware.web.app import Place, serving

FRAME = 960
RATE = 48_000
LINES = (LineFigures("201", registered=True),)
VOLUMES = {"handset": 70, "ringer": 60}


def status(state="idle", *calls, **more):
    """A status with one registered line."""
    path = more.pop("path", None)
    audio = AudioFigures(path, alive=True)
    return StatusReply(state, more.pop("lines", LINES), calls, audio, volumes=VOLUMES, **more)


def call(state="talking", remote="Ann 204", **more):
    """A call as the control socket tells it."""
    return CallFigures("c1", "201", more.pop("direction", "in"), state, remote, **more)


def row(name="Ann", user="204", outcome="answered", direction="in", at=1_763_000_000.0):
    """A row of the call list."""
    return LogRow(at, "201", direction, name, user, outcome, 12.0)


def picture(words="201  14:05"):
    """A screen with words on it, as PNG."""
    image = Image.new("1", (128, 64), 0)
    ImageDraw.Draw(image).text((8, 24), words, fill=1)
    return png_of(Bitmap.from_bits(*image.size, image.tobytes()))


def tone(frequency, seconds, level=0.5):
    """Frames of a tone as they travel over `audio.sock`."""
    samples = [
        round(32767 * level * math.sin(2 * math.pi * frequency * at / RATE))
        for at in range(int(seconds * RATE))
    ]
    return [
        struct.pack(f"<{FRAME}h", *samples[at : at + FRAME])
        for at in range(0, len(samples) - FRAME + 1, FRAME)
    ]


class FakePhone:
    """Both sockets of a phone in `folder`; `requests` is what it was asked to do."""

    def __init__(self, folder: Path) -> None:
        self.control = folder / "control.sock"
        self.requests: asyncio.Queue[AnyRequest] = asyncio.Queue()
        self.refusal = ""
        self.log: tuple[LogRow, ...] = ()
        self.state: list[AnyEvent] = [
            StatusEvent(0.0, status()),
            ScreenEvent(0.0, 128, 64, picture()),
            LampsEvent(0.0, {"message": "off"}),
        ]
        self._server = ControlServer(self)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(folder / "audio.sock"))
        self._listener.listen(4)
        self._listener.settimeout(0)

    async def handle(self, request):
        if isinstance(request, Calls):
            return CallsReply((), self.log)
        self.requests.put_nowait(request)
        if self.refusal:
            raise RefusedError(self.refusal)
        return None

    def present(self):
        return self.state

    @property
    def clients(self):
        """How many are connected."""
        return len(self._server)

    async def start(self):
        await self._server.start(self.control)

    async def stop(self):
        await self._server.stop()

    def close(self):
        self._listener.close()

    def publish(self, event: AnyEvent) -> None:
        """Send an event; later pages see it as the present state."""
        self.state = [old for old in self.state if type(old) is not type(event)] + [event]
        self._server.publish(event)

    def show(self, state, *calls, **more):
        """The status is now so."""
        self.publish(StatusEvent(0.0, status(state, *calls, **more)))

    async def asked(self):
        """The next thing that a page asks for."""
        return await asyncio.wait_for(self.requests.get(), 10)

    async def card(self):
        """The phone's end of the next page's sound."""
        loop = asyncio.get_running_loop()
        link, _ = await asyncio.wait_for(loop.sock_accept(self._listener), 10)
        link.settimeout(0)
        return link


@contextlib.asynccontextmanager
async def phone_with_page(folder: Path, **place) -> AsyncIterator[tuple[FakePhone, str]]:
    """A fake phone and the real page of it; gives the phone and the page's address with token."""
    phone = FakePhone(folder)
    try:
        await phone.start()
        async with serving(Place(phone.control, port=0, **place)) as address:
            yield phone, address
    finally:
        await phone.stop()
        phone.close()


class Visitor:
    """A browser as HTTP sees it, with every header in the test's hand."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.origin, _, self.token = address.partition("/?token=")
        self.host = self.origin.removeprefix("http://")
        # Cookies for bare addresses are thrown away unless the jar is told not to be choosy.
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.http.close()

    async def enter(self):
        """Exchange the token for a session."""
        async with self.http.get(self.address) as answer:
            assert answer.status == 200
        return self

    async def get(self, path="/", **headers):
        """Status, headers and text of a GET; the path goes out as it is written."""
        url = URL(self.origin + path, encoded=True)
        async with self.http.get(url, headers=renamed(headers)) as answer:
            return answer.status, answer.headers, await answer.text()

    def live(self, path="/live", **headers):
        """Open a WebSocket as our own page would, unless the headers say otherwise."""
        headers = {"Origin": self.origin} | renamed(headers)
        return self.http.ws_connect(self.origin + path, headers=headers)


def renamed(headers):
    """`sec_fetch_site` → `Sec-Fetch-Site`."""
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


async def messages(page, event):
    """The messages of one kind on a page's WebSocket."""
    while True:
        message = await asyncio.wait_for(page.receive_json(), 10)
        if message["event"] == event:
            yield message


async def message(page, event, count=1):
    """The `count`th message of a kind from now on."""
    found = messages(page, event)
    async with contextlib.aclosing(found):
        async for number, each in aenumerate(found):
            if number == count:
                return each
    return None


async def aenumerate(stream):
    numbers = itertools.count(1)
    async for each in stream:
        yield next(numbers), each
