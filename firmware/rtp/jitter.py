"""The jitter buffer: packets in as they come, packets out in order and in time.

It is driven by demand: whoever plays asks `get(now)` each time it runs out of sound, and is told
what fills the next stretch. It keeps a schedule in the sense of RFC 3550 §6.4.1's transit time: the
fastest packet of the last seconds says where the sender's clock stands, a `DelayPolicy` says how
far behind it we play. From both follows where playing should be; the difference to where it is
decides between play, conceal, hurry and wait. So an adaptive policy only has to move one number.

When the far end goes on with a codec of another clock, its timestamps begin a line of their own.
The packets' numbers join the two (or the arrival, if it paused): what waits is counted in the new
clock, and the schedule goes on. So the old codec is heard to its end, and nothing in between.

It does not decode, and knows no codec: the caller says how many ticks a packet lasts. It judges no
source: what must not be heard must not be put in.
"""

import math
from bisect import insort
from collections import deque
from typing import TYPE_CHECKING

from firmware.rtp.delay import AdaptiveDelay, DelayPolicy
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Entry as _Entry
from firmware.rtp.playout import Lengthen, Missing, Playout, Put, Shorten, Surplus
from firmware.rtp.quality import LossPattern

if TYPE_CHECKING:
    from firmware.rtp.clock_change import ClockChange

_FLOOR_WINDOW = 5.0
"""Seconds after which a fastest packet is forgotten: follows ±1000 ppm within 5 ms."""
_REJECTED_IN_A_ROW = 4
"""So many packets too late one after another mean that the schedule is wrong, not the packets."""
_CONCEALED_IN_A_ROW = 6
"""So many frames are invented at the end of what has come; then the talker is taken to pause."""
_SMOOTHING = 1 / 16
_JUMP_SECONDS = 1.0
_JUMP_PACKETS = 1000
_BETWEEN_MOVES = 0.16
"""Seconds between two whole frames put in for the delay's sake: each is a small blemish."""
FAR = 6
"""Frames off the schedule: then whole ones are put in or left out; less is stretched away."""
_SHORTEST_WASTE = 400
"""A second divided by the shortest sound that can be left out: less may be held for ever."""
_LOSS_SMOOTHING = 1 / 256
_LOSSY, _SOUND = 0.0035, 0.001
"""Shares of packets lost: from the one on it pays to wait for the packet after a gap, so that it
can be bridged from both sides or told by it; below the other it does not. One loss is enough, for
losses seldom come alone, and seven seconds without any are over it."""

_QUEUED = Put.QUEUED


