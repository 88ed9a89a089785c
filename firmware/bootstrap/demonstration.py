"""`deskphone demo`: the virtual phone with a practice PBX and its page, or one measured call.

The practice PBX is a program of its own, as a real one would be; the phone registers with it over
loopback like with any other.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

from firmware.bootstrap.phone import FAILED, TAKEN, open_named_board, start_logging
from firmware.config.load import parse
from firmware.config.schema import Settings
from firmware.lab.ear import Ear
from firmware.media.messages import StreamReport
from firmware.net.errors import PortTakenError
from firmware.net.port_holder import holder_of
from firmware.phone.actions import Dial, HangUp
from firmware.phone.view import CallState, Mode, PhoneView
from firmware.runtime.program import Places, Program
from firmware.sip.notifications import RegistrationState

USER = "100"
ECHO = "600"
PAGE_PORT = 8080
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
codecs = ["g722", "pcmu", "pcma"]
card = "browser"

[web]
enabled = {web}
port = {port}
"""
_REGISTER_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_TALK_SECONDS = 4.0


class DemoError(Exception):
    """The demonstration cannot go on; the text says why."""


def demo(*, once: bool, port: int | None, open_browser: bool) -> int:
    """Run the demonstration; returns the exit code."""
    start_logging(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix="deskphone-") as folder, practice_pbx() as server:
            if once:
                return asyncio.run(_measure(Path(folder), server))
            page = page_port(port)
            return asyncio.run(_stay(Path(folder), server, page, open_browser=open_browser))
    except PortTakenError as error:
        sys.stderr.write(f"deskphone: {error}\n")
        return TAKEN
    except DemoError as error:
        sys.stderr.write(f"deskphone: {error}\n")
        return FAILED


@contextlib.contextmanager
def practice_pbx() -> Iterator[str]:
    """A practice PBX on a free port; gives its host:port."""
    command = [sys.executable, "-m", "firmware", "pbx", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        server = ready.partition(" at ")[2].partition(";")[0].strip()
        if not server:
            raise DemoError("the practice PBX did not start")
        yield server
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def page_port(wanted: int | None) -> int:
    """The page's port: the one asked for, else 8080, else any.

    Raises:
        PortTakenError: the one that was asked for is taken.
    """
    for port in (wanted,) if wanted else (PAGE_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PortTakenError(f"port {wanted} for the page is taken by {holder_of('tcp', wanted or 0)}")


async def _stay(folder: Path, server: str, port: int, *, open_browser: bool) -> int:
    token = os.environ.setdefault(TOKEN_VARIABLE, secrets.token_urlsafe(18))
    program = _program(folder, _CONFIG.format(user=USER, server=server, web="true", port=port))
    await program.start()
    try:
        sys.stdout.write(
            f"Your phone is line {USER} of a practice PBX at {server}. Lift the handset, dial:\n"
            "  600 echo   601 announcement   602 busy   603 no answer   604 answers and hangs up\n"
            "  605 calls you back after 5 s.   Ctrl-C ends it all. Its page:\n"
        )
        sys.stdout.flush()
        if open_browser and os.environ.get("DISPLAY"):
            address = f"http://127.0.0.1:{port}/?token={token}"
            asyncio.get_running_loop().call_later(2.0, webbrowser.open, address)
        await program.until_stopped()
    finally:
        await program.close()
    return 0


async def _measure(folder: Path, server: str) -> int:
    program = _program(folder, _CONFIG.format(user=USER, server=server, web="false", port=0))
    result: dict[str, object] = dict.fromkeys(_FIELDS, 0)
    result |= {"registered": False, "answered": False, "codec": ""}
    await program.start()
    try:
        good = await _one_call(program, folder / "audio.sock", result)
    finally:
        await program.close()
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if good else FAILED


_FIELDS = (
    *("registered", "answered", "codec", "sent", "received", "lost"),
    *("echo_delay_ms", "level_out_dbov", "level_in_dbov", "tone_hz", "seconds"),
)


async def _one_call(program: Program, audio: Path, result: dict[str, object]) -> bool:
    """Register, call the echo, speak and listen; True if the tone came back as it went."""
    ear = Ear(audio)
    result["registered"] = await _until(program, _is_registered, _REGISTER_SECONDS)
    program.loop.inbox.put(Dial(ECHO))
    result["answered"] = await _until(program, _is_talking, _ANSWER_SECONDS)
    if not result["answered"]:
        return False
    call = program.loop.view.front_call
    result["codec"] = call.codec if call is not None else ""
    began = asyncio.get_running_loop().time()
    heard = await ear.talk(_TALK_SECONDS)
    result["seconds"] = round(asyncio.get_running_loop().time() - began, 3)
    program.loop.inbox.put(HangUp())
    await _until(program, lambda _: program.house.finished is not None, 2.0)
    report = program.house.finished
    if isinstance(report, StreamReport):
        result |= {"sent": report.sent, "received": report.received, "lost": report.lost}
    result |= {
        "echo_delay_ms": round(heard.delay_ms, 1),
        "level_out_dbov": round(heard.level_out, 1),
        "level_in_dbov": round(heard.level_in, 1),
        "tone_hz": round(heard.hertz, 1),
    }
    same_pitch = abs(heard.hertz - ear.hertz) <= 0.01 * ear.hertz
    return same_pitch and abs(heard.level_in - heard.level_out) <= 6


def _is_registered(view: PhoneView) -> bool:
    return any(line.state is RegistrationState.REGISTERED for line in view.lines)


def _is_talking(view: PhoneView) -> bool:
    call = view.front_call
    return view.mode is Mode.TALKING and call is not None and call.state is CallState.TALKING


async def _until(program: Program, true_of: Callable[[PhoneView], bool], seconds: float) -> bool:
    """Whether the view came to be so in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not true_of(program.loop.view):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


def _program(folder: Path, text: str) -> Program:
    path = folder / "deskphone.toml"
    path.write_text(text)
    settings: Settings = parse(text, str(path))
    places = Places(path, folder / "control.sock", folder / "state")
    return Program(settings, places, lambda post: open_named_board(settings.board.name, post))
