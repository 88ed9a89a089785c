"""From the jitter buffer to the ear: packets become frames of 20 ms without a seam. Pure.

    jitter buffer ─▶ decoder ─▶ joined to what was before ─▶ shorter or longer ─▶ frame
                └▶ missing: the codec's own invention, or the past and the future around the gap

A sound that was made shorter or longer leaves some of it over, which waits for the next frame; the
buffer is told of it and sees to it that this becomes nothing again.
"""

from firmware.base.pcm import audioop
from firmware.codec import Decoder
from firmware.codec.comfort_noise import ComfortNoise
from firmware.dsp.concealment import Concealer
from firmware.dsp.time_stretch import Stretched, longer, shorter
from firmware.dsp.waveform import at_rate
from firmware.media.formats import Speech
from firmware.media.levels import LevelMeter
from firmware.rtp.jitter import JitterBuffer
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Lengthen, Missing, Shorten

_PIECES = 16
"""Playouts tried for one frame: a run of surplus packets must end somewhere."""
_GOOD, _WORSE_EACH_TIME = 0.95, 0.05
"""How alike two periods must be that are joined, and how much less each time none was found."""
_PATIENCE = 250
"""Frames to wait for a pause between words, where nobody hears a change at all."""
_PAUSE, _ABOVE_ROOM = 60, 2.5
"""Root mean square of a pause, or so many times that of the room."""
_ROOM_FADES = 0.985
"""Of the room's noise a frame, when the far end is silent and did not say how its room sounds."""
_LOUDEST_ROOM = 120.0
"""A root mean square of -49 dBov: what never fell below it was a voice."""
_UNSETTLED = {"G722": 0.004}
"""Seconds after a gap in which a decoder that lives on its past says something else."""


class Voice:
    """A payload type that is speech, with the decoder's memory."""

    __slots__ = ("decoder", "speech", "ticks")

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.ticks = speech.codec.ticks
        self.decoder: Decoder = speech.codec.decoder()


