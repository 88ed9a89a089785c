"""The phone that systemd runs, as a test inside the virtual Pi reaches it: its control socket."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType

from firmware.control import schema as s
from firmware.control.client import Client
from firmware.control.figures import StatsReply, StatusReply
from tests.support.waiting import wait_for

CONTROL = Path("/run/deskphone/control.sock")
CONFIG = Path("/etc/deskphone/deskphone.toml")
BOARD = Path("/etc/deskphone/board.toml")
CARD = "id:Loopback"
"""The handset's card as the configuration names it."""


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


def wait(what: str, true_of: Callable[[StatusReply], object], seconds: float = 40.0) -> StatusReply:
    """The first status of which something is true."""

    def look() -> StatusReply | None:
        found = status()
        return found if true_of(found) else None

    try:
        return wait_for(what, look, seconds, every=0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{status()}") from None


def lift() -> None:
    """Take the handset off."""
    ask(s.Hook(move=s.HookMove.UP))


def replace() -> None:
    """Put it down."""
    ask(s.Hook(move=s.HookMove.DOWN))


@contextlib.contextmanager
def board(text: str, card: str = CARD) -> Iterator[None]:
    """The phone with another board file and another card for its handset; afterwards as before."""
    before = CONFIG.read_text()
    BOARD.write_text(text)
    subprocess.run(["chown", "deskphone:deskphone", BOARD], check=True)
    CONFIG.write_text(before.replace('name = "mock"', f'name = "{BOARD}"').replace(CARD, card))
    try:
        restart()
        yield
    finally:
        CONFIG.write_text(before)
        restart()


def restart() -> None:
    """Stop the phone and start it, until it is registered."""
    subprocess.run(["systemctl", "restart", "deskphone"], check=True, timeout=90)
    wait("registration", lambda found: found.lines[0].registered, 60)


def journal() -> str:
    """What the phone has said since it was started."""
    command = ["journalctl", "-u", "deskphone", "-o", "cat", "--no-pager", f"_PID={main_pid()}"]
    return subprocess.check_output(command, text=True)


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
