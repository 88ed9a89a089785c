"""A network of a test's own: nothing in it can be seen from outside, nothing outside from it.

Each party gets an interface and an address. Closing the namespace ends whatever still runs in it.
"""

import concurrent.futures
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


class NamespaceError(Exception):
    """The machine does not let us have a network namespace."""


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        raise NamespaceError(done.stderr.strip())


class Namespace:
    """One network namespace with a veth pair per party."""

    def __init__(self) -> None:
        self.name = f"dp-{secrets.token_hex(4)}"
        try:
            _ip("netns", "add", self.name)
        except FileNotFoundError as error:
            raise NamespaceError("ip is missing: apt-get install iproute2") from error
        self._processes: list[subprocess.Popen[bytes]] = []
        self._parties = 0
        _ip("-n", self.name, "link", "set", "lo", "up")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def party(self, *, ipv6: bool = False) -> str:
        """Give one more party an address of its own."""
        self._parties += 1
        number = self._parties
        near, far = f"v{number}", f"w{number}"
        address, bits = (f"fd00:99:{number}::1", 64) if ipv6 else (f"10.99.{number}.1", 24)
        # No duplicate can be there, and a tentative address cannot be bound yet (RFC 4862 §5.4).
        at_once = ("nodad",) if ipv6 else ()
        _ip("-n", self.name, "link", "add", near, "type", "veth", "peer", "name", far)
        _ip("-n", self.name, "addr", "add", f"{address}/{bits}", "dev", near, *at_once)
        _ip("-n", self.name, "link", "set", near, "up")
        _ip("-n", self.name, "link", "set", far, "up")
        return address

    def popen(self, *command: str, log: Path, **options: object) -> subprocess.Popen[bytes]:
        """Start a program inside; its output goes to `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # type: ignore[call-overload]
                ["ip", "netns", "exec", self.name, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **options,
            )
        self._processes.append(process)
        return process

    def run(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program inside to its end."""
        return subprocess.run(
            ["ip", "netns", "exec", self.name, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def enter(self) -> None:
        """Move the calling thread inside, for good; other threads stay where they are."""
        with Path(f"/run/netns/{self.name}").open("rb") as handle:
            if _LIBC.setns(handle.fileno(), _CLONE_NEWNET):
                raise NamespaceError(os.strerror(ctypes.get_errno()))

    def socket(self, family: int, kind: int) -> socket.socket:
        """A socket that lives inside, for use from outside."""

        def make() -> socket.socket:
            self.enter()
            return socket.socket(family, kind)

        # setns moves the calling thread only: a thread for this one socket, then it is gone.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(make).result(timeout=10)

    def close(self) -> None:
        """End everything inside and remove the namespace."""
        for process in reversed(self._processes):
            end(process)
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while self._pids() and time.monotonic() < deadline:
            time.sleep(0.02)  # noqa: TID251 - real programs need real time
        with contextlib.suppress(NamespaceError):
            _ip("netns", "del", self.name)

    def _pids(self) -> list[int]:
        listed = subprocess.run(
            ["ip", "netns", "pids", self.name],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return [int(word) for word in listed.stdout.split()]


def namespace_or_skip() -> Namespace:
    """A namespace; without the right to have one a skip, or a failure where all must be there."""
    try:
        return Namespace()
    except NamespaceError as error:
        reason = f"no network namespace (root is needed): {error}"
        if os.environ.get("DESKPHONE_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)


def end(process: subprocess.Popen[bytes], seconds: float = 5.0) -> int:
    """Stop a program: politely, then for certain. Returns its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
    return process.returncode