class Player:
    """What is heard of one stream; `voices` are the payload types that are speech."""

    __slots__ = (
        "_ahead",
        "_concealer",
        "_declined",
        "_frame",
        "_last",
        "_left",
        "_pausing",
        "_speaking",
        "_voices",
        "_waited",
        "buffer",
        "comfort",
        "level",
        "rate",
        "stretched",
    )

    def __init__(self, voices: dict[int, Voice]) -> None:
        self.buffer = JitterBuffer()
        self.rate = 8000
        """Samples a second of what `hear` gives."""
        self.comfort = ComfortNoise()
        """What the far end told of its pauses."""
        self.level = LevelMeter()
        self.stretched = 0
        """Sounds made shorter or longer for the delay's sake."""
        self._voices = voices
        self._speaking: Voice | None = None
        self._ahead: tuple[RtpPacket, bytes] | None = None
        self._concealer = Concealer(self.rate)
        self._declined = self._waited = 0
        self._frame = self.rate // 50 * 2
        self._left = b""
        self._pausing = False
        self._last = 0

    def hear(self, now: float) -> bytes:
        """The next 20 ms; silence if there is nothing."""
        pcm = b"" if self._left else self._piece(now)
        if len(pcm) != self._frame:
            pcm = self._frame_of(pcm, now)
        rms = audioop.rms(pcm, 2)
        self.level.add(rms)
        if not self._pausing:
            self._last = rms
        return pcm

    def _frame_of(self, pcm: bytes, now: float) -> bytes:
        """A whole frame that begins with what was left; what is too much waits for the next one."""
        frame = self._frame
        pcm = self._left + pcm
        for _ in range(_PIECES):
            if len(pcm) >= frame:
                break
            # A piece that is made shorter may take what is before it along.
            self._left = pcm
            pcm = self._piece(now)
            pcm = self._left + pcm
            frame = self._frame
        self._left = pcm[frame:]
        return pcm[:frame].ljust(frame, b"\0")

    # A piece

    def _piece(self, now: float) -> bytes:
        """What fills the next stretch; `b""` means: ask again."""
        held = len(self._left) // 2 * self.buffer.clock // self.rate if self._left else 0
        playout = self.buffer.get(now, held)
        if isinstance(playout, RtpPacket):
            return self._decode(playout)
        if playout is None:
            return self._pause()
        if isinstance(playout, Missing):
            return self._conceal(playout)
        if isinstance(playout, Shorten):
            return self._shorten(playout, self._decode(playout.packet))
        if isinstance(playout, Lengthen):
            return self._lengthen(playout, self._decode(playout.packet))
        # Far too much delay: the codec must see what the ear does not.
        voice = self._voices.get(playout.packet.payload_type)
        if voice is not None:
            self._concealer.cut(self._decoded(voice, playout.packet))
        return b""

    def _decode(self, packet: RtpPacket) -> bytes:
        voice = self._voices.get(packet.payload_type)
        self._pausing = False
        if self.comfort.active:
            self.comfort.play(packet.sequence)
        if voice is not self._speaking:
            self._speaking = voice
            self._ahead = None
            if voice is not None:
                self._become(voice.speech)
        pcm = self._decoded(voice, packet) if voice is not None else b""
        if not pcm:
            return self._concealer.conceal(self._frame // 2)
        return self._concealer.heard(pcm)

    def _decoded(self, voice: Voice, packet: RtpPacket) -> bytes:
        """A packet's sound; one that was looked at already is not told to its decoder twice."""
        ahead = self._ahead
        if ahead is not None:
            self._ahead = None
            if ahead[0] is packet:
                return ahead[1]
        return voice.decoder.decode(packet.payload)

    def _become(self, speech: Speech) -> None:
        """Another codec speaks, perhaps at another rate."""
        if speech.rate != self.rate:
            self._left = at_rate(self._left, self.rate, speech.rate)
            self.rate = speech.rate
            self._frame = self.rate // 50 * 2
        elif not self._concealer.settles(_UNSETTLED.get(speech.name, 0.0)):
            return
        self._concealer = self._concealer.onward(self.rate, _UNSETTLED.get(speech.name, 0.0))

    # Nothing there

    def _pause(self) -> bytes:
        """A frame in which the far end says nothing: silence, or what it told of its room."""
        samples = self._frame // 2
        concealer = self._concealer
        if self.comfort.active:
            concealer.room = 0.0
            return audioop.add(concealer.pause(samples), self.comfort.block(samples), 2)
        if self._pausing:
            concealer.room *= _ROOM_FADES
        else:
            # A codec that leaves silence out says again every 0.4 s how it sounds.
            self._pausing = True
            quiet = self._last < _LOUDEST_ROOM
            concealer.room = self._last if quiet else min(self.level.quietest, _LOUDEST_ROOM)
        return concealer.pause(samples)

    def _conceal(self, missing: Missing) -> bytes:
        """What is not there: from the packet after it, by the codec's own invention, or by ours."""
        samples = missing.ticks * self.rate // self.buffer.clock
        voice, after = self._speaking, missing.following
        concealer = self._concealer
        if voice is None:
            return concealer.conceal(samples)
        if after is not None and after.payload_type != voice.speech.number:
            after = None
        pcm = voice.decoder.recover(after.payload, samples) if after is not None else b""
        pcm = pcm or voice.decoder.conceal(samples)
        concealer.room = min(self.level.quietest, _LOUDEST_ROOM)
        if pcm:
            return concealer.heard(pcm)
        following = b""
        if after is not None:
            following = voice.decoder.decode(after.payload)
            self._ahead = (after, following)
        return concealer.conceal(samples, following)

    # The delay moves

    def _shorten(self, playout: Shorten, pcm: bytes) -> bytes:
        """A period less, of what is left over and this together."""
        if self._waits(pcm, urgent=playout.urgent):
            return pcm
        most = playout.ticks / self.buffer.clock
        return self._take(shorter(self._left + pcm, self.rate, most or 1.0), pcm)

    def _lengthen(self, playout: Lengthen, pcm: bytes) -> bytes:
        if self._waits(pcm, urgent=playout.urgent):
            return pcm
        return self._take(longer(self._left + pcm, self.rate), pcm)

    def _waits(self, pcm: bytes, *, urgent: bool) -> bool:
        """Whether a better moment may come: a pause, where the change is not heard."""
        if urgent or self._waited >= _PATIENCE:
            return False
        if audioop.rms(pcm, 2) < max(_PAUSE, min(self.level.quietest, _LOUDEST_ROOM) * _ABOVE_ROOM):
            return False
        self._waited += 1
        return True

    def _take(self, stretched: Stretched | None, pcm: bytes) -> bytes:
        """The stretched sound if its seam is good enough by now."""
        if stretched is None:
            return pcm
        if stretched.likeness < _GOOD - self._declined * _WORSE_EACH_TIME:
            self._declined += 1
            return pcm
        self._declined = self._waited = 0
        self.stretched += 1
        self._left = b""
        return stretched.pcm
