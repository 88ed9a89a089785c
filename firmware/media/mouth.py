"""What is done to a microphone's sound before anybody hears it. Pure.

    card ─▶ echo, noise, automatic gain (libspeexdsp) ─▶ gain with a limit ─▶ streams
                    ▲
                    └─ what the loudspeaker of the same card played in the frame before

The card keeps what it has queued at one level (`hal.sound.alsa`), and a frame is read before the
next is played: so the echo of a frame is always as late, wherever the clocks of loudspeaker and
microphone drift, and the canceller has nothing to learn anew. A card that lost sound begins another
schedule: then what was learned hinders, and learning anew is quicker than unlearning.
"""

from firmware.dsp.limiter import Limiter
from firmware.dsp.mixer import gain_of_db, scale
from firmware.dsp.speex import SpeexCleaner, available
from firmware.media.messages import Microphone


class Mouth:
    """One path's microphone."""

    __slots__ = ("_cleaner", "_limiter", "_played", "_rate", "_sidetone", "_wishes")

    def __init__(self, wishes: Microphone) -> None:
        self._wishes = wishes
        self._sidetone = gain_of_db(wishes.sidetone_db) if wishes.sidetone_db else 0.0
        self._limiter = Limiter(gain_of_db(wishes.gain_db))
        self._cleaner: SpeexCleaner | None = None
        self._rate = 0
        self._played = b""

    def hear(self, frame: bytes, rate: int) -> bytes:
        """A frame of the card, at `rate`, as it may be sent."""
        if rate != self._rate:
            self._start(rate)
        if self._cleaner is not None:
            played = self._played if len(self._played) == len(frame) else bytes(len(frame))
            frame = self._cleaner.clean(frame, played)
        return self._limiter.limit(frame)

    def played(self, frame: bytes) -> None:
        """What the card plays in this frame, all paths and volumes included."""
        self._played = frame

    def sidetone(self, speech: bytes) -> bytes:
        """What the person hears of themselves; empty if that is nothing."""
        return scale(speech, self._sidetone) if self._sidetone and speech else b""

    def realign(self) -> None:
        """The card was opened anew or lost sound: the echo comes at another time."""
        self._played = b""
        if self._cleaner is not None:
            self._cleaner.realign()

    def _start(self, rate: int) -> None:
        wishes = self._wishes
        self._rate = rate
        self._cleaner = None
        if (wishes.echo or wishes.noise or wishes.level) and available():
            self._cleaner = SpeexCleaner(
                rate, echo=wishes.echo, noise=wishes.noise, gain=wishes.level
            )
