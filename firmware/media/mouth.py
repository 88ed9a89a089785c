"""What is done to a microphone's sound before anybody hears it. Pure.

    card ─▶ echo, noise, automatic gain (libspeexdsp) ─▶ gain with a limit ─▶ streams
                    ▲
                    └─ what the loudspeaker of the same card played in the frame before

The card keeps what it has queued at one level (`hal.sound.alsa`), and a frame is read before the
next is played: so the echo of a frame is always as late, wherever the clocks of loudspeaker and
microphone drift, and the canceller has nothing to learn anew. Where it is so late that it would not
find it, because of what lies behind the card, it is given what was played that much earlier. A card
that lost sound begins another schedule: then what was learned hinders, and learning anew is quicker
than unlearning.
"""

from firmware.dsp.limiter import Limiter
from firmware.dsp.mixer import gain_of_db, scale
from firmware.dsp.speex import SpeexCleaner, available
from firmware.media.echo_delay import LONGEST, EchoDelay
from firmware.media.messages import Microphone

_LEAD, _LATE = 0.010, 0.075
"""Seconds by which the canceller should have a sound before its echo, and at most need have."""

_HUSH = 7
"""Frames of silence after a mute, until the canceller knows again what was played before: else the
far end would hear its own last words."""


class Mouth:
    """One path's microphone."""

    __slots__ = (
        "_behind",
        "_cleaner",
        "_delay",
        "_hushed",
        "_limiter",
        "_past",
        "_played",
        "_rate",
        "_sidetone",
        "_wishes",
    )

    def __init__(self, wishes: Microphone) -> None:
        self._wishes = wishes
        self._sidetone = gain_of_db(wishes.sidetone_db) if wishes.sidetone_db else 0.0
        self._limiter = Limiter(gain_of_db(wishes.gain_db))
        self._cleaner: SpeexCleaner | None = None
        self._rate = 0
        self._played = self._past = b""
        self._delay: EchoDelay | None = None
        self._behind = 0
        self._hushed = 0

    def hear(self, frame: bytes, rate: int) -> bytes:
        """A frame of the card, at `rate`, as it may be sent."""
        if rate != self._rate:
            self._start(rate)
        if self._cleaner is not None:
            played = self._played if len(self._played) == len(frame) else bytes(len(frame))
            if self._delay is not None:
                played = self._reference(self._delay, played, frame)
            frame = self._cleaner.clean(frame, played)
        if self._hushed:
            self._hushed -= 1
            return bytes(len(frame))
        return self._limiter.limit(frame)

    def miss(self, *, muted: bool) -> None:
        """A frame passes without a sound from the card, or with one that nobody may hear."""
        if self._delay is not None:
            self._remember(self._played)
            self._delay.forget()
            if muted:
                self._hushed = _HUSH

    def _reference(self, delay: EchoDelay, played: bytes, heard: bytes) -> bytes:
        """What the canceller should take for the origin of the echo in this frame."""
        self._remember(played)
        late = delay.note(played, heard)
        if late is not None and not 0 <= late - self._behind / self._rate <= _LATE:
            self._behind = round(max(0.0, late - _LEAD) * self._rate)
            if self._cleaner is not None:
                self._cleaner.realign()
        end = len(self._past) - self._behind * 2
        return self._past[max(0, end - len(played)) : max(0, end)].rjust(len(played), b"\0")

    def _remember(self, played: bytes) -> None:
        keep = round(self._rate * LONGEST) * 2 + len(played)
        self._past = (self._past + played)[-keep:]

    def played(self, frame: bytes) -> None:
        """What the card plays in this frame, all paths and volumes included."""
        self._played = frame

    def sidetone(self, speech: bytes) -> bytes:
        """What the person hears of themselves; empty if that is nothing."""
        return scale(speech, self._sidetone) if self._sidetone and speech else b""

    def realign(self) -> None:
        """The card was opened anew or lost sound: the echo comes at another time."""
        self._played = self._past = b""
        if self._delay is not None:
            self._delay.forget()
        if self._cleaner is not None:
            self._cleaner.realign()

    def _start(self, rate: int) -> None:
        wishes = self._wishes
        self._rate = rate
        self._cleaner = self._delay = None
        self._past, self._behind = b"", 0
        if (wishes.echo or wishes.noise or wishes.level) and available():
            self._cleaner = SpeexCleaner(
                rate, echo=wishes.echo, noise=wishes.noise, gain=wishes.level
            )
            self._delay = EchoDelay() if wishes.echo else None
