"""Debian's SIPp: its stock scenarios as caller and as callee."""

import socket
import subprocess
from pathlib import Path

from tests.support.namespace import Namespace, end
from tests.support.waiting import wait_for


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
    """SIPp's stock `uas`: rings, answers, waits for BYE."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = namespace.party()
        self._namespace = namespace
        self._log = folder / "sipp.log"
        self._errors = folder / "errors.log"
        self.process: subprocess.Popen[bytes] = namespace.popen(
            *("sipp", "-sn", "uas", "-i", self.address, "-p", "5060", "-nostdin"),
            *("-trace_err", "-error_file", str(self._errors)),
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


def send(namespace: Namespace, address: tuple[str, int], data: bytes) -> socket.socket:
    """Throw one datagram at `address` from inside; the socket stays open for an answer."""
    probe = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.settimeout(0.5)
    probe.sendto(data, address)
    return probe
