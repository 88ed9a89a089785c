"""An RTP session of one stream: what we send, whom we hear, what both sides report.

The SSRC, the first sequence number and the first timestamp come in as values; so do monotonic time
and NTP time. It does not open, read or write a socket.
"""

import math

from msgspec import Struct, structs

from firmware.rtp.collision import Collisions
from firmware.rtp.latch import Address
from firmware.rtp.packet import RtpPacket, write_plain
from firmware.rtp.rtcp import (
    ExtendedReport,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    parse_rtcp,
    write_rtcp,
)
from firmware.rtp.sequence import SourceState, SourceVerdict
from firmware.rtp.telephone_event import EventPacket
from firmware.rtp.xr import VoipMetrics

_REPORT_INTERVAL = 5.0  # RFC 3550 §6.2: what two parties come to whatever the bandwidth
_COMPENSATION = 1.21828  # e - 3/2, RFC 3550 §6.3.1
_TAKE_OVER = 0.06
"""A new SSRC is believed when the old one has been silent for three packets."""

_STRAGGLING = 0.05
"""Seconds for which packets of a source may come after its good-bye."""

_IMPLAUSIBLE = SourceVerdict.IMPLAUSIBLE
_RECENT, _RECENT_TICKS = 512, 1 << 20
"""Packets, and ticks of their timestamps, after which nothing of ours comes back any more."""
_NOWHERE: Address = ("", 0)


class RtpSender:
    """Our SSRC: numbers packets and counts them; `timestamp` is that of the next frame."""

    __slots__ = ("before", "octets", "packets", "sequence", "ssrc", "timestamp", "untold")

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        """Begin with random values (RFC 3550 §5.1)."""
        self.ssrc = ssrc
        self.sequence = self.untold = sequence & 0xFFFF
        self.timestamp = timestamp & 0xFFFFFFFF
        self.packets = 0
        self.octets = 0
        self.before = (0, 0)
        """How many of the packets and octets were sent under other SSRCs."""

    def packet(
        self, payload: bytes, payload_type: int, ticks: int, *, marker: bool = False
    ) -> bytes:
        """A frame of speech that lasts `ticks` as a datagram."""
        data = self._write(payload, payload_type, self.timestamp, marker)
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF
        return data

    def event(self, event: EventPacket, payload_type: int, ticks: int) -> bytes:
        """A telephone-event instead of the frame of `ticks` (RFC 4733 §2.5.1.2)."""
        data = self._write(event.payload, payload_type, event.timestamp, event.marker)
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF
        return data

    def empty(self, payload_type: int) -> bytes:
        """A packet that says nothing and takes no time; it is numbered but not counted."""
        data = write_plain(payload_type, self.sequence, self.timestamp, self.ssrc, b"", False)  # noqa: FBT003 - a field
        self.sequence = (self.sequence + 1) & 0xFFFF
        return data

    def restart(self, ssrc: int, sequence: int) -> None:
        """Go on under another SSRC; the line of time goes on, and with it a digit that sounds.

        So must who lost count of what a key has sealed, and who shares an SSRC with another.
        """
        self.ssrc = ssrc
        self.sequence = self.untold = sequence & 0xFFFF
        self.before = (self.packets, self.octets)

    @property
    def silent(self) -> bool:
        """Whether nothing was sent under this SSRC yet."""
        return self.packets == self.before[0] and self.sequence == self.untold

    def has_sent(self, sequence: int, timestamp: int) -> bool:
        """Whether a packet under our SSRC is one that we sent of late.

        Who has the same SSRC by chance began at a number and a time of its own: that both are
        right happens once in some hundred thousand times.
        """
        behind = (self.sequence - 1 - sequence) & 0xFFFF
        age = (self.timestamp - timestamp) & 0xFFFFFFFF
        return not self.silent and behind < _RECENT and age < _RECENT_TICKS

    def skip(self, ticks: int) -> None:
        """Time passes and nothing is sent; the next packet should carry the marker."""
        self.timestamp = (self.timestamp + ticks) & 0xFFFFFFFF

    def _write(self, payload: bytes, payload_type: int, timestamp: int, marker: bool) -> bytes:  # noqa: FBT001 - one caller in this class, per packet
        data = write_plain(payload_type, self.sequence, timestamp, self.ssrc, payload, marker)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return data


