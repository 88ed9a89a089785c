"""One RTP stream's way out: 20 ms of speech become packets on one timestamp line. Pure.

SSRC, sequence and timestamp begin at random (RFC 3550 §5.1; the sequence in its lower half,
RFC 4568 §6.4) and live as long as the stream: a hold,
a new codec or a new far end continue them, and the timestamp goes on while nothing is sent. Digits
take the place of speech (RFC 4733 §2.5.1.2), or are sung into it if the far end takes no events.
"""

from firmware.base.pcm import audioop
from firmware.base.tokens import Tokens
from firmware.codec import Encoder
from firmware.media.formats import Speech
from firmware.media.levels import LevelMeter
from firmware.media.messages import PayloadFormat
from firmware.media.singing import DigitSinger
from firmware.rtp.session import RtpSender
from firmware.rtp.telephone_event import TelephoneEventSender

_NOTHING: tuple[bytes, ...] = ()
_SHORTEST, _LONGEST = 10, 200
"""Milliseconds of speech in a packet that we are willing to send."""


class Sending:
    """What leaves a stream."""

    __slots__ = (
        "_digits",
        "_encoder",
        "_events",
        "_fresh",
        "_number",
        "_pending",
        "_piece",
        "_ptime",
        "_singer",
        "_ticks",
        "_ticks_a_frame",
        "level",
        "rtp",
        "speech",
    )

    def __init__(self, tokens: Tokens) -> None:
        self.rtp = RtpSender(
            tokens.integer(1 << 32), tokens.integer(1 << 15), tokens.integer(1 << 32)
        )
        self.speech: Speech | None = None
        """What is sent; None until an answer said so."""
        self.level = LevelMeter()
        self._encoder: Encoder | None = None
        self._digits: TelephoneEventSender | None = None
        self._events: PayloadFormat | None = None
        self._singer: DigitSinger | None = None
        self._number = 0
        self._ticks_a_frame = self._ticks = 160
        self._ptime = 20
        self._piece = 320
        self._pending = b""
        self._fresh = True

    def configure(self, speech: Speech, events: PayloadFormat | None, ptime: int) -> None:
        """An answer chose what is sent; what stays the same keeps its state."""
        ptime = min(max(ptime, _SHORTEST), _LONGEST)
        if self.speech is None or (speech.codec, ptime) != (self.speech.codec, self._ptime):
            self._encoder = speech.codec.encoder()
            self._forget_pending()
        if events != self._events:
            self._events = events
            self._digits = TelephoneEventSender(events.clock) if events else None
        self.speech = speech
        self._ptime = ptime
        self._number = speech.number
        self._ticks_a_frame = speech.clock // 50
        self._ticks = speech.clock * ptime // 1000
        self._piece = speech.rate * ptime // 1000 * 2

    def queue_digits(self, digits: str, tone_ms: int, gap_ms: int) -> None:
        """Send digits as events, or in the speech if the far end takes none."""
        if self._digits is not None:
            self._digits.queue(digits, tone_ms, gap_ms)
        elif self.speech is not None:
            if self._singer is None or self._singer.rate != self.speech.rate:
                self._singer = DigitSinger(self.speech.rate)
            self._singer.queue(digits, tone_ms, gap_ms)

    def skip(self, frames: int = 1) -> None:
        """Time passes and nothing is sent; the next packet begins a talkspurt."""
        self._forget_pending()
        self.rtp.skip(frames * self._ticks_a_frame)
        self._fresh = True

    def packets(self, pcm: bytes) -> tuple[bytes, ...]:
        """20 ms of speech at the codec's rate as the datagrams to send now."""
        singer = self._singer
        if singer is not None and singer.active:
            pcm = singer.next_frame()
        self.level.add(audioop.rms(pcm, 2))
        if self._ptime == 20:
            return (self._packet(pcm),)
        self._pending += pcm
        if len(self._pending) < self._piece:
            return _NOTHING
        datagrams = []
        while len(self._pending) >= self._piece:
            datagrams.append(self._packet(self._pending[: self._piece]))
            self._pending = self._pending[self._piece :]
        return tuple(datagrams)

    def _packet(self, pcm: bytes) -> bytes:
        digits, events = self._digits, self._events
        if digits is not None and events is not None and digits.active:
            event = digits.next_frame(self.rtp.timestamp, self._ticks)
            if event is not None:
                return self.rtp.event(event, events.number, self._ticks)
        assert self._encoder is not None, "nothing is sent before an answer"
        # The first packet of a talkspurt carries the marker (RFC 3551 §4.1).
        fresh, self._fresh = self._fresh, False
        return self.rtp.packet(self._encoder.encode(pcm), self._number, self._ticks, marker=fresh)

    def _forget_pending(self) -> None:
        """Speech that waited for its packet to fill is not sent, but its time has passed."""
        if self._pending and self.speech is not None:
            samples = len(self._pending) // 2
            self.rtp.skip(samples * self.speech.clock // self.speech.rate)
            self._pending = b""
