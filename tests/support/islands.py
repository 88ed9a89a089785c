"""Networks that see one host in the middle and nothing of each other.

An island is a namespace with one address, whose only neighbour is the hub. The hub does not pass
on what is for another island: whoever speaks to one has to be helped by a program on the hub.
"""

from typing import Self

from tests.support.namespace import Namespace, _ip


class Island(Namespace):
    """See the module; `number` (1 to 250) tells the islands of a hub apart."""

    def __init__(self, hub: Namespace, number: int, *, forwarding: bool = False) -> None:
        super().__init__()
        self._address = f"10.97.{number}.2"
        gateway = f"10.97.{number}.1"
        ours, theirs = "eth0", f"i{number}"
        _ip("-n", self.name, "link", "add", ours, "type", "veth", "peer", "name", theirs)
        _ip("-n", self.name, "link", "set", theirs, "netns", hub.name)
        _ip("-n", self.name, "addr", "add", f"{self._address}/24", "dev", ours)
        _ip("-n", hub.name, "addr", "add", f"{gateway}/24", "dev", theirs)
        # A gateway that is a program reads whole datagrams: no INVITE shall come in pieces.
        _ip("-n", self.name, "link", "set", ours, "mtu", "4000")
        _ip("-n", hub.name, "link", "set", theirs, "mtu", "4000")
        _ip("-n", self.name, "link", "set", ours, "up")
        _ip("-n", hub.name, "link", "set", theirs, "up")
        _ip("-n", self.name, "route", "add", "default", "via", gateway)
        value = "1" if forwarding else "0"
        hub.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv4/ip_forward")

    def __enter__(self) -> Self:
        return self

    def renumber(self, last: int) -> None:
        """Its address is another one from now on."""
        self.run("ip", "addr", "flush", "dev", "eth0")
        gateway, _, _ = self._address.rpartition(".")
        self._address = f"{gateway}.{last}"
        _ip("-n", self.name, "addr", "add", f"{self._address}/24", "dev", "eth0")
        _ip("-n", self.name, "route", "replace", "default", "via", f"{gateway}.1")

    def party(self, *, ipv6: bool = False) -> str:
        """Its one address."""
        assert not ipv6
        return self._address
