"""`deskphone web`: serves the page of one phone on this machine.

A process of its own without rights. It knows the phone through `control.sock` and `audio.sock`
beside it, and hears from it where to serve and in which language: it reads no configuration. The
token comes from the environment variable `DESKPHONE_WEB_TOKEN` or is made; the address to open is
printed on stdout. Started by a phone, it ends with it.
"""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from firmware.base.values import replace
from firmware.control.place import ENDS_WITH_INPUT
from firmware.net.errors import PortTakenError
from firmware.net.port_holder import holder_of
from firmware.net.systemd_notify import notify
from firmware.ui.text import Texts
from firmware.web.access import ACCESS, Access, add_headers, guard, new_token
from firmware.web.live import LINK, TEXTS, live
from firmware.web.open_sockets import OPEN, OpenSockets
from firmware.web.pages import TEMPLATES, environment, front, static_routes
from firmware.web.phone_link import PhoneLink
from firmware.web.sound import AUDIO_PATH, sound
from firmware.web.wanted import Wanted

TOKEN_VARIABLE = "DESKPHONE_WEB_TOKEN"  # noqa: S105 - the name of a variable
AUDIO_SOCKET = "audio.sock"
OK, FAILED, TAKEN = 0, 1, 3
_LOG = logging.getLogger(__name__)


class Place(Struct, frozen=True):
    """Where a page is served and for which phone; `port` 0 = any that is free."""

    control: Path
    listen: str = "127.0.0.1"
    port: int = 8080
    language: str = "en"
    token: str = ""


def make_app(place: Place, access: Access | None = None) -> web.Application:
    """The application, not yet listening; `access` carries sessions over from an earlier one."""
    app = web.Application(middlewares=[guard], client_max_size=4096)
    loop = asyncio.get_running_loop()
    texts = Texts.load(place.language)
    app[ACCESS] = Access(place.token or new_token(), loop.time) if access is None else access
    app[TEXTS] = texts
    app[TEMPLATES] = environment(texts)
    app[LINK] = PhoneLink(place.control)
    app[AUDIO_PATH] = place.control.with_name(AUDIO_SOCKET)
    app[OPEN] = OpenSockets()
    app.add_routes([web.get("/", front), web.get("/live", live), web.get("/sound", sound)])
    app.add_routes(static_routes())
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_phone_link)
    app.on_shutdown.append(_close_pages)
    return app


async def _phone_link(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[LINK].run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def _close_pages(app: web.Application) -> None:
    await app[OPEN].close()


@contextlib.asynccontextmanager
async def serving(place: Place, access: Access | None = None) -> AsyncIterator[str]:
    """Serve while the block lasts; gives the address to open, token included.

    Raises:
        PortTakenError: somebody listens there already; the message says who.
        OSError: the address cannot be used.
    """
    app = make_app(place, access)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=15.0, shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, place.listen, place.port, backlog=64)
        try:
            await site.start()
        except OSError as error:
            raise _taken(error, place) from error
        host, port = runner.addresses[0][:2]
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{port}/?token={app[ACCESS].token}"
    finally:
        await runner.cleanup()


def _taken(error: OSError, place: Place) -> OSError:
    if error.errno != errno.EADDRINUSE:
        return error
    holder = holder_of("tcp", place.port, host=place.listen)
    return PortTakenError(f"port {place.port} for the page is taken{holder and f' by {holder}'}")


async def _serve(control: Path, token: str) -> None:
    """Serve where the phone wants it, until a signal comes."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if ENDS_WITH_INPUT in os.environ:
        _end_with_input(stopped)
    wanted, access = Wanted(control), Access(token or new_token(), loop.time)
    following = asyncio.ensure_future(wanted.run())
    await _first_of(wanted.known(), stopped.wait())
    while not stopped.is_set():
        await _serve_once(Place(control), wanted, access, stopped)
    notify("STOPPING=1")
    following.cancel()
    await asyncio.wait([following])


def _end_with_input(stopped: asyncio.Event) -> None:
    """Stop when whoever started us is gone: it holds the other end of our standard input."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()

    def look() -> None:
        if not os.read(stdin, 512):
            loop.remove_reader(stdin)
            stopped.set()

    loop.add_reader(stdin, look)


async def _serve_once(place: Place, wanted: Wanted, access: Access, stopped: asyncio.Event) -> None:
    """Serve (or rest, if there shall be no page) until the phone wants something else."""
    page = wanted.page
    async with contextlib.AsyncExitStack() as stack:
        if page.enabled:
            at = replace(place, listen=page.listen, port=page.port, language=page.language)
            address = await stack.enter_async_context(serving(at, access))
            sys.stdout.write(address + "\n")
            sys.stdout.flush()
        notify("READY=1")
        while not stopped.is_set() and not wanted.page.differs(page):
            await _first_of(wanted.changed(), stopped.wait())


async def _first_of(*jobs: Coroutine[None, None, object]) -> None:
    tasks = [asyncio.ensure_future(job) for job in jobs]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def main(control_path: str | Path) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code: 3 port taken, 1 it cannot be served."""
    try:
        asyncio.run(_serve(Path(control_path), os.environ.get(TOKEN_VARIABLE, "")))
    except PortTakenError as error:
        sys.stderr.write(f"{error}\n")
        return TAKEN
    except OSError as error:
        sys.stderr.write(f"the page cannot be served: {error.strerror or error}\n")
        return FAILED
    return OK
