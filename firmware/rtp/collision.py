"""Our own SSRC met on what arrives: somebody else's by chance, or our own packets (RFC 3550 §8.2).

    from the far end, ┬ a number and a time that we have just sent ─▶ ours, come back: counted
    under our SSRC    ├ a report under our own canonical name ──────▶ the same
                      └ anything else ──▶ another source: BYE, another SSRC, once for each place

RFC 3550 §8.2 leaves open which packets are kept. In a group, what came back would go round for
ever, so there it is ignored; a phone has one far end and one ear, and who calls a service that
reflects what it hears wants to hear it. So nothing is silenced for its SSRC: whether the address
may be heard is decided before (`latch`), and that is all. Of reports that came back nothing is
believed. A mixer that names us among its contributors (RFC 3550 §7.1) says that we are in what it
sends, and not that somebody has our name. Pure; it counts and remembers, others send.
"""

from firmware.rtp.latch import Address

_MEMORY = 50.0
"""Seconds: ten intervals of two parties' reports (RFC 3550 §8.2)."""
_PLACES = 4
"""Addresses remembered; a call has few, and the oldest gives way."""


class Collisions:
    """Of one SSRC after the other; RTP and RTCP come from addresses of their own."""

    __slots__ = ("_places", "looped")

    def __init__(self) -> None:
        self._places: dict[tuple[bool, Address], float] = {}
        self.looped = 0
        """Packets and reports of ours that came back."""

    def is_new(self, source: Address, now: float, *, control: bool = False) -> bool:
        """Whether we have to choose another SSRC: one of `source` is ours.

        Who has the new one again, soon after, only sends back what it gets.
        """
        places, place = self._places, (control, source)
        known = places.pop(place, None)
        if known is None and len(places) >= _PLACES:
            del places[next(iter(places))]
        places[place] = now  # the latest is last
        if known is not None and now - known < _MEMORY:
            self.looped += 1
            return False
        return True
