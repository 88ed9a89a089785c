"""What the jitter buffer keeps and what it says: values, nothing more."""

import enum
from typing import NamedTuple, TypeAlias

from firmware.rtp.packet import RtpPacket


class Missing(NamedTuple):
    """Conceal `ticks`; `following` is the packet right after the gap, if it has come (for FEC)."""

    ticks: int
    following: RtpPacket | None


class Surplus(NamedTuple):
    """There is far too much delay: decode this for the codec's memory, leave it out, ask again."""

    packet: RtpPacket


class Shorten(NamedTuple):
    """There is some delay too much: play this, and make it shorter if it sounds well.

    By at most `ticks`, unless that is 0. If it is not `urgent`, a pause in the words is the place;
    what was begun is urgent.
    """

    packet: RtpPacket
    ticks: int = 0
    urgent: bool = False


class Lengthen(NamedTuple):
    """There is too little delay: play this, and make it longer if it sounds well."""

    packet: RtpPacket
    urgent: bool = False


Playout: TypeAlias = RtpPacket | Missing | Surplus | Shorten | Lengthen | None
"""None: there is nothing to play; not begun, or the talker pauses."""


class Entry(NamedTuple):
    """`packet` None: a packet that only takes a sequence number (a telephone-event)."""

    sequence: int
    timestamp: int
    ticks: int
    packet: RtpPacket | None


class Put(enum.Enum):
    """What became of a packet."""

    QUEUED = "queued"
    DUPLICATE = "duplicate"
    LATE = "late"
    RESTARTED = "restarted"
