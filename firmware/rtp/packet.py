"""RTP packets: octets to values and back.

Not a judge: whether a packet belongs to a stream is for `sequence` and `session`. The reader takes
what RFC 3550 §5.1 allows and gives None for the rest; it never raises. Values are msgspec structs
because one is made for each packet: a fifth of the cost of a dataclass.
"""

import struct

import msgspec

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
HEADER_BYTES = _HEADER.size
VERSION = 2


class RtpPacket(msgspec.Struct, frozen=True, gc=False):
    """One packet; `payload` is without padding, `extension` is profile and octets, if present."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None


def parse_rtp(data: bytes) -> RtpPacket | None:
    """A datagram as a packet, or None if it is not RTP version 2 or contradicts itself.

    An RTCP packet that shares the port gives None too (RFC 5761 §4). A packet whose payload is
    empty is a packet.
    """
    if len(data) < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if 192 <= second <= 223:  # payload types 64 to 95 are RTCP's when both share a port
        return None
    if first == 0x80:
        return RtpPacket(
            second & 0x7F, sequence, timestamp, ssrc, data[HEADER_BYTES:], second > 0x7F
        )
    if first >> 6 != VERSION:
        return None
    return _parse_adorned(
        data, RtpPacket(second & 0x7F, sequence, timestamp, ssrc, b"", second > 0x7F)
    )


def _parse_adorned(data: bytes, bare: RtpPacket) -> RtpPacket | None:
    """The rest of a packet that has contributors, an extension or padding."""
    first = data[0]
    start = HEADER_BYTES + 4 * (first & 0x0F)
    end = len(data)
    if start > end:
        return None
    csrcs = struct.unpack_from(f"!{first & 0x0F}I", data, HEADER_BYTES)
    extension: tuple[int, bytes] | None = None
    if first & 0x10:
        if start + 4 > end:
            return None
        profile, words = _EXTENSION.unpack_from(data, start)
        start += 4 + 4 * words
        if start > end:
            return None
        extension = (profile, data[start - 4 * words : start])
    if first & 0x20:
        padding = data[-1]
        if padding == 0 or start + padding > end:
            return None
        end -= padding
    return RtpPacket(
        bare.payload_type,
        bare.sequence,
        bare.timestamp,
        bare.ssrc,
        data[start:end],
        bare.marker,
        csrcs,
        extension,
    )


def write_rtp(packet: RtpPacket) -> bytes:
    """A packet as a datagram.

    Raises:
        struct.error: a field does not fit its width.
        ValueError: more than 15 contributors, or an extension that is not whole 32-bit words.
    """
    if packet.extension is None and not packet.csrcs:
        return write_plain(
            packet.payload_type,
            packet.sequence,
            packet.timestamp,
            packet.ssrc,
            packet.payload,
            packet.marker,
        )
    second = packet.payload_type | 0x80 if packet.marker else packet.payload_type
    return _write_adorned(packet, second) + packet.payload


def write_plain(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    marker: bool,  # noqa: FBT001 - a field of the header
) -> bytes:
    """A packet without contributors and extension as a datagram, for who sends one each frame.

    Raises:
        struct.error: a field does not fit its width.
    """
    second = payload_type | 0x80 if marker else payload_type
    return _HEADER.pack(0x80, second, sequence, timestamp, ssrc) + payload


def _write_adorned(packet: RtpPacket, second: int) -> bytes:
    count = len(packet.csrcs)
    if count > 15:
        raise ValueError(f"{count} contributors do not fit into four bits")
    first = 0x80 | count | (0x10 if packet.extension is not None else 0)
    head = _HEADER.pack(first, second, packet.sequence, packet.timestamp, packet.ssrc)
    head += struct.pack(f"!{count}I", *packet.csrcs)
    if packet.extension is not None:
        profile, octets = packet.extension
        if len(octets) % 4:
            raise ValueError(f"an extension of {len(octets)} octets is not whole words")
        head += _EXTENSION.pack(profile, len(octets) // 4) + octets
    return head
