"""A home gateway in a namespace of its own: it translates UDP and lets in only who was spoken to.

    island ── 10.97.n.0/24 ── gateway ── 10.98.n.0/24 ── hub

Machines for tests have no firewall to ask for it, so a program stands where the kernel would
translate: what comes from inside is read off the wire and leaves by a socket of the gateway's own,
what comes back there is written onto the wire inside under its sender's name.
"""

import select
import socket
import struct
import sys
from pathlib import Path

from tests.support.namespace import Namespace, _ip

_ETH_P_IP = 0x0800
_UDP = 17


class Gateway(Namespace):
    """See the module; hand it to `Island` as its hub."""

    def __init__(self, hub: Namespace, number: int, folder: Path) -> None:
        super().__init__()
        self.outer = f"10.98.{number}.2"
        outward = f"10.98.{number}.1"
        _ip("-n", self.name, "link", "add", "out", "type", "veth", "peer", "name", f"g{number}")
        _ip("-n", self.name, "link", "set", f"g{number}", "netns", hub.name)
        _ip("-n", self.name, "addr", "add", f"{self.outer}/24", "dev", "out")
        _ip("-n", hub.name, "addr", "add", f"{outward}/24", "dev", f"g{number}")
        _ip("-n", self.name, "link", "set", "out", "up")
        _ip("-n", hub.name, "link", "set", f"g{number}", "up")
        _ip("-n", self.name, "route", "add", "default", "via", outward)
        hub.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self._inside = f"i{number}"
        self._folder = folder

    def start(self) -> None:
        """Translate; its inner interface has to be there."""
        command = (sys.executable, "-m", "tests.support.gateway", self._inside, self.outer)
        self.popen(*command, log=self._folder / f"{self._inside}.log", cwd=Path.cwd())


class _Translation:
    def __init__(self, inside: str, outer: str) -> None:
        self._outer = outer
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
        self._wire.bind((inside, _ETH_P_IP))
        self._raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._outside: dict[tuple[str, int], socket.socket] = {}
        self._inner: dict[socket.socket, tuple[str, int]] = {}
        self._spoken: dict[socket.socket, set[tuple[str, int]]] = {}

    def run(self) -> None:
        while True:
            ready, _, _ = select.select([self._wire, *self._inner], [], [])
            for each in ready:
                if each is self._wire:
                    self._outward(self._wire.recvfrom(4096))
                else:
                    self._inward(each)

    def _outward(self, frame: tuple[bytes, tuple[object, ...]]) -> None:
        packet, link = frame
        head = (packet[0] & 15) * 4
        if link[2] == socket.PACKET_OUTGOING or packet[9] != _UDP:
            return
        source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        port, to, length = struct.unpack_from("!HHH", packet, head)
        if target.startswith("10.97."):
            return  # for the gateway itself, or for nobody
        outside = self._outside.get((source, port))
        if outside is None:
            outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            outside.bind((self._outer, 0))
            self._outside[source, port] = outside
            self._inner[outside] = source, port
            self._spoken[outside] = set()
        self._spoken[outside].add((target, to))
        outside.sendto(packet[head + 8 : head + length], (target, to))

    def _inward(self, outside: socket.socket) -> None:
        try:
            data, sender = outside.recvfrom(4096)
        except OSError:
            return
        if sender not in self._spoken[outside]:
            return
        host, port = self._inner[outside]
        size = 8 + len(data)
        both = socket.inet_aton(sender[0]), socket.inet_aton(host)
        packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0, 64, _UDP, 0, *both)
        packet += struct.pack("!HHHH", sender[1], port, size, 0) + data
        self._raw.sendto(packet, (host, 0))


if __name__ == "__main__":
    _Translation(sys.argv[1], sys.argv[2]).run()
