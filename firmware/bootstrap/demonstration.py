"""`deskphone demo`: the virtual phone with a practice PBX and its page, or one measured call.

The practice PBX is a program of its own, as a real one would be; the phone registers with it over
loopback like with any other. Everything lives in a temporary folder, which goes at the end.

Where the echo's delay goes, of 100 to 160 ms measured: the jitter buffers of exchange and phone
begin at 40 each and are down to some 20 after two seconds on a quiet wire, the wait for the next
beat included; codecs and filters take 6 (G.722 twice, resampling twice); SIP's loop and the wire
less than one. The rest, 50 to 100, is the queue of the phone's browser card: it aims at 60, so that
a page may stall, and keeps what a late speaker has piled up.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

from firmware.bootstrap.phone import FAILED, TAKEN, open_named_board, start_logging
from firmware.bootstrap.practice import PracticeError, PracticeProcess
from firmware.config.load import parse
from firmware.lab.ear import Ear, Heard
from firmware.media.messages import StreamReport
from firmware.net.errors import PortTakenError
from firmware.net.port_holder import holder_of
from firmware.phone.actions import Dial, HangUp
from firmware.phone.model import Engine
from firmware.phone.view import CallState, Mode
from firmware.runtime.early import Places
from firmware.runtime.program import Program
from firmware.sip.notifications import RegistrationState
from hal.errors import HalError

OK = 0
USER = "100"
ECHO = "600"
PAGE_HOST, PAGE_PORT = "127.0.0.1", 8080
TOKEN_VARIABLE = "DESKPHONE_WEB_TOKEN"  # noqa: S105 - the name of a variable
_CONFIG = """\
# The virtual phone of `deskphone demo`.
[network]
bind = "127.0.0.1"
sip_port = 0

[[line]]
user = "{user}"
password = "{user}"
server = "{server}"
display_name = "Virtual phone"

[board]
name = "mock"

[audio]
codecs = ["opus", "g722", "pcmu", "pcma"]
card = "browser"

[web]
enabled = {web}
port = {port}
"""
_WELCOME = """\
Your phone is line {user} of a practice PBX at {server}. Lift the handset and dial:
  600 echo   601 announcement   602 busy   603 no answer   604 answers and hangs up
  605 calls you back after 5 s   112, 911 and their like are answered here and alert nobody
