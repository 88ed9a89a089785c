"""Who holds a port: for the sentence a person reads when the phone cannot start.

Reads /proc, which tells a user about their own processes and root about all.
"""

import contextlib
from pathlib import Path

_TABLES = {"udp": ("udp", "udp6"), "tcp": ("tcp", "tcp6")}


def holder_of(protocol: str, port: int, proc: Path = Path("/proc")) -> str:
    """The program on `port` of `udp` or `tcp`, e.g. `kamailio (pid 812)`, or `another program`."""
    inodes = {inode for table in _TABLES[protocol] for inode in _inodes(proc / "net" / table, port)}
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


def _inodes(table: Path, port: int) -> set[str]:
    with contextlib.suppress(OSError, IndexError, ValueError):
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        return {row[9] for row in rows if int(row[1].rsplit(":", 1)[1], 16) == port}
    return set()
