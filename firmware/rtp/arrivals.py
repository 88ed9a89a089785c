"""What has come of one source: its packets in order, and the schedule that they tell.

It is a schedule in the sense of RFC 3550 §6.4.1's transit time: the fastest packet of the last
seconds says where the sender's clock stands.

When the far end goes on with a codec of another clock, its timestamps begin a line of their own.
The packets' numbers join the two (or the arrival, if it paused): what waits is counted in the new
clock, and the schedule goes on. So the old codec is heard to its end, and nothing in between.

Not here: when which packet is played, for which `jitter` goes on where this ends. No source is
judged: what must not be heard must not be put in.
"""

from bisect import insort
from collections import deque
from typing import TYPE_CHECKING

from firmware.rtp.delay import AdaptiveDelay, DelayPolicy
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Entry as _Entry
from firmware.rtp.playout import Put
from firmware.rtp.quality import LossPattern

if TYPE_CHECKING:
    from firmware.rtp.clock_change import ClockChange

_FLOOR_WINDOW = 5.0
"""Seconds after which a fastest packet is forgotten: follows ±1000 ppm within 5 ms."""
_REJECTED_IN_A_ROW = 4
"""So many packets too late one after another mean that the schedule is wrong, not the packets."""
_JUMP_SECONDS = 1.0
_JUMP_PACKETS = 1000

_QUEUED = Put.QUEUED


