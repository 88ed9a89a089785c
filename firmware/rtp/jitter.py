"""The jitter buffer: packets in as they come, packets out in order and in time.

It is driven by demand: whoever plays asks `get(now)` each time it runs out of sound, and is told
what fills the next stretch. The fastest packet of the last seconds says where the sender's clock
stands, a `DelayPolicy` says how far behind it we play. From both follows where playing should be;
the difference to where it is decides between play, conceal, hurry and wait. So an adaptive policy
only has to move one number.

What came, in what order, and the sender's clock: `arrivals`, which this goes on from. It does not
decode, and knows no codec: the caller says how many ticks a packet lasts.
"""

import math

from firmware.rtp.arrivals import Arrivals
from firmware.rtp.delay import DelayPolicy
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Entry as _Entry
from firmware.rtp.playout import Lengthen, Missing, Playout, Shorten, Surplus

_CONCEALED_IN_A_ROW = 6
"""So many frames are invented at the end of what has come; then the talker is taken to pause."""
_SMOOTHING = 1 / 16
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


class JitterBuffer(Arrivals):
    """One source's packets, and when each is played.

    Counters besides those of what arrives: `concealed` (stretches invented). `delay_ms` is the
    smoothed time from the fastest arrival to playing.
    """

    __slots__ = (
        "_behind",
        "_concealed_run",
        "_early",
        "_guard",
        "_held",
        "_hurry",
        "_loss",
        "_moved_at",
        "_ms_per_tick",
        "_playing",
        "_stale",
        "concealed",
        "delay_ms",
    )

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
        self.concealed = 0
        self.delay_ms = 0.0
        self._moved_at = float("-inf")
        self._held = self._guard = 0
        self._loss = 0.0
        super().__init__(clock, frame_ticks, policy, capacity)

    def _count_in(self, clock: int, frame_ticks: int) -> None:
        super()._count_in(clock, frame_ticks)
        self._ms_per_tick = 1000 / clock
        # Packets are taken in whole frames, so playing is up to one frame behind the schedule. It
        # is hurried when a whole one has gathered, and held back before what the policy has in
        # reserve is used up: a packet that comes too late is worse than a stretched one.
        self._hurry = frame_ticks * 1.0
        self._behind = frame_ticks * -0.05
        self._stale = frame_ticks * 1.5
        self._early = frame_ticks * -0.2
        self._guard = frame_ticks if self._guard else 0

    def _begin(self, sequence: int, timestamp: int, arrival: float) -> None:
        super()._begin(sequence, timestamp, arrival)
        self._playing = False
        self._concealed_run = 0

    @property
    def target_ms(self) -> float:
        """The delay the policy asks for, and a frame more while packets are lost."""
        return self.policy.target * 1000 + self._guard * self._ms_per_tick

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
