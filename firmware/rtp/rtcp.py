"""RTCP: reports, names and good-byes as values and as octets (RFC 3550 §6).

The reader takes compound and reduced-size packets (RFC 5506), skips what it does not know, and
never raises: None is what contradicts itself. Nothing here counts or keeps time.
"""

import struct
from typing import TypeAlias

import msgspec

from firmware.rtp.xr import EXTENDED_REPORT, VoipMetrics, read_blocks, write_metrics

_SENDER_REPORT = 200
_RECEIVER_REPORT = 201
_SOURCE_DESCRIPTION = 202
_GOODBYE = 203
_CNAME = 1
_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!QIII")
_BLOCK = struct.Struct("!IIIIII")
_WORD = struct.Struct("!I")
_TEXT_LIMIT = 255
_LEAST = {
    _SENDER_REPORT: (24, 24),
    _RECEIVER_REPORT: (4, 24),
    _GOODBYE: (0, 4),
    EXTENDED_REPORT: (4, 0),
}
"""Octets that a packet has at least, and more for each item it counts."""


class ReportBlock(msgspec.Struct, frozen=True, gc=False):
    """What someone received of `ssrc`; `last_sr` and `delay` are in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_sr: int
    delay: int


class SenderReport(msgspec.Struct, frozen=True):
    """RFC 3550 §6.4.1; `ntp` is the 64-bit NTP time that belongs to `timestamp`."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


class ReceiverReport(msgspec.Struct, frozen=True):
    """RFC 3550 §6.4.2."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


class SourceDescription(msgspec.Struct, frozen=True):
    """RFC 3550 §6.5: the canonical name of a source."""

    ssrc: int
    cname: str


class Goodbye(msgspec.Struct, frozen=True):
    """RFC 3550 §6.6."""

    ssrcs: tuple[int, ...]
    reason: str = ""


class ExtendedReport(msgspec.Struct, frozen=True):
    """RFC 3611 §2: what `ssrc` tells of those it hears; only the VoIP metrics are read."""

    ssrc: int
    metrics: tuple[VoipMetrics, ...] = ()


RtcpPacket: TypeAlias = SenderReport | ReceiverReport | SourceDescription | Goodbye | ExtendedReport


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram on a shared port is RTCP (RFC 5761 §4)."""
    return len(data) >= 8 and data[0] >> 6 == 2 and 192 <= data[1] <= 223


def ntp_of(now: float) -> int:
    """A moment as 64-bit NTP time; RFC 3550 §6.4.1 allows a clock that starts anywhere."""
    return int(now * 4294967296.0)


def parse_rtcp(data: bytes) -> tuple[RtcpPacket, ...] | None:
    """The packets of a datagram that we know, in their order; None if it is no RTCP."""
    packets: list[RtcpPacket] = []
    position = 0
    if not is_rtcp(data):
        return None
    while position < len(data):
        if position + 4 > len(data):
            return None
        first, kind, words = _HEADER.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            return None
        body = data[position + 4 : end]
        if first & 0x20:
            # Padding may stand in the last packet only (RFC 3550 §6.4.1).
            if end != len(data) or not body or not 0 < body[-1] <= len(body):
                return None
            body = body[: -body[-1]]
        if not _read(kind, first & 0x1F, body, packets):
            return None
        position = end
    return tuple(packets)


def write_rtcp(packets: tuple[RtcpPacket, ...]) -> bytes:
    """A compound packet; it should begin with a report (RFC 3550 §6.1)."""
    return b"".join(_write(packet) for packet in packets)


def _read(kind: int, count: int, body: bytes, into: list[RtcpPacket]) -> bool:
    """Read one packet; False if it is shorter than it says."""
    fixed, each = _LEAST.get(kind, (0, 0))
    if len(body) < fixed + each * count:
        return False
    match kind:
        case 200:
            (ssrc,) = _WORD.unpack_from(body)
            ntp, timestamp, packets, octets = _SENDER.unpack_from(body, 4)
            blocks = _read_blocks(body, 24, count)
            into.append(SenderReport(ssrc, ntp, timestamp, packets, octets, blocks))
        case 201:
            (ssrc,) = _WORD.unpack_from(body)
            into.append(ReceiverReport(ssrc, _read_blocks(body, 4, count)))
        case 202:
            _read_descriptions(body, count, into)
        case 203:
            into.append(_read_goodbye(body, count))
        case 207:
            (ssrc,) = _WORD.unpack_from(body)
            into.append(ExtendedReport(ssrc, read_blocks(body[4:])))
        case _:
            pass  # APP, feedback: somebody else's
    return True


def _read_blocks(body: bytes, start: int, count: int) -> tuple[ReportBlock, ...]:
    blocks: list[ReportBlock] = []
    for index in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, start + 24 * index)
        lost = loss & 0xFFFFFF
        if lost & 0x800000:
            lost -= 0x1000000
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_sr, delay))
    return tuple(blocks)


def _read_descriptions(body: bytes, count: int, into: list[RtcpPacket]) -> None:
    """Chunks up to the first that is cut off; items other than the name are skipped."""
    position = 0
    for _ in range(count):
        if position + 4 > len(body):
            return
        (ssrc,) = _WORD.unpack_from(body, position)
        position += 4
        while position + 1 < len(body) and body[position]:
            item, length = body[position], body[position + 1]
            text = body[position + 2 : position + 2 + length]
            position += 2 + length
            if item == _CNAME and len(text) == length:
                into.append(SourceDescription(ssrc, text.decode("utf-8", "replace")))
        # At least one null octet ends the list, then up to the next word.
        position += 4 - position % 4


def _read_goodbye(body: bytes, count: int) -> Goodbye:
    ssrcs = struct.unpack_from(f"!{count}I", body)
    rest = body[4 * count :]
    reason = rest[1 : 1 + rest[0]].decode("utf-8", "replace") if rest else ""
    return Goodbye(ssrcs, reason)


def _write(packet: RtcpPacket) -> bytes:
    match packet:
        case SenderReport():
            body = _WORD.pack(packet.ssrc) + _SENDER.pack(
                packet.ntp, packet.timestamp, packet.packets, packet.octets
            )
            return _frame(_SENDER_REPORT, len(packet.blocks), body + _blocks(packet.blocks))
        case ReceiverReport():
            body = _WORD.pack(packet.ssrc) + _blocks(packet.blocks)
            return _frame(_RECEIVER_REPORT, len(packet.blocks), body)
        case SourceDescription():
            text = packet.cname.encode()[:_TEXT_LIMIT]
            body = _WORD.pack(packet.ssrc) + bytes((_CNAME, len(text))) + text
            return _frame(_SOURCE_DESCRIPTION, 1, body + bytes(4 - len(body) % 4))
        case Goodbye():
            body = struct.pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
            if packet.reason:
                text = packet.reason.encode()[:_TEXT_LIMIT]
                body += bytes((len(text),)) + text
                body += bytes(-len(body) % 4)
            return _frame(_GOODBYE, len(packet.ssrcs), body)
        case ExtendedReport():
            body = _WORD.pack(packet.ssrc) + b"".join(map(write_metrics, packet.metrics))
            return _frame(EXTENDED_REPORT, 0, body)


def _frame(kind: int, count: int, body: bytes) -> bytes:
    if count > 31:
        raise ValueError(f"{count} items do not fit into five bits")
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | max(-0x800000, min(0x7FFFFF, block.lost)) & 0xFFFFFF,
            block.highest & 0xFFFFFFFF,
            min(block.jitter, 0xFFFFFFFF),
            block.last_sr,
            min(block.delay, 0xFFFFFFFF),
        )
        for block in blocks
    )
