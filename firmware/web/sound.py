"""The WebSocket that carries sound: one binary message = one packet of the phone's `audio.sock`.

Both ways a packet is 20 ms of 16-bit little-endian mono PCM at 48 kHz, 1920 bytes, as
`hal.sound.browser` has it. Nothing is queued here: what the phone or the page does not take at
once is dropped and counted, so a stall never becomes lasting delay. The phone keeps only the newest
page; one that is cut off is closed with `TAKEN`.
"""

import asyncio
import logging
import socket
from pathlib import Path

from aiohttp import WSMsgType, web

from firmware.web.open_sockets import serve_page

FRAME_BYTES = 1920
RATE = 48_000
TAKEN = 4001
NO_SOUND = 4002
AUDIO_PATH = web.AppKey("audio_path", Path)
_BACKLOG_BYTES = 8 * FRAME_BYTES
"""More than this waiting in the connection to the page is late anyway."""
_LOG = logging.getLogger(__name__)


async def sound(request: web.Request) -> web.StreamResponse:
    """Carry sound for one page until it or the phone hangs up."""
    return await serve_page(request, 4 * FRAME_BYTES, _serve)


async def _serve(request: web.Request, page: web.WebSocketResponse) -> None:
    card = await connect(request.app[AUDIO_PATH])
    if card is None:
        await page.close(code=NO_SOUND, message=b"no sound")
        return
    with card:
        listen = asyncio.create_task(_to_page(card, page, request.transport))
        try:
            await _to_phone(page, card)
        finally:
            listen.cancel()
            await asyncio.wait([listen])


async def connect(path: Path) -> socket.socket | None:
    """A connection to the phone's sound, None if nobody is there."""
    card = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    card.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(card, str(path))
    except OSError as error:
        _LOG.info("no sound at %s: %s", path, error.strerror)
        card.close()
        return None
    return card


async def _to_phone(page: web.WebSocketResponse, card: socket.socket) -> None:
    async for message in page:
        if message.type is WSMsgType.BINARY and len(message.data) == FRAME_BYTES:
            try:
                card.send(message.data, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                continue  # The phone is late: this frame is the past by the time it listens.
            except OSError:
                return


async def _to_page(
    card: socket.socket, page: web.WebSocketResponse, transport: asyncio.Transport | None
) -> None:
    loop = asyncio.get_running_loop()
    try:
        while packet := await loop.sock_recv(card, 4096):
            if transport is not None and transport.get_write_buffer_size() > _BACKLOG_BYTES:
                continue
            await page.send_bytes(packet)
        await page.close(code=TAKEN, message=b"another page has the sound")
    except OSError:
        await page.close(code=NO_SOUND, message=b"no sound")
