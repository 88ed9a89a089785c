"""Who holds a port: for the sentence a person reads when the phone cannot start.

Reads /proc, which tells a user about their own processes and root about all.
"""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

_TABLES = {"udp": ("udp", "udp6"), "tcp": ("tcp", "tcp6")}


_LISTENS = "0A"  # include/net/tcp_states.h


def holder_of(protocol: str, port: int, proc: Path = Path("/proc"), *, host: str = "") -> str:
    """The program on `port` of `udp` or `tcp`, e.g. `kamailio (pid 812)`, or `another program`.

    With a `host` it is who has the port there; another address may have it, too.
    """
    rows = [row for table in _TABLES[protocol] for row in _rows(proc / "net" / table, port)]
    in_the_way = [row for row in rows if _stands_in_the_way(protocol, row, host)]
    return _program({row[9] for row in in_the_way or rows}, proc)


def _stands_in_the_way(protocol: str, row: list[str], host: str) -> bool:
    address = row[1].rpartition(":")[0]
    everywhere = not host.strip("0.:") or not address.strip("0")
    here = everywhere or address in _as_in_tables(host)
    return here and (protocol == "udp" or row[3] == _LISTENS)


def _as_in_tables(host: str) -> Iterator[str]:
    """An address as the kernel writes it: words of four octets, the last one first."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            octets = socket.inet_pton(family, host.partition("%")[0])
            words = (octets[at : at + 4][::-1] for at in range(0, len(octets), 4))
            yield b"".join(words).hex().upper()


def _program(inodes: set[str], proc: Path) -> str:
    for process in sorted(proc.glob("[0-9]*")):
        with contextlib.suppress(OSError):
            if any(_socket(descriptor) in inodes for descriptor in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "another program"


def _socket(descriptor: Path) -> str:
    """Its inode if it is a socket; one that was closed meanwhile hides none of the others."""
    try:
        link = str(descriptor.readlink())
    except OSError:
        return ""
    return link[8:-1] if link.startswith("socket:[") else ""


def _rows(table: Path, port: int) -> list[list[str]]:
    with contextlib.suppress(OSError, IndexError, ValueError):
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        return [row for row in rows if row[9] and int(row[1].rsplit(":", 1)[1], 16) == port]
    return []
