"""Debian's SIPp: its stock scenarios as caller and as callee, and scenarios of our own."""

import re
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.namespace import Namespace, end
from tests.support.waiting import wait_for

_CALL_ID = re.compile(r"^Call-ID:\s*(\S+)", re.MULTILINE)
_TAGS = [re.compile(rf"^{name}:.*;tag=([^\s;]+)", re.MULTILINE) for name in ("From", "To")]
_OF_INVITE = re.compile(r"^CSeq:\s*\d+ INVITE", re.MULTILINE)
_HEARD_ACK = re.compile(
    r"message received[^\n]*\n\s*ACK .*?^CSeq:\s*(\d+) ACK", re.MULTILINE | re.DOTALL
)


class SippError(AssertionError):
    """SIPp counted a failed call."""


def call(
    namespace: Namespace,
    folder: Path,
    *,
    address: str,
    target: str,
    user: str,
    calls: int,
    rate: int = 50,
    at_once: int = 50,
    scenario: tuple[str, ...] = ("-sn", "uac"),
    seconds: float = 60,
) -> str:
    """Place `calls` calls to `user` at `target`; returns the last statistics.

    Raises:
        SippError: one of them failed, with SIPp's own words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = namespace.run(
        *("sipp", *scenario, target, "-s", user, "-i", address, "-p", "5060"),
        *("-m", str(calls), "-r", str(rate), "-l", str(at_once), "-d", "20"),
        *("-nostdin", "-trace_err", "-error_file", str(folder / "errors.log")),
        *("-timeout", f"{seconds:g}s", "-timeout_error"),
        timeout=seconds + 15,
    )
    if done.returncode:
        errors = folder / "errors.log"
        detail = errors.read_text(errors="replace")[-3000:] if errors.exists() else ""
        raise SippError(f"SIPp ended with {done.returncode}\n{done.stdout[-2500:]}\n{detail}")
    return done.stdout


class Callee:
    """SIPp's stock `uas`: rings, answers, waits for BYE; `echoes` = it sends all RTP back."""

    def __init__(self, namespace: Namespace, folder: Path, *, echoes: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = namespace.party()
        self._namespace = namespace
        self._log = folder / "sipp.log"
        self._errors = folder / "errors.log"
        self.process: subprocess.Popen[bytes] = namespace.popen(
            *("sipp", "-sn", "uas", "-i", self.address, "-p", "5060", "-nostdin"),
            *("-trace_err", "-error_file", str(self._errors)),
            *(("-rtp_echo", "-mi", self.address) if echoes else ()),
            log=self._log,
        )
        wait_for("SIPp to listen", self._listens, 10)

    def errors(self) -> str:
        """What it did not like."""
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    def close(self) -> None:
        """End it."""
        end(self.process)

    def _listens(self) -> bool:
        ports = self._namespace.run("ss", "-Hlun", "sport", "=", ":5060", timeout=5).stdout
        return f"{self.address}:5060" in ports


@dataclass(frozen=True)
class Talk:
    """A dialog of an actor's: its Call-ID, the actor's tag and the phone's."""

    call_id: str
    actor: str
    phone: str

    def replaces(self, *, early: bool = False) -> str:
        """A Replaces header that names it to the phone (RFC 3891 §6.1)."""
        only = ";early-only" if early else ""
        return f"{self.call_id};to-tag={self.phone};from-tag={self.actor}{only}"


class Actor:
    """SIPp playing one scenario file, once, at an address of its own.

    A scenario that begins with `send` needs `target` (host:port) and calls `user` there; one that
    begins with `recv` waits. `keys` are what the scenario calls `[name]`.
    """

    def __init__(
        self,
        folder: Path,
        scenario: Path,
        *,
        address: str,
        target: str = "",
        user: str = "",
        seconds: float = 20,
        **keys: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = scenario.stem
        self.address = address
        self._seconds = seconds
        self._calls = bool(target)
        self._errors = folder / f"{self.name}.errors"
        self._messages = folder / f"{self.name}.messages"
        self._log = folder / f"{self.name}.log"
        given = [word for key, value in keys.items() for word in ("-key", key, value)]
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                (
                    *("sipp", *filter(None, (target,)), "-sf", str(scenario), "-m", "1"),
                    *("-i", address, "-p", "5060", *(("-s", user) if user else ()), *given),
                    *("-nostdin", "-timeout", f"{seconds:g}s", "-timeout_error"),
                    *("-trace_err", "-error_file", str(self._errors)),
                    *("-trace_msg", "-message_file", str(self._messages)),
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        wait_for(f"SIPp {self.name} to listen", self._listens, 10)

    def finish(self) -> str:
        """Wait for its end; returns the messages it saw.

        Raises:
            SippError: the scenario did not go as written; the words are SIPp's.
        """
        try:
            code = self.process.wait(self._seconds + 5)
        finally:
            end(self.process)
        if code:
            raise SippError(f"{self.name} ended with {code}\n{self._told()}")
        return self._read(self._messages)

    def talk(self) -> Talk:
        """Its dialog with the phone, once there is one."""
        return wait_for(f"a dialog of {self.name}", self._talk, 10)

    def _talk(self) -> Talk | None:
        for message in re.split(r"\n-{20,}", self._read(self._messages)):
            call_id = _CALL_ID.search(message)
            near, far = (tag.search(message) for tag in _TAGS)
            if call_id and near and far and _OF_INVITE.search(message):
                tags = (near.group(1), far.group(1))
                return Talk(call_id.group(1), *(tags if self._calls else reversed(tags)))
        return None

    def acknowledged(self, invites: int) -> None:
        """Wait until the phone acknowledged its answers to so many INVITEs.

        A phone says that a call is off hold as soon as it has asked for that: whoever hangs up then
        may do so before the answer.
        """

        def all_of_them() -> bool:
            return len(set(_HEARD_ACK.findall(self._read(self._messages)))) >= invites

        wait_for(f"{invites} ACKs to {self.name}", all_of_them, 10)

    def close(self) -> None:
        """End it, however far it is."""
        end(self.process)

    def _told(self) -> str:
        logs = (self._errors, self._log, self._messages)
        return "\n".join(self._read(log)[-3000:] for log in logs)

    def _read(self, path: Path) -> str:
        return path.read_text(errors="replace") if path.exists() else ""

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            raise SippError(f"{self.name} did not start\n{self._told()}")
        octets = "".join(f"{int(part):02X}" for part in reversed(self.address.split(".")))
        return f" {octets}:13C4 " in Path("/proc/net/udp").read_text()


def send(namespace: Namespace, address: tuple[str, int], data: bytes) -> socket.socket:
    """Throw one datagram at `address` from inside; the socket stays open for an answer."""
    probe = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.settimeout(0.5)
    probe.sendto(data, address)
    return probe
