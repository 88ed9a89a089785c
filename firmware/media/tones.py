"""The tones that play on one path, by name. Pure."""

from firmware.dsp.mixer import mix
from firmware.dsp.tones import TonePlayer
from firmware.media.messages import PlayTone

_SHORTEST_FRAMES = 2
"""A one-shot beep that is stopped is still heard for 40 ms, or nobody would hear it."""


class _Playing:
    """A tone on its way to the ear; made at the first frame, when the card's rate is known."""

    __slots__ = ("frames", "order", "player", "stopping")

    def __init__(self, order: PlayTone) -> None:
        self.order = order
        self.player: TonePlayer | None = None
        self.stopping = False
        self.frames = 0

    def next_frame(self, rate: int) -> bytes:
        player = self.player
        if player is None or player.rate != rate:
            player = TonePlayer(self.order.segments, self.order.repeat_from, rate)
            self.player = player
        if self.stopping and (self.order.repeat_from >= 0 or self.frames >= _SHORTEST_FRAMES):
            player.stop()
        self.frames += 1
        return player.block(rate // 50)

    @property
    def ended(self) -> bool:
        return self.player is not None and self.player.ended


class Tones:
    """What plays now and what fades out; its length is how many of both."""

    __slots__ = ("_ended", "_fading", "_playing")

    def __init__(self) -> None:
        self._playing: dict[str, _Playing] = {}
        self._fading: list[_Playing] = []
        self._ended: list[str] = []

    def __len__(self) -> int:
        return len(self._playing) + len(self._fading)

    def play(self, order: PlayTone) -> None:
        """Start a tone; the one of the same name fades out beside it."""
        self.stop(order.name)
        self._playing[order.name] = _Playing(order)

    def stop(self, name: str) -> None:
        """Let a tone fade out in the next frame."""
        playing = self._playing.pop(name, None)
        if playing is not None and (playing.player is not None or playing.order.repeat_from < 0):
            playing.stopping = True
            self._fading.append(playing)

    def next_frame(self, rate: int) -> bytes:
        """20 ms of everything that plays here."""
        frames = [playing.next_frame(rate) for playing in self._playing.values()]
        frames += [playing.next_frame(rate) for playing in self._fading]
        self._fading = [playing for playing in self._fading if not playing.ended]
        over = [name for name, playing in self._playing.items() if playing.ended]
        for name in over:
            del self._playing[name]
        self._ended += over
        return mix(frames) if frames else bytes(rate // 50 * 2)

    def take_ended(self) -> list[str]:
        """The tones that came to their own end since this was last asked."""
        ended, self._ended = self._ended, []
        return ended
