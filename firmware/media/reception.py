"""One RTP stream's way in: packets become 20 ms of speech, whatever happened on the way. Pure.

    packet ─▶ source latch ─▶ payload type ─┬▶ jitter buffer ─▶ decoder ─▶ concealment ─▶ frame
                                            └▶ digits

A packet that does not pass is counted and leaves no other trace.
"""

from firmware.base.pcm import audioop
from firmware.codec import Decoder
from firmware.codec.comfort_noise import STATIC_NUMBER, ComfortNoise
from firmware.dsp.concealment import Concealer
from firmware.media.formats import USUAL_RATE, Speech, is_comfort_noise, is_events, load
from firmware.media.levels import LevelMeter
from firmware.media.messages import PayloadFormat
from firmware.rtp.jitter import JitterBuffer, Missing
from firmware.rtp.latch import Address, SourceLatch
from firmware.rtp.packet import RtpPacket
from firmware.rtp.session import RtpReceiver
from firmware.rtp.telephone_event import DigitEvent, TelephoneEventReceiver

_NO_DIGITS: tuple[DigitEvent, ...] = ()
_PIECES = 16
"""Playouts tried for one frame: a run of surplus packets must end somewhere."""


class _Voice:
    """A payload type that is speech, with the decoder's memory."""

    __slots__ = ("decoder", "speech", "ticks")

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.ticks = speech.codec.ticks
        self.decoder: Decoder = speech.codec.decoder()


