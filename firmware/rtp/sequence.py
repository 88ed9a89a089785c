"""What a receiver knows of one source: the extended sequence number, losses, jitter.

The rules are RFC 3550 §A.1, §A.3 and §A.8. A source is on probation until packets follow one
another; then a jump of the number is believed only when it is repeated.
"""

import enum

_SEQUENCE_WRAP = 1 << 16
_MAX_DROPOUT = 3000
_MAX_MISORDER = 100


class SourceVerdict(enum.Enum):
    """What a packet's number says about its source."""

    PROBATION = "probation"
    VALID = "valid"
    IMPLAUSIBLE = "implausible"
    RESTARTED = "restarted"


# Once a packet: finding a member in its enum costs more than the arithmetic.
_VALID, _RESTARTED = SourceVerdict.VALID, SourceVerdict.RESTARTED


class SourceState:
    """Counts of one SSRC; `probation` packets in a row make it valid (0: at once)."""

    __slots__ = (
        "_base",
        "_clock",
        "_cycles",
        "_expected_before",
        "_highest",
        "_probation",
        "_received_before",
        "_suspect",
        "_transit",
        "_wanted",
        "jitter_ticks",
        "received",
    )

    received: int
    jitter_ticks: float
    _base: int
    _highest: int
    _cycles: int
    _suspect: int | None
    _expected_before: int
    _received_before: int
    _transit: float | None

    def __init__(self, sequence: int, clock: int, probation: int = 2) -> None:
        """Begin with the source's first packet, which is still to be handed to `update`."""
        self._clock = clock
        self._wanted = probation
        self._probation = probation
        self._reset(sequence)
        if probation:
            self._highest = (sequence - 1) & 0xFFFF

    def run_at(self, clock: int) -> None:
        """Another codec speaks whose clock is another: what was measured keeps its length."""
        if clock != self._clock:
            self.jitter_ticks *= clock / self._clock
            self._clock = clock
            self._transit = None

    @property
    def valid(self) -> bool:
        """Whether the source has passed its probation."""
        return self._probation == 0

    @property
    def extended_highest(self) -> int:
        """The highest sequence number received, with its cycles above 16 bit."""
        return self._cycles + self._highest

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        return self.extended_highest - self._base + 1 if self.valid else 0

    @property
    def lost(self) -> int:
        """Packets that did not come; negative when packets were doubled (RFC 3550 §6.4.1)."""
        return self.expected - self.received

    @property
    def jitter_ms(self) -> float:
        """The interarrival jitter of RFC 3550 §6.4.1 in milliseconds."""
        return self.jitter_ticks * 1000 / self._clock

    def update(self, sequence: int, timestamp: int, arrival: float) -> SourceVerdict:
        """Take a packet's numbers; `arrival` is in seconds."""
        verdict = self._number(sequence)
        if verdict is _VALID or verdict is _RESTARTED:
            self._time(timestamp, arrival)
        return verdict

    def take_fraction_lost(self) -> int:
        """The share lost since the last call, in 1/256 (RFC 3550 §A.3)."""
        expected, received = self.expected, self.received
        expected_interval = expected - self._expected_before
        lost = expected_interval - (received - self._received_before)
        self._expected_before = expected
        self._received_before = received
        if expected_interval <= 0 or lost <= 0:
            return 0
        return min(255, lost * 256 // expected_interval)

    def _number(self, sequence: int) -> SourceVerdict:
        ahead = (sequence - self._highest) & 0xFFFF
        if self._probation:
            return self._on_probation(sequence, ahead)
        if ahead < _MAX_DROPOUT:
            if sequence < self._highest:
                self._cycles += _SEQUENCE_WRAP
            self._highest = sequence
        elif ahead <= _SEQUENCE_WRAP - _MAX_MISORDER:
            if sequence != self._suspect:
                self._suspect = (sequence + 1) & 0xFFFF
                return SourceVerdict.IMPLAUSIBLE
            # Two in a row from the same far place: the other side began anew without saying so.
            self._reset(sequence)
            self.received = 1
            return _RESTARTED
        self.received += 1
        return _VALID

    def _on_probation(self, sequence: int, ahead: int) -> SourceVerdict:
        self._highest = sequence
        if ahead != 1:
            self._probation = max(1, self._wanted - 1)  # this packet may be the first of a row
            return SourceVerdict.PROBATION
        self._probation -= 1
        if self._probation:
            return SourceVerdict.PROBATION
        self._reset(sequence)
        self.received = 1
        return _VALID

    def _reset(self, sequence: int) -> None:
        self._base = self._highest = sequence
        self._cycles = 0
        self._suspect = None
        self._expected_before = self._received_before = 0
        self._transit = None
        self.received = 0
        self.jitter_ticks = 0.0

    def _time(self, timestamp: int, arrival: float) -> None:
        transit = (arrival * self._clock - timestamp) % 4294967296.0
        if self._transit is not None:
            difference = abs(transit - self._transit)
            difference = min(difference, 4294967296.0 - difference)
            # More than a second is another beginning of the timestamps, or a pause in which they
            # stood still; RFC 3550 §A.8 would tell of nothing else for minutes.
            if difference < self._clock:
                self.jitter_ticks += (difference - self.jitter_ticks) / 16
        self._transit = transit