class JitterBuffer:
    """One source's packets, ordered; sequence and timestamp are counted on past their wraps.

    Counters since the beginning: `lost` (never came in time and never after), `late` (came, but too
    late), `duplicate`, `concealed` (stretches invented), `cut` (packets left out to shorten the
    delay), `restarts`. `delay_ms` is the smoothed time from the fastest arrival to playing.
    """

    __slots__ = (
        "_behind",
        "_capacity",
        "_clock",
        "_concealed_run",
        "_early",
        "_expected_before",
        "_first_sequence",
        "_floor",
        "_floor_before",
        "_floor_now",
        "_floor_until",
        "_frame",
        "_guard",
        "_held",
        "_hurry",
        "_loss",
        "_moved_at",
        "_ms_per_tick",
        "_newest_sequence",
        "_newest_ticks",
        "_newest_timestamp",
        "_next_sequence",
        "_next_timestamp",
        "_played",
        "_playing",
        "_rejected_run",
        "_ssrc",
        "_stale",
        "_started",
        "_store",
        "_ticks",
        "concealed",
        "cut",
        "delay_ms",
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
        self,
        clock: int = 8000,
        frame_ticks: int = 160,
        policy: DelayPolicy | None = None,
        capacity: int = 100,
    ) -> None:
        """Start empty.

        `clock` is ticks a second, `frame_ticks` what the player takes at once (20 ms), `capacity`
        the packets kept before the oldest goes.
        """
        self.policy: DelayPolicy = AdaptiveDelay() if policy is None else policy
        self._capacity = capacity
        self._store: list[_Entry] = []
        self._played: deque[tuple[int, int]] = deque(maxlen=64)
        self.lost = self.late = self.duplicate = self.concealed = self.cut = self.restarts = 0
        self.delay_ms = 0.0
        self._moved_at = float("-inf")
        self._held = self._guard = 0
        self._loss = 0.0
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
        self._ms_per_tick = 1000 / clock
        self._frame = frame_ticks
        # Packets are taken in whole frames, so playing is up to one frame behind the schedule. It
        # is hurried when a whole one has gathered, and held back before what the policy has in
        # reserve is used up: a packet that comes too late is worse than a stretched one.
        self._hurry = frame_ticks * 1.0
        self._behind = frame_ticks * -0.05
        self._stale = frame_ticks * 1.5
        self._early = frame_ticks * -0.2
        self._guard = frame_ticks if self._guard else 0

    def __len__(self) -> int:
        """Packets that wait."""
        return len(self._store)

    @property
    def clock(self) -> int:
        """Ticks a second."""
        return self._clock

    @property
    def target_ms(self) -> float:
        """The delay the policy asks for, and a frame more while packets are lost."""
        return self.policy.target * 1000 + self._guard * self._ms_per_tick

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

    def get(self, now: float, held: int = 0) -> Playout:
        """What fills the next stretch of sound; the caller still holds `held` ticks to be played.

        Whether a packet comes in time depends on when it is asked for, so what is held only because
        sounds were stretched is delay without a use: it is shortened away, or lengthened into a
        whole frame.
        """
        self._held = held
        due = (now - self._floor - self.policy.target) * self._clock - self._guard
        if not self._playing and not self._resume(due):
            return None
        store = self._store
        while store:
            entry = store[0]
            packet = entry.packet
            if packet is None:
                self._pass(entry)
            elif entry.sequence > self._next_sequence:
                missing = self._hole(entry, due)
                if missing is not None:
                    return missing
            elif entry.timestamp < self._next_timestamp and due - entry.timestamp >= self._stale:
                self._reject(entry)
            else:
                return self._decide(entry, packet, due, now)
        return self._starve()

    # ---- arrival

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
        self._playing = False
        self._concealed_run = 0
        self._rejected_run = 0

    def _overflow(self) -> None:
        entry = self._store.pop(0)
        self._next_sequence = entry.sequence + 1
        self._next_timestamp = entry.timestamp + entry.ticks
        self.cut += 1

    # ---- playing

    def _resume(self, due: float) -> bool:
        """Whether to begin (again) now; what is older than the schedule is left behind."""
        store = self._store
        while store and store[0].packet is None:
            self._pass(store[0])  # it has no sound, so its timestamp keeps nobody waiting
        if not store or due < store[0].timestamp:
            return False
        while len(store) > 1 and due - store[0].timestamp >= self._stale:
            self._reject(store[0])
        first = store[0]
        if self._started:
            self._miss(first.sequence)
        else:
            self._first_sequence = first.sequence
        self._playing = self._started = True
        self._next_sequence = first.sequence
        self._next_timestamp = first.timestamp
        return True

    def _play(self, entry: _Entry, packet: RtpPacket, now: float) -> RtpPacket:
        del self._store[0]
        self._played.append(entry[:2])
        self._next_sequence = entry.sequence + 1
        self._next_timestamp = entry.timestamp + entry.ticks
        self._ticks = entry.ticks
        self._concealed_run = self._rejected_run = 0
        if self._loss:
            self._weigh(0.0)
        delay = (now - self._floor) * 1000 - (entry.timestamp - self._held) * self._ms_per_tick
        self.delay_ms += (delay - self.delay_ms) * _SMOOTHING
        return packet

    def _weigh(self, lost: float) -> None:
        """A packet was there (0) or not (1): is it worth a frame of delay to look past a gap?"""
        loss = self._loss = self._loss + (lost - self._loss) * _LOSS_SMOOTHING
        if loss > _LOSSY:
            self._guard = self._frame
        elif loss < _SOUND:
            self._guard = 0
            if loss < _SOUND / 100:
                self._loss = 0.0

    def _decide(self, entry: _Entry, packet: RtpPacket, due: float, now: float) -> Playout:
        """Play the next packet, unless it is not time, or the delay should change with it."""
        gap = entry.timestamp - self._next_timestamp
        surplus = due - entry.timestamp
        waste = self._waste() if self._held else 0
        if self._behind < surplus < self._hurry and not waste:
            return self._play(entry, packet, now)
        if gap > 0 and surplus <= self._early:
            return None  # the talker paused and the next words are not due
        if abs(surplus) > FAR * self._frame and gap == 0:
            return self._leap(entry, packet, surplus, now)
        self._play(entry, packet, now)
        if surplus >= self._hurry or (waste and surplus > self._behind):
            return Shorten(packet, waste, bool(waste) or surplus >= self._stale)
        if surplus <= self._behind:
            return Lengthen(packet, bool(waste) or surplus <= self._early)
        return packet

    def _waste(self) -> int:
        """What is held besides what packets longer or shorter than a frame leave over anyway."""
        waste = self._held % math.gcd(self._ticks, self._frame)
        return waste if waste * _SHORTEST_WASTE >= self._clock else 0

    def _leap(self, entry: _Entry, packet: RtpPacket, surplus: float, now: float) -> Playout:
        """So far from the schedule that whole frames are put in or left out."""
        if surplus > 0:
            self.cut += 1
            self._play(entry, packet, now)
            return Surplus(packet)
        if now - self._moved_at < _BETWEEN_MOVES:
            return self._play(entry, packet, now)
        self._moved_at = now
        self.concealed += 1
        return Missing(self._frame, None)

    def _hole(self, entry: _Entry, due: float) -> Missing | None:
        """Numbers are missing before `entry`; None: nothing to conceal, look again."""
        gap = entry.timestamp - self._next_timestamp
        if gap <= 0:
            self._miss(entry.sequence)  # their time was filled while nothing had come
            return None
        surplus = due - self._next_timestamp
        if surplus <= self._early and not self._concealed_run:
            self._concealed_run = 1  # it may still come: wait for it behind one invented frame
            self.concealed += 1
            return Missing(self._frame, None)
        ticks = min(gap, self._ticks)
        self._weigh(1.0)
        self._miss(self._next_sequence + 1)
        self._next_timestamp += ticks
        if surplus >= self._hurry:
            return None  # too much delay anyway: what is lost need not be played
        self._concealed_run = 1
        self.concealed += 1
        follows = entry.timestamp == self._next_timestamp
        return Missing(ticks, entry.packet if follows else None)

    def _starve(self) -> Missing | None:
        """Nothing is there: invent some frames, then call it a pause."""
        if self._concealed_run >= _CONCEALED_IN_A_ROW:
            self._playing = False
            return None
        self._concealed_run += 1
        self.concealed += 1
        self._next_timestamp += self._frame
        return Missing(self._frame, None)

    def _pass(self, entry: _Entry) -> None:
        """Step over a number that has no sound: after it comes a pause, not a loss."""
        del self._store[0]
        self._miss(entry.sequence)
        self._next_sequence = max(self._next_sequence, entry.sequence + 1)
        self._concealed_run = _CONCEALED_IN_A_ROW

    def _reject(self, entry: _Entry) -> None:
        """Drop a packet whose time has been filled already."""
        del self._store[0]
        self._miss(entry.sequence)
        self.pattern.miss(entry.sequence)
        self._next_sequence = entry.sequence + 1
        self._played.append(entry[:2])
        self._rejected_run += 1
        self.late += 1

    def _miss(self, until: int) -> None:
        """The numbers before `until` that were due are missed."""
        count = until - self._next_sequence
        if count > 0:
            self.lost += count
            self.pattern.miss(self._next_sequence, count)
            self._next_sequence = until
