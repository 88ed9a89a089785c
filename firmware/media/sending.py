"""One RTP stream's way out: 20 ms of speech become packets on one timestamp line. Pure.

SSRC, sequence and timestamp begin at random (RFC 3550 §5.1; the sequence in its lower half,
RFC 4568 §6.4) and live as long as the stream: a hold,
a new codec or a new far end continue them, and the timestamp goes on while nothing is sent. Digits
take the place of speech (RFC 4733 §2.5.1.2), or are sung into it if the far end takes no events.
Where silence may be left out, comfort noise takes its place, or the codec's own way of resting.
"""

from msgspec import Struct

from firmware.base.pcm import audioop
from firmware.base.tokens import Tokens
from firmware.codec import Encoder
from firmware.media.formats import Speech, is_comfort_noise
from firmware.media.levels import LevelMeter
from firmware.media.messages import ConfigureStream, PayloadFormat
from firmware.media.pauses import Pauses
from firmware.media.singing import DigitSinger
from firmware.rtp.session import RtpSender
from firmware.rtp.telephone_event import TelephoneEventSender

_NOTHING: tuple[bytes, ...] = ()
_SHORTEST, _LONGEST = 10, 200
"""Milliseconds of speech in a packet that we are willing to send."""

_FIRST_GUESS = 0.05
"""The share of packets taken to be lost until the far end's reports say how it is."""
_WORSE, _BETTER = 0.6, 0.25
"""How far a report moves that share: up at once, down by and by."""


class Rest(Struct, frozen=True):
    """What may be done about silence: `noise` is the far end's comfort noise, None if it has none.

    Without `allowed` every frame is sent.
    """

    allowed: bool = False
    noise: PayloadFormat | None = None


NEVER = Rest()


class Sending:
    """What leaves a stream."""

    __slots__ = (
        "_digits",
        "_encoder",
        "_events",
        "_frame",
        "_fresh",
        "_loss",
        "_number",
        "_pauses",
        "_pending",
        "_piece",
        "_ptime",
        "_rest",
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
        self._frame = self._piece = 320
        self._pending = b""
        self._fresh = True
        self._rest = NEVER
        self._pauses: Pauses | None = None
        self._loss = _FIRST_GUESS

    def configure(
        self, speech: Speech, events: PayloadFormat | None, ptime: int, rest: Rest = NEVER
    ) -> None:
        """An answer chose what is sent; what stays the same keeps its state."""
        ptime = min(max(ptime, _SHORTEST), _LONGEST)
        if self._differs(speech, ptime, rest):
            self._encoder = speech.codec.encoder(speech.fmtp, dtx=rest.allowed)
            self._encoder.expect_loss(self._loss)
            self._forget_pending()
        if rest != self._rest:
            self._pauses = Pauses() if rest.allowed and rest.noise is not None else None
            self._rest = rest
        same_line = self.speech is not None and self.speech.clock == speech.clock
        if events != self._events or not same_line:
            self._events = events
            self._digits = TelephoneEventSender(events.clock, speech.clock) if events else None
        self.speech = speech
        self._ptime = ptime
        self._number = speech.number
        self._ticks_a_frame = speech.clock // 50
        samples = speech.codec.packet(speech.rate * ptime // 1000)
        self._ticks = samples * speech.clock // speech.rate
        self._piece = samples * 2
        self._frame = speech.rate // 50 * 2

    def _differs(self, speech: Speech, ptime: int, rest: Rest) -> bool:
        """Whether the encoder that runs is not the one for this."""
        now = self.speech
        return (
            now is None
            or (speech.codec, speech.fmtp, ptime) != (now.codec, now.fmtp, self._ptime)
            or rest.allowed != self._rest.allowed
        )

    def hear_of_loss(self, share: float) -> None:
        """The far end reports that so much of what we sent was lost (RFC 3550 §6.4.1)."""
        self._loss += (share - self._loss) * (_WORSE if share > self._loss else _BETTER)
        if self._encoder is not None:
            self._encoder.expect_loss(self._loss)

    def queue_digits(self, digits: str, tone_ms: int, gap_ms: int) -> None:
        """Send digits as events, or in the speech if the far end takes none."""
        if self._digits is not None:
            self._digits.queue(digits, tone_ms, gap_ms)
        elif self.speech is not None:
            if self._singer is None or self._singer.rate != self.speech.rate:
                self._singer = DigitSinger(self.speech.rate)
            self._singer.queue(digits, tone_ms, gap_ms)

    def begin_talkspurt(self) -> None:
        """The next packet bears the marker."""
        self._fresh = True

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
        rms = audioop.rms(pcm, 2)
        self.level.add(rms)
        if self._pauses is not None:
            silence = self._silence(self._pauses, rms)
            if silence is not None:
                return silence
        if self._piece == self._frame:
            datagram = self._packet(pcm)
            return (datagram,) if datagram else _NOTHING
        self._pending += pcm
        if len(self._pending) < self._piece:
            return _NOTHING
        datagrams = []
        while len(self._pending) >= self._piece:
            datagrams.append(self._packet(self._pending[: self._piece]))
            self._pending = self._pending[self._piece :]
        return tuple(filter(None, datagrams))

    def _silence(self, pauses: Pauses, rms: int) -> tuple[bytes, ...] | None:
        """What is sent instead of a frame in which nobody speaks; None: somebody does."""
        digits, noise = self._digits, self._rest.noise
        if digits is not None and digits.active:
            pauses.interrupt()
            return None
        told = pauses.take(rms)
        if told is None or noise is None:
            return None
        self._forget_pending()
        self._fresh = True
        if not told:
            self.rtp.skip(self._ticks_a_frame)
            return _NOTHING
        # RFC 3389 §4: on the timestamp line of the speech, and without a marker.
        return (self.rtp.packet(told, noise.number, self._ticks_a_frame),)

    def _packet(self, pcm: bytes) -> bytes:
        """The datagram for a piece of speech, empty if it need not be sent."""
        digits, events = self._digits, self._events
        if digits is not None and events is not None and digits.active:
            event = digits.next_frame(self.rtp.timestamp, self._ticks)
            if event is not None:
                return self.rtp.event(event, events.number, self._ticks)
        assert self._encoder is not None, "nothing is sent before an answer"
        payload = self._encoder.encode(pcm)
        if not payload:
            self.rtp.skip(self._ticks)
            self._fresh = True
            return payload
        # The first packet of a talkspurt carries the marker (RFC 3551 §4.1).
        fresh, self._fresh = self._fresh, False
        return self.rtp.packet(payload, self._number, self._ticks, marker=fresh)

    def _forget_pending(self) -> None:
        """Speech that waited for its packet to fill is not sent, but its time has passed."""
        if self._pending and self.speech is not None:
            samples = len(self._pending) // 2
            self.rtp.skip(samples * self.speech.clock // self.speech.rate)
            self._pending = b""


def rest_of(order: ConfigureStream, speech: Speech) -> Rest:
    """What may be done about silence; comfort noise runs on the clock of the speech."""
    if not order.leave_out_silence:
        return NEVER
    noises = (each for each in order.formats if is_comfort_noise(each))
    return Rest(
        allowed=True, noise=next((each for each in noises if each.clock == speech.clock), None)
    )
