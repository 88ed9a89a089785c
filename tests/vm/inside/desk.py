"""The phone that systemd runs, as a test inside the virtual Pi reaches it: its control socket."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import NoneType

from firmware.control import schema as s
from firmware.control.client import Client
from firmware.control.figures import StatsReply, StatusReply
from tests.support.waiting import wait_for

CONTROL = Path("/run/deskphone/control.sock")


def ask(request: s.AnyRequest, result: type = NoneType) -> object:
    """One request."""
    with Client(CONTROL) as client:
        return client.ask(request, result)


def status() -> StatusReply:
    """How it is."""
    found = ask(s.Status(), StatusReply)
    assert isinstance(found, StatusReply)
    return found


def counters() -> dict[str, float]:
    """Whatever it counts."""
    found = ask(s.Stats(), StatsReply)
    assert isinstance(found, StatsReply)
    return found.counters


def wait(what: str, true_of: Callable[[StatusReply], object], seconds: float = 20.0) -> StatusReply:
    """The first status of which something is true."""

    def look() -> StatusReply | None:
        found = status()
        return found if true_of(found) else None

    try:
        return wait_for(what, look, seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{status()}") from None


def lift() -> None:
    """Take the handset off."""
    ask(s.Hook(move=s.HookMove.UP))


def replace() -> None:
    """Put it down."""
    ask(s.Hook(move=s.HookMove.DOWN))


def main_pid() -> int:
    """The process that systemd watches."""
    shown = subprocess.check_output(["systemctl", "show", "-P", "MainPID", "deskphone"], text=True)
    return int(shown)


def audio_pid() -> int:
    """The audio process, its child."""
    for task in Path(f"/proc/{main_pid()}/task").iterdir():
        for child in (task / "children").read_text().split():
            if "firmware.media.host" in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
    raise AssertionError("the phone has no audio process")


def signal_audio(number: int) -> None:
    """Send the audio process a signal."""
    os.kill(audio_pid(), number)
