"""Tells systemd how the service is: ready, alive, what it is doing.

One datagram of `NAME=value` lines to the socket that systemd names in `NOTIFY_SOCKET`, by the rules
of sd_notify(3). Without that variable nobody is listening, and nothing happens.
"""

import logging
import os
import socket
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"
_LOG = logging.getLogger(__name__)


def notify(*assignments: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send assignments such as `READY=1` or `STATUS=registered` together.

    It never blocks and never raises for what the other side does: a phone that cannot tell systemd
    that it is well goes on. Returns whether the message was handed over.

    Raises:
        ValueError: an assignment is not one `NAME=value` line (a fault of our own code).
    """
    if any("=" not in each or "\n" in each for each in assignments):
        raise ValueError(f"not NAME=value lines: {assignments}")
    name = environment.get(VARIABLE, "")
    if not name.startswith(("/", "@")) or not assignments:
        return False
    # A leading @ stands for the zero byte of the abstract namespace, unix(7).
    address = "\0" + name[1:] if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.settimeout(0)
        try:
            link.sendto("\n".join(assignments).encode(), address)
        except OSError as error:
            _LOG.warning("systemd was not told %s: %s", assignments[0], error.strerror)
            return False
    return True
