"""Telephone events: keypad digits as RTP payloads, both directions (RFC 4733).

The sender says for each tick of the audio what to send instead of speech; the receiver says which
digits began and ended, whatever was lost or doubled on the way. Neither knows payload numbers,
sockets or clocks: timestamps and `now` come in.
"""

import struct
from collections import deque
from typing import NamedTuple

from msgspec import Struct

from firmware.rtp.packet import RtpPacket

_EVENT = struct.Struct("!BBH")
DIGITS = "0123456789*#ABCD"
FLASH = "!"
_FLASH_CODE = 16  # RFC 4733 §3.2, table 3
_END = 0x80
_VOLUME = 10  # -10 dBm0, what most phones say
_LONGEST = 0xFFFF
_END_PACKETS = 3  # RFC 4733 §2.5.1.4
_QUEUE_LIMIT = 256


def event_code(digit: str) -> int | None:
    """The event of a digit (`0`-`9`, `*`, `#`, `A`-`D`, `!` = flash), or None."""
    if digit == FLASH:
        return _FLASH_CODE
    position = DIGITS.find(digit.upper()) if len(digit) == 1 else -1
    return position if position >= 0 else None


def event_digit(code: int) -> str | None:
    """The digit of an event, or None for an event that is no key."""
    if code == _FLASH_CODE:
        return FLASH
    return DIGITS[code] if code < len(DIGITS) else None


class EventPacket(NamedTuple):
    """What to put into one RTP packet: `timestamp` is the beginning of the event."""

    payload: bytes
    timestamp: int
    marker: bool


class _Tone(Struct):
    """The digit that sounds: `start` and `played` belong to its present segment.

    `full` is where the segment before began, as long as its end is still said.
    """

    code: int
    left: int
    gap: int
    start: int
    played: int = 0
    ends_left: int = _END_PACKETS
    marker: bool = True
    full: int = 0
    full_left: int = 0