By command: {command} ctl --control {control} dial 600
Ctrl-C ends it all. The phone is here:
"""
_ENGINE_SECONDS = 10.0
_REGISTER_SECONDS = 10.0
_ANSWER_SECONDS = 5.0
_TALK_SECONDS = 4.0
_LAST_REPORT_SECONDS = 2.0
_BROWSER_SECONDS = 2.0
_RESTART_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


class DemoError(Exception):
    """The demonstration cannot go on; the text says why."""


class _Ending:
    """SIGINT, SIGTERM and the end of the terminal cancel a task, tidily and only once."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._asked = False

    def arm(self) -> None:
        """Take the signals."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end)

    def _end(self) -> None:
        if not self._asked and self._task is not None:
            self._asked = True
            self._task.cancel()


def demo(*, once: bool, port: int | None, open_browser: bool) -> int:
    """Run the demonstration; returns the exit code."""
    start_logging(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix="deskphone-") as folder:
            if once:
                return asyncio.run(_measure(Path(folder)))
            page = page_port(port)
            return asyncio.run(_stay(Path(folder), page, browse=open_browser))
    except PortTakenError as error:
        return _failed(error, TAKEN)
    except (DemoError, PracticeError, HalError, OSError) as error:
        return _failed(error, FAILED)


def _failed(error: Exception, code: int) -> int:
    sys.stderr.write(f"deskphone: {error}\n")
    return code


def page_port(wanted: int | None) -> int:
    """The page's port: the one asked for, else 8080, else any.

    Raises:
        PortTakenError: the one that was asked for is taken.
    """
    for port in (wanted,) if wanted else (PAGE_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((PAGE_HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    holder = holder_of("tcp", wanted or 0, host=PAGE_HOST)
    raise PortTakenError(f"port {wanted} for the page is taken by {holder}")


# --- staying ------------------------------------------------------------------------------------


def _command() -> str:
    """What was typed to come here: in a checkout `deskphone` is not on the path."""
    started = Path(sys.argv[0])
    return str(started) if started.stem == "deskphone" else f"{sys.executable} -m firmware"


async def _stay(folder: Path, port: int, *, browse: bool) -> int:
    """Until Ctrl-C; a practice PBX that dies comes back on the same port."""
    token = os.environ.setdefault(TOKEN_VARIABLE, secrets.token_urlsafe(18))
    _Ending().arm()
    pbx = PracticeProcess()
    try:
        await pbx.start()
        async with _phone(folder, pbx.server, port) as program:
            control = folder / "control.sock"
            places = {"server": pbx.server, "command": _command(), "control": control}
            sys.stdout.write(_WELCOME.format(user=USER, **places))
            sys.stdout.flush()
            if browse and os.environ.get("DISPLAY"):
                address = f"http://{PAGE_HOST}:{port}/?token={token}"
                loop = asyncio.get_running_loop()
                loop.call_later(_BROWSER_SECONDS, webbrowser.open, address)
            await _keep_practising(pbx, program)
    except asyncio.CancelledError:
        return OK  # there is no other end
    finally:
        await pbx.stop()


async def _keep_practising(pbx: PracticeProcess, program: Program) -> NoReturn:
    """Start the practice PBX again whenever it dies, and have the phone register with it."""
    while True:
        await pbx.ended()
        _LOG.warning("the practice PBX is gone; another one is started")
        await asyncio.sleep(_RESTART_SECONDS)
        try:
            await pbx.start()
        except PracticeError as error:
            _LOG.warning("%s", error)
            continue
        # It knows nobody yet, and the phone would believe otherwise for an hour.
        program.agent.network_changed(asyncio.get_running_loop().time())
        program.driver.settle()


# --- measuring ----------------------------------------------------------------------------------


async def _measure(folder: Path) -> int:
    """One call to the echo; prints what was measured, whatever came of it."""
    result: dict[str, object] = dict.fromkeys(_FIELDS, 0)
    result |= {"registered": False, "answered": False, "codec": ""}
    _Ending().arm()
    pbx = PracticeProcess()
    try:
        await pbx.start()
        async with _phone(folder, pbx.server, None) as program:
            await _one_call(program, folder / "audio.sock", result)
    except asyncio.CancelledError:
        return FAILED
    finally:
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
        await pbx.stop()
    return OK


_FIELDS = (
    *("registered", "answered", "codec", "sent", "received", "lost"),
    *("echo_delay_ms", "level_out_dbov", "level_in_dbov", "tone_hz", "seconds"),
)


async def _one_call(program: Program, audio: Path, result: dict[str, object]) -> None:
    """Register, call the echo, speak and listen.

    Raises:
        DemoError: something did not work, or the tone did not come back as it went.
        OSError: there is no way to the phone's sound.
    """
    # A person takes longer to lift the handset than the audio process to start; a program may not.
    if not await _until(lambda: program.phone.state.engine is Engine.UP, _ENGINE_SECONDS):
        raise DemoError("the audio process did not start")
    result["registered"] = await _until(lambda: _is_registered(program), _REGISTER_SECONDS)
    if not result["registered"]:
        raise DemoError("the phone could not register with the practice PBX")
    program.loop.inbox.put(Dial(ECHO))
    result["answered"] = await _until(lambda: _is_talking(program), _ANSWER_SECONDS)
    if not result["answered"]:
        raise DemoError(f"nobody answered at {ECHO}")
    call = program.loop.view.front_call
    result["codec"] = call.codec if call is not None else ""
    loop = asyncio.get_running_loop()
    began = loop.time()
    heard = await Ear(audio).talk(_TALK_SECONDS)
    result["seconds"] = round(loop.time() - began, 3)
    result |= _figures(heard)
    program.loop.inbox.put(HangUp())
    await _until(lambda: program.house.finished is not None, _LAST_REPORT_SECONDS)
    report = program.house.finished
    if isinstance(report, StreamReport):
        result |= {"sent": report.sent, "received": report.received, "lost": report.lost}
    if not heard.same_tone:
        raise DemoError(f"{heard.heard} of {heard.said} tones came back from {ECHO} as they went")


def _figures(heard: Heard) -> dict[str, object]:
    return {
        "echo_delay_ms": round(heard.delay_ms, 1),
        "level_out_dbov": round(heard.level_out, 1),
        "level_in_dbov": round(heard.level_in, 1),
        "tone_hz": round(heard.hertz, 1),
    }


def _is_registered(program: Program) -> bool:
    return any(line.state is RegistrationState.REGISTERED for line in program.loop.view.lines)


def _is_talking(program: Program) -> bool:
    view = program.loop.view
    call = view.front_call
    return view.mode is Mode.TALKING and call is not None and call.state is CallState.TALKING


async def _until(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to be true in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


@contextlib.asynccontextmanager
async def _phone(folder: Path, server: str, page: int | None) -> AsyncIterator[Program]:
    """A running phone, without a page if there is no port for it."""
    path = folder / "deskphone.toml"
    web = "false" if page is None else "true"
    path.write_text(_CONFIG.format(user=USER, server=server, web=web, port=page or PAGE_PORT))
    settings = parse(path.read_text(), str(path))
    places = Places(path, folder / "control.sock", folder / "state")
    program = Program(settings, places, lambda post: open_named_board(settings.board, post))
    await program.start()
    try:
        yield program
    finally:
        await program.close()