class Reception:
    """What arrives on a stream; `hear` gives it back as frames of 20 ms at `rate`."""

    __slots__ = (
        "_card",
        "_comfort",
        "_concealer",
        "_digits",
        "_digits_clock",
        "_events",
        "_frame",
        "_left",
        "_noise",
        "_speech",
        "_voice",
        "_voices",
        "buffer",
        "faults",
        "heard_at",
        "latch",
        "level",
        "rate",
        "received",
        "resting",
        "rtp",
        "stranger",
        "undecodable",
    )

    def __init__(self, card: int = USUAL_RATE) -> None:
        """`card` is the sampling rate a codec should choose if it can."""
        self.latch = SourceLatch()
        self.rtp = RtpReceiver(frozenset())
        self.buffer = JitterBuffer()
        self.faults: dict[int, str] = {}
        """Why a payload type cannot be decoded."""
        self.rate = 8000
        """Samples a second of what `hear` gives."""
        self.level = LevelMeter()
        self.received = 0
        self.undecodable: int | None = None
        """A payload type that came from the right place and means nothing here."""
        self.stranger: Address | None = None
        """Who was turned away last."""
        self.heard_at: float | None = None
        """When the last packet came that can be decoded."""
        self.resting = False
        """Whether the far end said by comfort noise that it pauses."""
        self._voices: dict[int, _Voice] = {}
        self._events: int | None = None
        # RFC 3551 §6: 13 is comfort noise, and some send it without having said so.
        self._noise = {STATIC_NUMBER}
        self._comfort = ComfortNoise()
        self._card = card
        self._voice: _Voice | None = None
        self._digits = TelephoneEventReceiver()
        self._digits_clock = 8000
        self._speech: Speech | None = None
        self._concealer = Concealer(self.rate)
        self._frame = self.rate // 50 * 2
        self._left = b""

    @property
    def codec(self) -> str:
        """The name of what is heard, empty before anything was."""
        return self._speech.name if self._speech else ""

    def expect(self, formats: tuple[PayloadFormat, ...]) -> None:
        """These payload types may arrive, besides those that were expected before.

        An answer may give a number a new meaning; packets under way still carry the old numbers.
        """
        for payload in formats:
            if is_events(payload):
                self._expect_digits(payload)
            elif is_comfort_noise(payload):
                self._noise.add(payload.number)
            else:
                self._expect_speech(payload)
        self._tell_receiver()

    def _tell_receiver(self) -> None:
        numbers = {*self._voices, *self.faults, self._events, *self._noise}
        clock = self._speech.clock if self._speech else 8000
        self.rtp.configure(frozenset(number for number in numbers if number is not None), clock)

    def _expect_digits(self, payload: PayloadFormat) -> None:
        self._voices.pop(payload.number, None)
        self._events = payload.number
        if payload.clock != self._digits_clock:
            self._digits = TelephoneEventReceiver(payload.clock)
            self._digits_clock = payload.clock

    def _expect_speech(self, payload: PayloadFormat) -> None:
        self._noise.discard(payload.number)
        speech = load(payload, self._card)
        if isinstance(speech, str):
            self._voices.pop(payload.number, None)
            self.faults[payload.number] = speech
            return
        self.faults.pop(payload.number, None)
        known = self._voices.get(payload.number)
        if known is None or known.speech.codec != speech.codec:
            self._voices[payload.number] = _Voice(speech)

    # Arriving

    def receive(self, packet: RtpPacket, source: Address, arrival: float) -> tuple[DigitEvent, ...]:
        """Take a packet; returns the digits that began or ended with it."""
        voice = self._voices.get(packet.payload_type)
        if voice is None and not self.rtp.negotiated(packet):
            if source == self.latch.destination:
                self.undecodable = packet.payload_type
            return _NO_DIGITS
        if not self.latch.admit(source, packet.ssrc, packet.sequence, arrival):
            self.stranger = source
            return _NO_DIGITS
        if not self.rtp.receive(packet, arrival):
            return _NO_DIGITS
        self.received += 1
        if voice is None:
            return self._receive_other(packet, arrival)
        self.resting = False
        self.heard_at = arrival
        if voice.speech is not self._speech:
            self._change_speech(voice.speech)
        self.buffer.put(packet, arrival, voice.ticks(packet.payload))
        return _NO_DIGITS

    def _receive_other(self, packet: RtpPacket, arrival: float) -> tuple[DigitEvent, ...]:
        """A packet of a negotiated payload type that is not speech."""
        number = packet.payload_type
        self.buffer.note(packet, arrival)
        if number == self._events:
            self.heard_at = arrival
            return self._digits.receive(packet, arrival)
        if number in self._noise:
            # RFC 3389 §4: the far end pauses and may be silent for long.
            self.resting = True
            self._comfort.describe(packet.payload, packet.sequence)
            self.heard_at = arrival
        else:
            self.undecodable = number
        return _NO_DIGITS

    def _change_speech(self, speech: Speech) -> None:
        """The far end chose another codec: the schedule goes on unless its clock is another."""
        before = self._speech
        if before is not None and before.clock != speech.clock:
            self.buffer = JitterBuffer(speech.clock, speech.clock // 50)
        self._speech = speech
        self._tell_receiver()

    # Playing

    def hear(self, now: float) -> bytes:
        """The next 20 ms; silence if there is nothing."""
        pcm = self._left or self._piece(now)
        if len(pcm) == self._frame:
            self._left = b""
        else:
            pcm = self._frame_of(pcm, now)
        self.level.add(audioop.rms(pcm, 2))
        return pcm

    def _frame_of(self, pcm: bytes, now: float) -> bytes:
        """A whole frame that begins with `pcm`; what is too much waits for the next one."""
        for _ in range(_PIECES):
            if len(pcm) >= self._frame:
                break
            pcm += self._piece(now)
        frame = self._frame
        self._left = pcm[frame:]
        return pcm[:frame].ljust(frame, b"\0")

    def expired_digits(self, now: float) -> tuple[DigitEvent, ...]:
        """Digits that fell silent without an end."""
        return self._digits.expire(now) if self._digits.active else ()

    def _piece(self, now: float) -> bytes:
        """What fills the next stretch; `b""` means: ask again."""
        playout = self.buffer.get(now)
        if isinstance(playout, RtpPacket):
            return self._decode(playout)
        if playout is None:
            return self._pause()
        if isinstance(playout, Missing):
            return self._conceal(playout)
        # Too much delay: the codec must see what the ear does not.
        voice = self._voices.get(playout.packet.payload_type)
        if voice is not None:
            self._concealer.cut(voice.decoder.decode(playout.packet.payload))
        return b""

    def _pause(self) -> bytes:
        """A frame in which the far end says nothing: silence, or what it told of its room."""
        samples = self._frame // 2
        pcm = self._concealer.pause(samples)
        return audioop.add(pcm, self._comfort.block(samples), 2) if self._comfort.active else pcm

    def _conceal(self, missing: Missing) -> bytes:
        """What is not there: from the packet after it, by the codec's own invention, or by ours."""
        clock = self._speech.clock if self._speech else 8000
        samples = missing.ticks * self.rate // clock
        voice, after = self._voice, missing.following
        if voice is not None:
            pcm = b""
            if after is not None and after.payload_type == voice.speech.number:
                pcm = voice.decoder.recover(after.payload, samples)
            pcm = pcm or voice.decoder.conceal(samples)
            if pcm:
                return self._concealer.heard(pcm)
        return self._concealer.conceal(samples)

    def _decode(self, packet: RtpPacket) -> bytes:
        voice = self._voices.get(packet.payload_type)
        self._voice = voice
        self._comfort.play(packet.sequence)
        pcm = voice.decoder.decode(packet.payload) if voice is not None else b""
        if voice is None or not pcm:
            return self._concealer.conceal(self._frame // 2)
        if voice.speech.rate != self.rate:
            self.rate = voice.speech.rate
            self._frame = self.rate // 50 * 2
            self._concealer = Concealer(self.rate)
            self._left = b""
        return self._concealer.heard(pcm)