class TelephoneEventSender:
    """Digits waiting and the one that sounds; call `next_frame` once a packet interval."""

    __slots__ = ("_clock", "_gap_left", "_line", "_tone", "_waiting")

    def __init__(self, clock: int = 8000, line: int = 0) -> None:
        """Start idle; `clock` is the RTP clock of the telephone-event format.

        `line` is the clock of the speech if that is another one (RFC 4733 §2.1 wants them equal,
        many a far end does not): timestamps and `ticks` are of the speech, durations of the event.
        """
        self._clock = clock
        self._line = line or clock
        self._waiting: deque[tuple[int, int, int]] = deque()
        self._tone: _Tone | None = None
        self._gap_left = 0

    def __len__(self) -> int:
        """Digits that have not ended yet."""
        return len(self._waiting) + (self._tone is not None)

    @property
    def active(self) -> bool:
        """Whether a digit sounds, waits, or its pause runs."""
        return self._tone is not None or bool(self._waiting) or self._gap_left > 0

    def queue(self, digits: str, tone_ms: int = 100, gap_ms: int = 70) -> int:
        """Append digits; what is no key is left out. Returns how many were taken."""
        # Shorter than 40 ms of tone or pause is missed by detectors behind a gateway.
        tone, gap = self._ticks(max(tone_ms, 40)), self._ticks(max(gap_ms, 40))
        taken = 0
        for digit in digits:
            code = event_code(digit)
            if code is None or len(self._waiting) >= _QUEUE_LIMIT:
                continue
            taken += 1
            self._waiting.append((code, tone, gap))
        return taken

    def clear(self) -> None:
        """Drop the digits that wait; the one that sounds ends properly."""
        self._waiting.clear()

    def next_frame(self, timestamp: int, ticks: int) -> EventPacket | None:
        """What is sent instead of the frame that begins at `timestamp` and lasts `ticks`.

        None while idle and in the pause after a digit: then speech is sent.
        """
        ticks = ticks * self._clock // self._line
        tone = self._tone or self._begin(timestamp, ticks)
        if tone is None:
            return None
        if tone.left > 0:
            self._sound(tone, ticks)
        if tone.full_left and tone.left > 0:
            tone.full_left -= 1
            return EventPacket(_EVENT.pack(tone.code, _VOLUME, _LONGEST), tone.full, marker=False)
        # The end is said three times at the usual interval (RFC 4733 §2.5.1.4), in the pause.
        end = 0
        if tone.left <= 0:
            end = _END
            tone.ends_left -= 1
            if tone.ends_left < _END_PACKETS - 1:
                tone.gap -= ticks
        packet = EventPacket(
            _EVENT.pack(tone.code, end | _VOLUME, tone.played), tone.start, tone.marker
        )
        tone.marker = False
        if tone.left <= 0 and tone.ends_left == 0:
            self._tone = None
            self._gap_left = tone.gap
        return packet

    def _begin(self, timestamp: int, ticks: int) -> _Tone | None:
        if self._gap_left > 0:
            self._gap_left -= ticks
            return None
        if not self._waiting:
            return None
        code, length, gap = self._waiting.popleft()
        self._tone = _Tone(code, length, gap, timestamp)
        return self._tone

    def _sound(self, tone: _Tone, ticks: int) -> None:
        tone.left -= ticks
        tone.played += ticks
        # Sixteen bits of duration are 8 s; a longer tone says so, three times and without an end
        # bit, and goes on as a new segment that begins where that one ended, without a marker
        # (RFC 4733 §2.5.1.3).
        if tone.played > _LONGEST:
            tone.full, tone.full_left = tone.start, _END_PACKETS
            tone.start = (tone.start + _LONGEST * self._line // self._clock) & 0xFFFFFFFF
            tone.played -= _LONGEST

    def _ticks(self, milliseconds: int) -> int:
        return milliseconds * self._clock // 1000


class DigitEvent(NamedTuple):
    """A digit of the far end: `duration_ms` is None when it begins, its length when it ended."""

    digit: str
    duration_ms: int | None


class _Heard(Struct):
    """The event that sounds at the far end; `base` are the ticks of segments before this one."""

    code: int
    timestamp: int
    duration: int
    base: int
    last: float


class TelephoneEventReceiver:
    """Digits from packets: each is told once, whatever is lost, doubled or out of order.

    The timestamp names an event, not the marker, which is lost with the first packet. An event
    whose three end packets are all lost ends when a newer one begins or when nothing was heard of
    it for `patience` seconds: call `expire` about once a frame while `active`.
    """

    __slots__ = ("_done", "_heard", "_patience", "_ssrc", "clock")

    def __init__(self, clock: int = 8000, patience: float = 0.15) -> None:
        self.clock = clock
        """Ticks a second of its format."""
        self._patience = patience
        self._heard: _Heard | None = None
        self._done: int | None = None
        self._ssrc: int | None = None

    @property
    def active(self) -> bool:
        """Whether an event sounds."""
        return self._heard is not None

    def receive(self, packet: RtpPacket, now: float) -> tuple[DigitEvent, ...]:
        """Take a packet of the telephone-event payload type; what is malformed changes nothing."""
        if packet.ssrc != self._ssrc:
            # Another source counts from another beginning.
            self._ssrc = packet.ssrc
            self._done = None
        if len(packet.payload) < _EVENT.size:
            return ()
        code, flags, duration = _EVENT.unpack_from(packet.payload)
        events: list[DigitEvent] = []
        if self._is_over(packet.timestamp):
            return ()
        heard = self._heard
        if heard is None or heard.timestamp != packet.timestamp:
            heard = self._next_event(heard, packet, code, now, events)
        heard.duration = max(heard.duration, duration)
        heard.last = now
        if flags & _END:
            self._end(heard, events)
        return tuple(events)

    def expire(self, now: float) -> tuple[DigitEvent, ...]:
        """End an event that fell silent without an end packet."""
        heard = self._heard
        if heard is None or now - heard.last < self._patience:
            return ()
        events: list[DigitEvent] = []
        self._end(heard, events)
        return tuple(events)

    def _is_over(self, timestamp: int) -> bool:
        """Whether an event ended already, or is older than the one that did.

        Older by more than 10 s is no straggler: the far end began to count anew.
        """
        newest = self._done
        if self._heard is not None:
            newest = (self._heard.timestamp - 1) & 0xFFFFFFFF
        if newest is None:
            return False
        return (newest - timestamp) & 0xFFFFFFFF < 10 * self.clock

    def _next_event(
        self,
        before: _Heard | None,
        packet: RtpPacket,
        code: int,
        now: float,
        events: list[DigitEvent],
    ) -> _Heard:
        base = 0
        if before is not None:
            follows = (before.timestamp + _LONGEST) & 0xFFFFFFFF == packet.timestamp
            if follows and before.code == code and not packet.marker:
                base = before.base + _LONGEST
            else:
                self._end(before, events)
        heard = _Heard(code, packet.timestamp, 0, base, now)
        self._heard = heard
        digit = event_digit(code)
        if digit is not None and not base:
            events.append(DigitEvent(digit, None))
        return heard

    def _end(self, heard: _Heard, events: list[DigitEvent]) -> None:
        self._heard = None
        self._done = heard.timestamp
        digit = event_digit(heard.code)
        if digit is not None:
            ticks = heard.base + heard.duration
            events.append(DigitEvent(digit, ticks * 1000 // self.clock))