class Arrivals:
    """One source's packets, ordered; sequence and timestamp are counted on past their wraps.

    Counters since the beginning: `lost` (never came in time and never after), `late` (came, but too
    late), `duplicate`, `cut` (packets left out to shorten the delay), `restarts`.
    """

    __slots__ = (
        "_capacity",
        "_clock",
        "_expected_before",
        "_first_sequence",
        "_floor",
        "_floor_before",
        "_floor_now",
        "_floor_until",
        "_frame",
        "_newest_sequence",
        "_newest_ticks",
        "_newest_timestamp",
        "_next_sequence",
        "_next_timestamp",
        "_played",
        "_rejected_run",
        "_ssrc",
        "_started",
        "_store",
        "_ticks",
        "cut",
        "duplicate",
        "late",
        "lost",
        "pattern",
        "policy",
        "restarts",
    )

    _floor: float
    _floor_now: float
    _floor_before: float
    _floor_until: float
    _newest_sequence: int
    _newest_ticks: int
    _newest_timestamp: int
    _next_timestamp: int
    _ticks: int
    _ssrc: int | None

    def __init__(
        self, clock: int, frame_ticks: int, policy: DelayPolicy | None, capacity: int
    ) -> None:
        """See `JitterBuffer`."""
        self.policy: DelayPolicy = AdaptiveDelay() if policy is None else policy
        self._capacity = capacity
        self._store: list[_Entry] = []
        self._played: deque[tuple[int, int]] = deque(maxlen=64)
        self.lost = self.late = self.duplicate = self.cut = self.restarts = 0
        self.pattern = LossPattern()
        self._expected_before = 0
        self._first_sequence = self._next_sequence = 0
        self.run_at(clock, frame_ticks)
        self._begin(0, 0, 0.0)

    def run_at(self, clock: int, frame_ticks: int) -> None:
        """Another codec on another clock comes next: a new schedule; the counters go on."""
        self._count_in(clock, frame_ticks)
        self._ssrc = None

    def _count_in(self, clock: int, frame_ticks: int) -> None:
        self._clock = clock
        self._frame = frame_ticks

    def __len__(self) -> int:
        """Packets that wait."""
        return len(self._store)

    @property
    def clock(self) -> int:
        """Ticks a second."""
        return self._clock

    @property
    def transit(self) -> float:
        """The transit time of the fastest packet of late, in seconds of any origin."""
        return self._floor

    @property
    def expected(self) -> int:
        """Packets whose time has come since the beginning, heard or not."""
        return self._expected_before + self._next_sequence - self._first_sequence

    def put(self, packet: RtpPacket, arrival: float, ticks: int = 0) -> Put:
        """Take a packet that came at `arrival`; it lasts `ticks` (0: one frame)."""
        return self._take(packet, arrival, ticks or self._frame, packet)

    def change_clock(self, packet: RtpPacket, arrival: float, clock: int) -> "ClockChange | None":
        """`packet`, which is to be put in next, counts in another clock, and so do all after it.

        None: nothing joins it to what was before.
        """
        ahead = self.ahead(packet)
        if packet.ssrc != self._ssrc or not 0 < ahead <= _JUMP_PACKETS:
            self.run_at(clock, clock // 50)
            return None
        old, end = self._clock, self._newest_timestamp + ahead * self._newest_ticks
        lateness = arrival - end / old - self._floor
        slack = self._frame / old
        if not -slack <= lateness <= self.policy.target + slack:
            # It paused in between, and its timestamps do not say how long.
            end = max(end, round((arrival - self._floor) * old))
        from firmware.rtp.clock_change import ClockChange  # noqa: PLC0415 - not for G.711 alone

        change = ClockChange(old, clock, end, packet.timestamp, packet.ssrc, packet.sequence)
        self._move(change)
        self._count_in(clock, clock // 50)
        return change

    def ahead(self, packet: RtpPacket) -> int:
        """How many numbers a packet is ahead of the newest one; negative: behind."""
        return ((packet.sequence - self._newest_sequence + 0x8000) & 0xFFFF) - 0x8000

    def _move(self, change: "ClockChange") -> None:
        """Count what is under way in the new clock."""
        moved, lasting = change.moved, change.lasting
        self._store = [
            _Entry(each.sequence, moved(each.timestamp), lasting(each.ticks), each.packet)
            for each in self._store
        ]
        self._played = deque(((number, moved(at)) for number, at in self._played), maxlen=64)
        self._newest_timestamp = moved(self._newest_timestamp)
        self._next_timestamp = moved(self._next_timestamp)
        self._newest_ticks, self._ticks = lasting(self._newest_ticks), lasting(self._ticks)
        self._floor += change.shift
        self._floor_now += change.shift
        self._floor_before += change.shift

    def note(self, packet: RtpPacket, arrival: float) -> None:
        """A packet of this source that is not played: its number is not a loss."""
        if packet.ssrc == self._ssrc:
            self._take(packet, arrival, 0, None)

    def _take(
        self, packet: RtpPacket, arrival: float, ticks: int, playable: RtpPacket | None
    ) -> Put:
        if packet.ssrc != self._ssrc or (
            self._rejected_run >= _REJECTED_IN_A_ROW and playable is not None
        ):
            return self._restart(packet, arrival, ticks, playable)
        ahead = ((packet.sequence - self._newest_sequence + 0x8000) & 0xFFFF) - 0x8000
        sequence = self._newest_sequence + ahead
        timestamp = (
            self._newest_timestamp
            + ((packet.timestamp - self._newest_timestamp + 0x80000000) & 0xFFFFFFFF)
            - 0x80000000
        )
        if playable is not None:
            lateness = arrival - timestamp / self._clock - self._floor
            if abs(ahead) > _JUMP_PACKETS or abs(lateness) > _JUMP_SECONDS:
                return self._jump(packet, arrival, ticks, ahead)
            self._follow(arrival, lateness)
        if ahead > 0:
            self._newest_sequence = sequence
            self._newest_timestamp = timestamp
            self._newest_ticks = ticks
            self._store.append(_Entry(sequence, timestamp, ticks, playable))
            if len(self._store) > self._capacity:
                self._overflow()
            return _QUEUED
        return self._take_old(_Entry(sequence, timestamp, ticks, playable))

    def _take_old(self, entry: _Entry) -> Put:
        """A packet that is not the newest: out of order, doubled or too late."""
        waiting = any(other.sequence == entry.sequence for other in self._store)
        # The same number at another time is no double: the far end counts anew.
        if waiting or entry[:2] in self._played:
            self.duplicate += 1
            return Put.DUPLICATE
        if self._started and entry.sequence < self._next_sequence:
            self.late += 1
            self.lost = max(0, self.lost - 1)
            self._rejected_run += 1
            return Put.LATE
        insort(self._store, entry)
        return Put.QUEUED

    def _follow(self, arrival: float, lateness: float) -> None:
        """Keep the fastest transit of the last windows, and tell the policy of this one."""
        transit = self._floor + lateness
        if arrival >= self._floor_until:
            self._floor_before, self._floor_now = self._floor_now, transit
            self._floor_until = arrival + _FLOOR_WINDOW
            self._floor = min(self._floor_before, transit)
        elif transit < self._floor_now:
            self._floor_now = transit
            self._floor = min(self._floor, transit)
        self.policy.observe(lateness if lateness > 0 else 0.0)

    def _jump(self, packet: RtpPacket, arrival: float, ticks: int, ahead: int) -> Put:
        """A packet far from the schedule: a new beginning, or a straggler from long ago."""
        if -_JUMP_PACKETS <= ahead <= 0:
            self._rejected_run += 1
            self.late += 1
            return Put.LATE
        return self._restart(packet, arrival, ticks, packet)

    def _restart(
        self, packet: RtpPacket, arrival: float, ticks: int, playable: RtpPacket | None
    ) -> Put:
        if self._ssrc is not None:
            self.restarts += 1
        self._ssrc = packet.ssrc
        self.policy.restart()
        self._store.clear()
        self._played.clear()
        self._begin(packet.sequence, packet.timestamp, arrival)
        self._newest_ticks = ticks
        self._store.append(_Entry(packet.sequence, packet.timestamp, ticks, playable))
        return Put.RESTARTED

    def _begin(self, sequence: int, timestamp: int, arrival: float) -> None:
        transit = arrival - timestamp / self._clock
        self._floor = self._floor_now = self._floor_before = transit
        self._floor_until = arrival + _FLOOR_WINDOW
        self._newest_sequence = sequence
        self._newest_timestamp = timestamp
        self._newest_ticks = self._frame
        self._expected_before = self.expected
        self._first_sequence = self._next_sequence = sequence
        self.pattern.restart()
        self._next_timestamp = timestamp
        self._ticks = self._frame
        self._started = False
        self._rejected_run = 0

    def _overflow(self) -> None:
        entry = self._store.pop(0)
        self._next_sequence = entry.sequence + 1
        self._next_timestamp = entry.timestamp + entry.ticks
        self.cut += 1
