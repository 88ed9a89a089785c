"""Why a connection cannot be had, or is of no use any more.

Apart from `firmware.net.errors`, because the page knows those and nothing of SIP.
"""

from collections.abc import Sequence

from firmware.net.errors import NetError
from firmware.sip.framer import Ping, Pong
from firmware.sip.notifications import FailureCause


class LinkError(NetError, OSError):
    """A connection that is of no use: `cause` says why, `found` are messages that came before."""

    def __init__(
        self, cause: FailureCause, text: str, found: Sequence[bytes | Ping | Pong] = ()
    ) -> None:
        super().__init__(text)
        self.cause = cause
        self.found = tuple(found)
