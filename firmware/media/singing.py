"""DTMF as sound, for a far end that takes no telephone-events (ITU-T Q.23, Q.24). Pure."""

from collections import deque

from firmware.dsp.tones import DTMF, TonePlayer
from firmware.media.messages import ToneSegment

_LEVEL = -12.0
"""dBov of each of the two tones."""

_SHORTEST_MS = 70
_QUEUE = 64


class DigitSinger:
    """Digits waiting and the one that sounds; while `active` it takes the place of speech."""

    __slots__ = ("_player", "_waiting", "rate")

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._waiting: deque[tuple[ToneSegment, ...]] = deque()
        self._player: TonePlayer | None = None

    @property
    def active(self) -> bool:
        """Whether a digit sounds or waits."""
        return self._player is not None or bool(self._waiting)

    def queue(self, digits: str, tone_ms: int, gap_ms: int) -> None:
        """Append digits; what is no key is left out."""
        tone, gap = max(tone_ms, _SHORTEST_MS) / 1000, max(gap_ms, _SHORTEST_MS) / 1000
        for digit in digits.upper():
            pair = DTMF.get(digit)
            if pair is not None and len(self._waiting) < _QUEUE:
                self._waiting.append((ToneSegment(pair, tone, _LEVEL), ToneSegment((), gap)))

    def next_frame(self) -> bytes:
        """20 ms of digits."""
        player = self._player
        if player is None:
            player = self._player = TonePlayer(self._waiting.popleft(), -1, self.rate)
        pcm = player.block(self.rate // 50)
        if player.ended:
            self._player = None
        return pcm
