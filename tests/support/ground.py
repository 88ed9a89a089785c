"""What a test with whole programs stands on: IPv4 of the machine, or IPv6 in a network of its own.

Of 127.0.0.0/8 every test takes addresses that nobody else has. IPv6 has one loopback address only,
so those tests get a namespace, and are skipped where one cannot be had.
"""

import contextlib
import socket
from typing import Self

import pytest

from tests.support.far_end import loopback_address
from tests.support.namespace import Namespace, namespace_or_skip

_PARTIES = 5
BOTH_FAMILIES = pytest.mark.parametrize("ground", ["IPv4", "IPv6"], indirect=True)
"""For a module whose tests shall run over each; they must ask for the fixture `ground`."""


class Ground:
    """Addresses and sockets of one family; `stranger` is an address of nobody's server."""

    def __init__(self, *, ipv6: bool = False) -> None:
        self.family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self.namespace: Namespace | None = namespace_or_skip() if ipv6 else None
        self._sockets = contextlib.ExitStack()
        self._addresses: list[str] = []
        if self.namespace is not None:
            # All at once: an address that comes later would be a change to those that run.
            self._addresses = [self.namespace.party(ipv6=True) for _ in range(_PARTIES)]
        self.stranger = self._addresses.pop() if ipv6 else "127.0.0.1"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._sockets.close()
        if self.namespace is not None:
            self.namespace.close()

    def address(self) -> str:
        """An address that is nobody else's."""
        return self._addresses.pop() if self.namespace is not None else loopback_address()

    def socket(
        self, host: str, kind: int = socket.SOCK_DGRAM, seconds: float = 5.0, port: int = 0
    ) -> socket.socket:
        """A bound socket that is closed with the ground."""
        if self.namespace is None:
            sock = socket.socket(self.family, kind)
        else:
            sock = self.namespace.socket(self.family, kind)
        self._sockets.enter_context(sock)
        sock.settimeout(seconds)
        sock.bind((host, port))
        return sock
