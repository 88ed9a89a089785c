"""Keeps the way of a stream open through NATs while no media leaves (RFC 6263). Pure.

RFC 6263 §5 recommends RTCP on the port of the media. Where both share a port, our reports (at most
6.2 s apart, RFC 6263 §8) are enough and nothing is added; a port of RTCP's own they keep open, too.
On the port of the media alone something else has to be sent. Of the choices this is an empty RTP
packet of a payload type that nobody has named (RFC 6263 §4.6). Why none of the others:

    empty datagram     relays that check for RTP drop it; under SRTP it proves nothing
    comfort noise      is heard, and only where it was agreed on
    STUN, version 0    cannot be told from an attack once SRTP was agreed on
    unknown type       must be ignored (RFC 3550 §5.1), opens relays that wait for RTP, is sealed
                       like every packet, and nothing sounds

It continues sequence and timestamp of the media. Figures and reports do not count it.
"""

import math
from collections.abc import Iterable

from firmware.media.messages import PayloadFormat

QUIET = 13.0
"""Seconds without media; looked at once a second, so that Tr = 15 s holds (RFC 6263 §7)."""
_AT_FIRST = 1.0
"""Seconds after which a stream that only listens opens the way for what it should hear."""
_DYNAMIC = range(127, 95, -1)


class KeepAlive:
    """When a packet must leave, and of which type; `packets` is how many of media have left."""

    __slots__ = ("_due", "_packets", "_taken", "number")

    def __init__(self) -> None:
        self._due = math.inf
        self._packets = 0
        self._taken: set[int] = set()
        self.number = _DYNAMIC[0]
        """A payload type without a meaning in this call."""

    def avoid(self, formats: Iterable[PayloadFormat]) -> None:
        """These numbers mean something, here or there, and will for the rest of the call."""
        self._taken.update(each.number for each in formats)
        self.number = next((each for each in _DYNAMIC if each not in self._taken), self.number)

    def begin(self, packets: int, now: float) -> None:
        """Another far end: the way there has still to be opened."""
        self._packets = packets
        self._due = now + _AT_FIRST

    def due(self, packets: int, now: float) -> bool:
        """Whether one must leave now; ask about once a second."""
        quiet = packets == self._packets
        if quiet and now < self._due:
            return False
        self._packets = packets
        self._due = now + QUIET
        return quiet
