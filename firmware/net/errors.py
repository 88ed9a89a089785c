"""Errors of the network edge, translated once from the operating system's words."""

from collections.abc import Sequence

from firmware.sip.framer import Ping, Pong
from firmware.sip.notifications import FailureCause


class NetError(Exception):
    """Root of the network edge's errors."""


class PortTakenError(NetError, OSError):
    """A port is in use; the message says by whom, as far as this user may know."""


class ListenError(NetError, OSError):
    """An address cannot be listened on, for another reason than somebody else on the port."""


class NoMediaPortError(NetError, OSError):
    """Every port of the configured range is taken, or the address cannot be bound."""


class LinkError(NetError, OSError):
    """A connection that is of no use: `cause` says why, `found` are messages that came before."""

    def __init__(
        self, cause: FailureCause, text: str, found: Sequence[bytes | Ping | Pong] = ()
    ) -> None:
        super().__init__(text)
        self.cause = cause
        self.found = tuple(found)
