"""A port for a program that is to be told one.

Not one that the kernel gave and took back: whoever asks it next, in another test, may be given the
same. Below the ports that it gives (`ip_local_port_range`) nobody comes by chance.
"""

import secrets
import socket

_FIRST, _LAST = 20_000, 32_000


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that is free and that nobody is given who does not ask for it."""
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
        return port
