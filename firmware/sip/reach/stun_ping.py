"""A STUN binding request as keep-alive of a datagram flow (RFC 5626 §4.4.2, §8, RFC 6223 §4.3).

Only where the server said that it takes them: it granted outbound, or filled in our `keep`. The
answer says that the server lives and where it sees us. Just enough of RFC 8489 for that: no
authentication, no attributes of ours, one transaction at a time.
"""

import ipaddress
from typing import Final

from firmware.sip.core import Alarm, Core
from firmware.sip.flow import Endpoint, Flow
from firmware.sip.reach.probe import Heard

_MAGIC: Final = bytes.fromhex("2112a442")
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_MAPPED: Final = 0x0001
_XOR_MAPPED: Final = 0x0020
_HEADER: Final = 20
# RFC 8489 §6.2.1: RTO 500 ms doubling, seven sent, then 16 more RTO: 39.5 seconds.
_RTO: Final = 0.5
_SENDS: Final = 7
_LAST_WAIT: Final = 16 * _RTO


def is_stun(data: bytes) -> bool:
    """Whether a datagram is STUN and not SIP: no SIP message begins with such an octet."""
    return len(data) >= _HEADER and data[0] < 4 and data[4:8] == _MAGIC


class StunPing:
    """One question, answered once by `heard`; `mapped` is where the server saw us last time."""

    def __init__(self, core: Core, flow: Flow, heard: Heard, mapped: Endpoint | None) -> None:
        self.mapped = mapped
        self._core = core
        self._flow = flow
        self._heard: Heard | None = heard
        self._id = core.tokens.octets(12)
        self._sent = 0

    def start(self, now: float) -> None:
        """Ask."""
        self._send(now)

    def drop(self) -> None:
        """Nobody wants the answer any more."""
        self._heard = None
        self._core.disarm(self, Alarm.PONG)

    def answered(self, data: bytes, now: float) -> None:
        """A STUN message on this flow; one that answers something else changes nothing."""
        kind = int.from_bytes(data[:2], "big")
        if data[8:_HEADER] != self._id or kind == _REQUEST:
            return
        seen = _address_in(data) if kind == _SUCCESS else None
        # RFC 5626 §4.4.2: an error is a failure of the flow, and so is another address.
        moved = seen is not None and self.mapped is not None and seen != self.mapped
        self.mapped = seen or self.mapped
        self._tell(now, alive=kind == _SUCCESS, moved=moved)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is not Alarm.PONG:
            return
        if self._sent < _SENDS:
            self._send(now)
        else:
            self._tell(now, alive=False, moved=False)

    def _send(self, now: float) -> None:
        head = _REQUEST.to_bytes(2, "big") + b"\0\0"
        self._core.transmit(self._flow, head + _MAGIC + self._id)
        wait = _RTO * float(1 << self._sent)
        self._sent += 1
        self._core.arm(self, Alarm.PONG, now + (wait if self._sent < _SENDS else _LAST_WAIT))

    def _tell(self, now: float, *, alive: bool, moved: bool) -> None:
        heard, self._heard = self._heard, None
        self._core.disarm(self, Alarm.PONG)
        if heard is not None:
            heard(alive, moved, now)


def _address_in(data: bytes) -> Endpoint | None:
    """XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of an old server (RFC 8489 §14.1, §14.2)."""
    found: Endpoint | None = None
    at, end = _HEADER, min(len(data), _HEADER + int.from_bytes(data[2:4], "big"))
    while at + 4 <= end:
        kind, size = (
            int.from_bytes(data[at : at + 2], "big"),
            int.from_bytes(data[at + 2 : at + 4], "big"),
        )
        value = data[at + 4 : at + 4 + size]
        if kind in (_XOR_MAPPED, _MAPPED) and len(value) == size and size in (8, 20):
            mask = data[4:_HEADER] if kind == _XOR_MAPPED else bytes(16)
            octets = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
            port = int.from_bytes(value[2:4], "big") ^ int.from_bytes(mask[:2], "big")
            found = Endpoint(str(ipaddress.ip_address(octets)), port)
            if kind == _XOR_MAPPED:
                return found
        at += 4 + (size + 3 & ~3)
    return found