class RtpReceiver:
    """The source that is heard. Of several SSRCs the first one holds until it falls silent.

    `foreign` counts packets of payload types nobody negotiated, `strange` those of an SSRC or a
    sequence that is not believed.
    """

    __slots__ = (
        "_candidate",
        "_clock",
        "_last",
        "_left_at",
        "_payload_types",
        "foreign",
        "source",
        "ssrc",
        "strange",
    )

    def __init__(self, payload_types: frozenset[int], clock: int = 8000) -> None:
        self._payload_types = payload_types
        self._clock = clock
        self._candidate: tuple[int, SourceState] | None = None
        self._last = 0.0
        self._left_at = -math.inf
        self.ssrc: int | None = None
        self.source: SourceState | None = None
        self.foreign = 0
        self.strange = 0

    def configure(self, payload_types: frozenset[int], clock: int) -> None:
        """New formats after an offer/answer; the source stays."""
        self._payload_types = payload_types
        self._clock = clock
        if self.source is not None:
            self.source.run_at(clock)

    def negotiated(self, packet: RtpPacket) -> bool:
        """Whether the payload type is one of ours; counts it if not."""
        if packet.payload_type in self._payload_types:
            return True
        self.foreign += 1
        return False

    def receive(self, packet: RtpPacket, arrival: float) -> bool:
        """Whether to play a packet (of a negotiated type, from an admitted address)."""
        source = self.source
        if source is None:
            source = self._adopt(packet.ssrc, SourceState(packet.sequence, self._clock, 0))
        elif packet.ssrc != self.ssrc:
            taken = self._other(packet, arrival)
            if taken is None:
                self.strange += 1
                return False
            source = taken
        self._last = arrival
        verdict = source.update(packet.sequence, packet.timestamp, arrival)
        if verdict is _IMPLAUSIBLE:
            self.strange += 1
            return False
        return True

    def release(self, now: float) -> None:
        """The source has said good-bye (RFC 3550 §8.2): the next one need not wait.

        Unless it goes on all the same.
        """
        self._left_at = now

    def _adopt(self, ssrc: int, source: SourceState) -> SourceState:
        self.ssrc = ssrc
        self.source = source
        self._candidate = None
        self._left_at = -math.inf
        return source

    def _other(self, packet: RtpPacket, arrival: float) -> SourceState | None:
        """The state of a new SSRC that has earned its place, else None."""
        if self._last < self._left_at + _STRAGGLING:
            return self._adopt(packet.ssrc, SourceState(packet.sequence, self._clock, 0))
        candidate = self._candidate
        if candidate is None or candidate[0] != packet.ssrc:
            candidate = (packet.ssrc, SourceState(packet.sequence, self._clock))
            self._candidate = candidate
        state = candidate[1]
        if arrival - self._last < _TAKE_OVER:
            return None
        if state.update(packet.sequence, packet.timestamp, arrival) is SourceVerdict.PROBATION:
            return None
        return self._adopt(packet.ssrc, SourceState(packet.sequence, self._clock, 0))


class RemoteView(Struct, frozen=True):
    """What the far end's reports say of us; `round_trip_ms` is 0 until it is known.

    `mos` is its opinion of a conversation with us (RFC 3611 §4.7.5), None if it has none.
    """

    lost: int = 0
    fraction_lost: float = 0.0
    jitter_ms: float = 0.0
    round_trip_ms: float = 0.0
    mos: float | None = None


