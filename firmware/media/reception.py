"""One RTP stream's way in: packets become 20 ms of speech, whatever happened on the way. Pure.

    packet ─▶ source latch ─▶ payload type ─┬▶ jitter buffer ─▶ playing ─▶ frame
                                            └▶ digits

A packet that does not pass is counted and leaves no other trace.
"""

import math
from typing import TYPE_CHECKING

from firmware.codec.comfort_noise import STATIC_NUMBER
from firmware.media.formats import USUAL_RATE, Speech, is_comfort_noise, is_events, load
from firmware.media.levels import LevelMeter
from firmware.media.messages import PayloadFormat
from firmware.media.playing import Player, Voice
from firmware.rtp.latch import Address, SourceLatch
from firmware.rtp.packet import RtpPacket
from firmware.rtp.session import RtpReceiver
from firmware.rtp.telephone_event import DigitEvent, TelephoneEventReceiver

if TYPE_CHECKING:
    from firmware.rtp.clock_change import ClockChange

_NO_DIGITS: tuple[DigitEvent, ...] = ()


class Reception:
    """What arrives on a stream; `hear` gives it back as frames of 20 ms at `rate`."""

    __slots__ = (
        "_card",
        "_change",
        "_events",
        "_noise",
        "_speech",
        "_voices",
        "alive_at",
        "buffer",
        "faults",
        "hear",
        "heard_at",
        "latch",
        "player",
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
        self._voices: dict[int, Voice] = {}
        self.player = Player(self._voices)
        self.hear = self.player.hear
        """The next 20 ms at `rate`; silence if there is nothing."""
        self.buffer = self.player.buffer
        self.faults: dict[int, str] = {}
        """Why a payload type cannot be decoded."""
        self.received = 0
        self.undecodable: int | None = None
        """A payload type that came from the right place and means nothing here."""
        self.stranger: Address | None = None
        """Who was turned away last."""
        self.alive_at = -math.inf
        """When the far end last showed that it is there without saying anything."""
        self.heard_at: float | None = None
        """When the last packet came that can be decoded."""
        self.resting = False
        """Whether the far end said by comfort noise that it pauses."""
        self._events: dict[int, TelephoneEventReceiver] = {}
        # RFC 3551 §6: 13 is comfort noise, and some send it without having said so.
        self._noise = {STATIC_NUMBER}
        self._card = card
        self._speech: Speech | None = None
        self._change: ClockChange | None = None

    @property
    def rate(self) -> int:
        """Samples a second of what `hear` gives."""
        return self.player.rate

    @property
    def level(self) -> LevelMeter:
        """How loud it is."""
        return self.player.level

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
                self._forget(payload.number)
                self._noise.add(payload.number)
            else:
                self._expect_speech(payload)
        self._tell_receiver()

    def _tell_receiver(self) -> None:
        numbers = {*self._voices, *self.faults, *self._events, *self._noise}
        self.rtp.configure(frozenset(numbers), self._speech.clock if self._speech else 8000)

    def _forget(self, number: int) -> None:
        """It meant something else before."""
        self._voices.pop(number, None)
        self.faults.pop(number, None)
        self._noise.discard(number)
        self._events.pop(number, None)

    def _expect_digits(self, payload: PayloadFormat) -> None:
        """Beside others: whoever was offered several clocks may use any of them."""
        known = self._events.get(payload.number)
        self._forget(payload.number)
        if known is None or known.clock != payload.clock:
            known = TelephoneEventReceiver(payload.clock)
        self._events[payload.number] = known

    def _expect_speech(self, payload: PayloadFormat) -> None:
        speech = load(payload, self._card)
        known = self._voices.get(payload.number)
        self._forget(payload.number)
        if isinstance(speech, str):
            self.faults[payload.number] = speech
            return
        if speech.clock != self.buffer.clock:
            # For the moment when the far end changes to it: no file is read while it speaks.
            import firmware.rtp.clock_change  # noqa: F401, PLC0415 - see above
        if known is None or known.speech.codec != speech.codec:
            self._voices[payload.number] = Voice(speech)
        else:
            self._voices[payload.number] = known

    # Arriving

    def receive(self, packet: RtpPacket, source: Address, arrival: float) -> tuple[DigitEvent, ...]:
        """Take a packet; returns the digits that began or ended with it."""
        voice = self._voices.get(packet.payload_type)
        if voice is None and not self.rtp.negotiated(packet):
            if source == self.latch.destination:
                self._note_strange(packet, arrival)
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
        ticks = voice.ticks(packet.payload)
        if voice.speech is not self._speech:
            packet, ticks = self._change_speech(voice.speech, packet, ticks, arrival)
        self.buffer.put(packet, arrival, ticks)
        return _NO_DIGITS

    def _note_strange(self, packet: RtpPacket, arrival: float) -> None:
        """Of a type that nobody offered: a word we do not know, or only a sign of life."""
        if packet.payload:
            self.undecodable = packet.payload_type
        else:
            # RFC 6263 §4.6.
            self.alive_at = arrival

    def _receive_other(self, packet: RtpPacket, arrival: float) -> tuple[DigitEvent, ...]:
        """A packet of a negotiated payload type that is not speech."""
        number = packet.payload_type
        self.buffer.note(packet, arrival)
        digits = self._events.get(number)
        if digits is not None:
            self.heard_at = arrival
            return digits.receive(packet, arrival)
        if number in self._noise:
            # RFC 3389 §4: the far end pauses and may be silent for long.
            self.resting = True
            self.player.comfort.describe(packet.payload, packet.sequence)
            self.heard_at = arrival
        else:
            self.undecodable = number
        return _NO_DIGITS

    def _change_speech(
        self, speech: Speech, packet: RtpPacket, ticks: int, arrival: float
    ) -> tuple[RtpPacket, int]:
        """The far end chose another codec, or a packet of the one before comes late.

        The schedule goes on in either case; returned is the packet as it fits in, and its length.
        """
        buffer = self.buffer
        if speech.clock != buffer.clock:
            if self._change is not None:
                newest = packet.sequence - buffer.ahead(packet)
                late = self._change.straggler(packet, ticks, speech.clock, newest)
                if late is not None:
                    return late
            self._change = buffer.change_clock(packet, arrival, speech.clock)
        self._speech = speech
        self._tell_receiver()
        return packet, ticks

    def expired_digits(self, now: float) -> tuple[DigitEvent, ...]:
        """Digits that fell silent without an end."""
        active = (digits for digits in self._events.values() if digits.active)
        return tuple(event for digits in active for event in digits.expire(now))
