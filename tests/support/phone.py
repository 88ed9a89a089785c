"""Our phone as its own program: started as a user starts it, driven over its control socket."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import NoneType

from firmware.control import schema as s
from firmware.control.client import Client
from firmware.control.errors import ControlError
from firmware.sip.flow import Endpoint
from tests.support.certificates import Certificate
from tests.support.namespace import Namespace, end
from tests.support.waiting import wait_for
from tests.support.wav import write_tone

BIN = Path(sys.executable).parent
_CONFIG = """\
[network]
bind = "{address}"
sip_port = {port}

{lines}
[board]
name = "{board}"

[audio]
codecs = {codecs}
{card}loop = {loop}
leave_out_silence = {rests}

[phone]
max_calls = {max_calls}

[web]
enabled = {page}
port = {page_port}
"""


def line(user: str, server: str, **more: object) -> str:
    """A `[[line]]` table."""
    rows = {"user": user, "password": f"s{user}", "server": server, **more}
    return "[[line]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in rows.items())


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


def _tls_door(certificate: Certificate | None) -> str:
    if certificate is None:
        return ""
    return f'[network.tls]\ncert = "{certificate.cert}"\nkey = "{certificate.key}"\n'


class Phone:
    """A running phone; `heard` is the WAV of what its person hears."""

    def __init__(
        self,
        folder: Path,
        lines: str,
        *,
        address: str = "127.0.0.1",
        port: int = 5060,
        namespace: Namespace | None = None,
        codecs: tuple[str, ...] = ("pcmu",),
        tone_hz: float = 440.0,
        max_calls: int = 8,
        loop: bool = False,
        page_port: int = 0,
        certificate: Certificate | None = None,
        alsa: Path | None = None,
        leave_out_silence: bool = False,
        board: str = "mock",
        program: tuple[str, ...] = (str(BIN / "deskphone"),),
    ) -> None:
        """With a certificate it takes TLS on port 5061; `alsa` = the default card of that file.

        `program` takes what `deskphone` takes.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.address = address
        self.host = f"[{address}]" if ":" in address else address
        self.heard = folder / "heard.wav"
        self.config = folder / "deskphone.toml"
        self._namespace = namespace
        self._program = program
        # A Unix socket's path has room for 107 letters; the test's own folder may be longer.
        self._sockets = tempfile.TemporaryDirectory(prefix="dp-")
        self.control = Path(self._sockets.name) / "control.sock"
        self._environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
        if alsa is not None:
            self._environment["ALSA_CONFIG_PATH"] = str(alsa)
        write_tone(folder / "voice.wav", tone_hz, 16000, 20)
        self.config.write_text(
            _CONFIG.format(
                address=address,
                port=port,
                lines=_tls_door(certificate) + lines,
                codecs=_toml(codecs),
                card='card = "alsa"\n' if alsa else self._file_card(loop),
                loop=_toml(loop),
                rests=_toml(leave_out_silence),
                max_calls=max_calls,
                board=board,
                page=_toml(page_port > 0),
                page_port=page_port or 8080,
            )
        )
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def _file_card(self, loop: bool) -> str:  # noqa: FBT001 - as in the file
        play = "" if loop else self.folder / "voice.wav"
        return f'card = "file"\nplay = "{play}"\nrecord = "{self.heard}"\n'

    @property
    def contact(self) -> Endpoint:
        """Where its SIP port is."""
        return Endpoint(self.address, 5060)

    def start(self) -> None:
        """Start the program and wait until it takes orders."""
        command = (
            *(*self._program, "run", "-c", str(self.config)),
            *("--control", str(self.control)),
        )
        log = self.folder / "phone.log"
        if self._namespace is not None:
            self.process = self._namespace.popen(*command, log=log, env=self._environment)
        else:
            with log.open("ab") as output:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                )
        wait_for("the phone's control socket", self._answers, 15)

    def ask(self, request: s.AnyRequest, result: type = NoneType) -> object:
        """One request over the control socket."""
        with Client(self.control) as client:
            return client.ask(request, result)

    def status(self) -> s.StatusReply:
        """How it is."""
        found = self.ask(s.Status(), s.StatusReply)
        assert isinstance(found, s.StatusReply)
        return found

    def wait(
        self, what: str, true_of: Callable[[s.StatusReply], object], seconds: float = 15.0
    ) -> s.StatusReply:
        """The first status of which something is true."""

        def look() -> s.StatusReply | None:
            status = self.status()
            return status if true_of(status) else None

        try:
            return wait_for(what, look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.status()}\n{self.log()[-3000:]}") from None

    def wait_registered(self) -> None:
        """Until every line is registered."""
        self.wait("registration", lambda status: all(line.registered for line in status.lines))

    def wait_state(self, state: str, seconds: float = 15.0) -> s.StatusReply:
        """Until the phone as a whole is in a state."""
        return self.wait(f"the phone to be {state}", lambda found: found.state == state, seconds)

    def log(self) -> str:
        """What it logged."""
        return (self.folder / "phone.log").read_text(errors="replace")

    def child(self) -> int:
        """The process id of its audio process."""
        return wait_for("the audio process", lambda: _child(self.pid, "firmware.media.host"), 15)

    def page(self) -> int:
        """The process id of its page."""
        return wait_for("the page", lambda: _child(self.pid, "web"), 15)

    @property
    def pid(self) -> int:
        """The phone's own process id (`ip netns exec` replaces itself by it)."""
        return self.process.pid

    def kill(self) -> None:
        """A power cut for the phone alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def close(self) -> int:
        """Stop it as systemd would; returns its exit code."""
        code = end(self.process, 10)
        self._sockets.cleanup()
        return code

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        try:
            self.status()
        except ControlError:
            return False
        return True


def _child(parent: int, word: str) -> int | None:
    """The child with this word in its command line."""
    for task in Path(f"/proc/{parent}/task").iterdir():
        children = []
        with contextlib.suppress(OSError):  # a thread may end while we look, and so may a child
            children = (task / "children").read_text().split()
        for child in children:
            with contextlib.suppress(OSError):
                if word in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
                    return int(child)
    return None