class RtcpSession:
    """Reports both ways (RFC 3550 §6): call `report` when `next_report` has passed."""

    __slots__ = (
        "_clock",
        "_cname",
        "_ended",
        "_last_sr",
        "_last_sr_at",
        "_named",
        "_packets_before",
        "_receiver",
        "_sender",
        "_sent_timestamp",
        "clash",
        "collisions",
        "next_report",
        "remote",
        "reported",
        "seen",
    )

    def __init__(
        self, sender: RtpSender, receiver: RtpReceiver, cname: str, clock: int, now: float
    ) -> None:
        """Begin; `cname` must not tell who we are (RFC 7022): a random word."""
        self._sender = sender
        self._receiver = receiver
        self._cname = cname
        self._clock = clock
        self._packets_before = 0
        self._sent_timestamp = (sender.timestamp, now)
        self._last_sr = 0
        self._last_sr_at = now
        self.remote = RemoteView()
        self.reported = 0
        """How often the far end has reported."""
        self.seen: int | None = None
        """The highest number of ours its last report knows, None if it does not speak of us."""
        self._ended: int | None = None
        self._named: int | None = None
        self.collisions = Collisions()
        self.clash = False
        """Whether another source has our SSRC: `leave` it."""
        self.next_report = now + _REPORT_INTERVAL / 2  # RFC 3550 §6.2: the first one sooner

    @property
    def ended_by_them(self) -> bool:
        """Whether the source that is heard has said good-bye."""
        return self._ended is not None and self._ended == self._receiver.ssrc

    def configure(self, clock: int) -> None:
        """Another RTP clock after an offer/answer."""
        self._clock = clock

    def note_sent(self, now: float) -> None:
        """A frame went out at `now`: ties the RTP clock to ours; call after `RtpSender.packet`."""
        self._sent_timestamp = (self._sender.timestamp, now)

    def report(
        self, now: float, ntp: int, fraction: float, metrics: VoipMetrics | None = None
    ) -> bytes:
        """The compound packet that is due.

        `ntp` is the 64-bit NTP time of `now`; `fraction` from 0 to 1 spreads the next interval;
        `metrics` are added as an extended report (RFC 3611 §2).
        """
        self.next_report = now + _REPORT_INTERVAL * (0.5 + fraction) / _COMPENSATION
        packets: tuple[RtcpPacket, ...] = (self._own_report(now, ntp), self._name())
        self._named = self._sender.ssrc
        if metrics is not None:
            packets += (ExtendedReport(self._sender.ssrc, (metrics,)),)
        return write_rtcp(packets)

    def goodbye(self, now: float, ntp: int) -> bytes:
        """The compound packet that ends the stream."""
        packets = (self._own_report(now, ntp), self._name(), Goodbye((self._sender.ssrc,)))
        return write_rtcp(packets)

    def met(self, packet: RtpPacket, source: Address, now: float) -> None:
        """A packet under our own SSRC came from a place that may be heard (RFC 3550 §8.2)."""
        if self._sender.has_sent(packet.sequence, packet.timestamp):
            self.collisions.looped += 1
        elif self.collisions.is_new(source, now):
            self.clash = True

    def leave(self, ssrc: int, sequence: int, now: float, ntp: int) -> bytes:
        """Go on under another SSRC.

        Returns the good-bye of the old one (RFC 3550 §8.2); empty if nobody has heard of that yet
        (RFC 3550 §6.3.7, RFC 3550 §8.1).
        """
        sender = self._sender
        known = not sender.silent or self._named == sender.ssrc
        farewell = self.goodbye(now, ntp) if known else b""
        sender.restart(ssrc, sequence)
        self._packets_before = sender.packets
        self.clash = False
        return farewell

    def receive(
        self, data: bytes, now: float, ntp: int, source: Address = _NOWHERE
    ) -> tuple[RtcpPacket, ...]:
        """Take a datagram; what is no RTCP changes nothing and gives no packets."""
        packets = parse_rtcp(data) or ()
        if any(map(self._is_ours, packets)):
            self._met_report(packets, source, now)
            packets = tuple(each for each in packets if not self._is_ours(each))
        self._begins_with_report(packets)
        for packet in packets:
            self._take(packet, now, ntp)
        return packets

    def _take(self, packet: RtcpPacket, now: float, ntp: int) -> None:
        match packet:
            case SenderReport():
                if packet.ssrc == self._receiver.ssrc:
                    self._last_sr = packet.ntp >> 16 & 0xFFFFFFFF
                    self._last_sr_at = now
                self._blocks(packet.blocks, ntp)
            case ReceiverReport():
                self._blocks(packet.blocks, ntp)
            case Goodbye():
                if self._receiver.ssrc in packet.ssrcs:
                    self._ended = self._receiver.ssrc
                    self._receiver.release(now)
            case ExtendedReport():
                self._opinions(packet)
            case SourceDescription():
                pass

    def _is_ours(self, packet: RtcpPacket) -> bool:
        """Whether somebody says this under our SSRC."""
        own = self._sender.ssrc
        return own in packet.ssrcs if isinstance(packet, Goodbye) else own == packet.ssrc

    def _met_report(self, packets: tuple[RtcpPacket, ...], source: Address, now: float) -> None:
        """A report under our own SSRC: only another name shows another source (RFC 3550 §8.2)."""
        names = {
            each.cname
            for each in packets
            if isinstance(each, SourceDescription) and each.ssrc == self._sender.ssrc
        }
        if not names - {self._cname}:
            self.collisions.looped += 1
        elif self.collisions.is_new(source, now, control=True):
            self.clash = True

    def _begins_with_report(self, packets: tuple[RtcpPacket, ...]) -> None:
        """RFC 3550 §6.1: every compound packet does, whatever follows."""
        if packets and isinstance(packets[0], SenderReport | ReceiverReport):
            blocks = packets[0].blocks
            # One that speaks of others only may have passed somebody who gave us another SSRC.
            self.reported += not blocks or any(x.ssrc == self._sender.ssrc for x in blocks)
            self.seen = None

    def _own_report(self, now: float, ntp: int) -> SenderReport | ReceiverReport:
        sender = self._sender
        blocks = self._own_block(now)
        if sender.packets == self._packets_before:
            return ReceiverReport(sender.ssrc, blocks)
        self._packets_before = sender.packets
        timestamp, at = self._sent_timestamp
        reported = (timestamp + round((now - at) * self._clock)) & 0xFFFFFFFF
        return SenderReport(
            sender.ssrc,
            ntp & 0xFFFFFFFFFFFFFFFF,
            reported,
            # RFC 3550 §6.4.1: what was sent under this SSRC.
            sender.packets - sender.before[0] & 0xFFFFFFFF,
            sender.octets - sender.before[1] & 0xFFFFFFFF,
            blocks,
        )

    def _own_block(self, now: float) -> tuple[ReportBlock, ...]:
        source = self._receiver.source
        if source is None or self._receiver.ssrc is None or not source.received:
            return ()
        return (
            ReportBlock(
                self._receiver.ssrc,
                source.take_fraction_lost(),
                source.lost,
                source.extended_highest,
                int(source.jitter_ticks),
                self._last_sr,
                round((now - self._last_sr_at) * 65536) if self._last_sr else 0,
            ),
        )

    def _opinions(self, report: ExtendedReport) -> None:
        for metrics in report.metrics:
            if metrics.ssrc == self._sender.ssrc and metrics.conversation is not None:
                self.remote = structs.replace(self.remote, mos=metrics.conversation)

    def _name(self) -> SourceDescription:
        return SourceDescription(self._sender.ssrc, self._cname)

    def _blocks(self, blocks: tuple[ReportBlock, ...], ntp: int) -> None:
        for block in blocks:
            if block.ssrc != self._sender.ssrc:
                continue
            self.seen = block.highest
            round_trip = self.remote.round_trip_ms
            if block.last_sr:
                # RFC 3550 §6.4.1: arrival - delay since the last report - that report's time.
                units = ((ntp >> 16) - block.delay - block.last_sr) & 0xFFFFFFFF
                if units < 60 * 65536:  # more is a wrap or nonsense
                    round_trip = units * 1000 / 65536
            self.remote = RemoteView(
                block.lost,
                block.fraction_lost / 256,
                block.jitter * 1000 / self._clock,
                round_trip,
                self.remote.mos,
            )
