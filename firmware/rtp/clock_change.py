"""The far end goes on with a codec of another RTP clock: two lines of timestamps become one. Pure.

    8000 a second   … 480 640 800 │
    48000 a second                │ 71000 71960 72920 …     800 there is 71000 here

RFC 3550 §5.1 lets timestamps begin anywhere; only where both lines meet has to be known.
"""

from typing import NamedTuple

from msgspec import structs

from firmware.rtp.packet import RtpPacket

_REACH = 1000
"""Packets after which none from before the change can come any more."""


class ClockChange(NamedTuple):
    """From `before` to `after` ticks a second, with packet `sequence` of `ssrc`.

    That packet's timestamp `start` is what would have been `end` on the line before.
    """

    before: int
    after: int
    end: int
    start: int
    ssrc: int
    sequence: int

    def moved(self, timestamp: int) -> int:
        """A timestamp of the line before as one of the line after."""
        return self.start + (timestamp - self.end) * self.after // self.before

    def lasting(self, ticks: int) -> int:
        """A length in ticks of the clock after."""
        return ticks * self.after // self.before

    @property
    def shift(self) -> float:
        """Seconds that transit times are more on the line after."""
        return self.end / self.before - self.start / self.after

    def straggler(
        self, packet: RtpPacket, ticks: int, clock: int, newest: int
    ) -> tuple[RtpPacket, int] | None:
        """A packet from before the change that comes after it, as if there had been none.

        `ticks` and `clock` are its own, `newest` is the newest number of all. None: it is no such
        packet, and the far end has changed back.
        """
        behind = (self.sequence - packet.sequence) & 0xFFFF
        late = (newest - packet.sequence) & 0xFFFF
        if (clock, packet.ssrc) != (self.before, self.ssrc) or not 0 < behind <= late <= _REACH:
            return None
        passed = ((packet.timestamp - self.end + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        timestamp = self.moved(self.end + passed) & 0xFFFFFFFF
        return structs.replace(packet, timestamp=timestamp), self.lasting(ticks)
