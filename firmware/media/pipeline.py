"""The way of a 20 ms frame between card and packet. Pure.

    far end ─▶ stream.hear ─┬ CARD ─▶ resample ─▶ + tones ─▶ volume ─▶ card of the talk path
                            ├ LOOP ─────────┐
                            └ NULL, CLIP: unheard
    microphone ─▶ mute ─▶ mouth CARD──────────┼─▶ stream.say ─▶ far end
                    silence ──NULL──────────┤
                    clip ─────CLIP──────────┘

`Desk` is the near side: paths, tones, volumes, mute. `NearEnd` is one stream's place at it.
"""

from collections.abc import Collection

from firmware.dsp.mixer import mix, scale
from firmware.dsp.resample import Resampler
from firmware.media.insert import Clip
from firmware.media.messages import ClipEnded, Microphone, PathName, PlayTone, Route, ToneEnded
from firmware.media.mouth import Mouth
from firmware.media.tones import Tones

# Once a frame: finding a member in its enum is dearer than comparing with it.
_LOOP, _CARD = Route.LOOP, Route.CARD

_NOMINAL = 70
_DB_A_STEP_UP = 0.2
_DB_A_STEP_DOWN = 0.4
_SILENCE: dict[int, bytes] = {}


def silence(rate: int) -> bytes:
    """20 ms of it."""
    frame = _SILENCE.get(rate)
    if frame is None:
        frame = _SILENCE[rate] = bytes(rate // 50 * 2)
    return frame


def gain_of(volume: int) -> float:
    """The factor of a volume: 70 changes nothing, 100 is 6 dB more, each 10 below 4 dB less."""
    if volume <= 0:
        return 0.0
    steps = min(volume, 100) - _NOMINAL
    decibels = steps * (_DB_A_STEP_UP if steps > 0 else _DB_A_STEP_DOWN)
    return float(10 ** (decibels / 20))


class _Path:
    """What is heard on one path, and what is done to what is said there."""

    __slots__ = ("gain", "mouth", "tones", "wishes")

    def __init__(self, volume: int) -> None:
        self.gain = gain_of(volume)
        self.tones = Tones()
        self.wishes: Microphone | None = None
        self.mouth: Mouth | None = None

    def speak_through(self, wishes: Microphone | None) -> None:
        """Treat the microphone so from now on; the same wishes keep what was learned."""
        if wishes != self.wishes:
            self.wishes = wishes
            self.mouth = Mouth(wishes) if wishes is not None else None


class Desk:
    """The near side. Orders between frames; in a frame first the streams, then `frame_for`."""

    __slots__ = (
        "_ended",
        "_mouth",
        "_paths",
        "_rate",
        "_spoken",
        "_upsets",
        "_wants",
        "microphone",
        "muted",
        "talking",
    )

    def __init__(self) -> None:
        self.talking: PathName | None = None
        """The path the person talks on, None on hook."""
        self.muted = False
        self.microphone = b""
        """What the person said in this frame, at `rate`; empty if nobody listens to them."""
        self._wants = False
        self._mouth: Mouth | None = None
        self._paths: dict[PathName, _Path] = {}
        self._rate = 0
        self._upsets = 0
        self._spoken: list[bytes] = []
        self._ended: list[ToneEnded] = []

    @property
    def rate(self) -> int:
        """The rate of the talk path's card, 0 on hook."""
        return self._rate

    @property
    def microphone_open(self) -> bool:
        """Whether the capture device must be open."""
        return self._wants and self.talking is not None

    @property
    def wanted(self) -> bool:
        """Whether there is anything to play or somebody on the phone."""
        return self.talking is not None or any(path.tones for path in self._paths.values())

    @property
    def sounding(self) -> tuple[PathName, ...]:
        """The paths on which somebody may hear something."""
        return tuple(
            name for name, path in self._paths.items() if name is self.talking or path.tones
        )

    def sounds_on(self, paths: Collection[PathName]) -> bool:
        """Whether a tone plays on one of these paths."""
        return any(state.tones for name, state in self._paths.items() if name in paths)

    # Orders

    def open(self, name: PathName, volume: int, microphone: Microphone | None = None) -> None:
        """Make a path known, or change its volume and its microphone."""
        if name in self._paths:
            self.set_volume(name, volume)
        else:
            self._paths[name] = _Path(volume)
        self._paths[name].speak_through(microphone)
        self._choose_mouth()

    def close(self, name: PathName) -> None:
        """Forget a path and its tones."""
        self._paths.pop(name, None)
        if self.talking is name:
            self.talk_on(None, microphone=False)

    def set_volume(self, name: PathName, volume: int) -> None:
        """What is heard on a path, in per cent."""
        path = self._paths.get(name)
        if path is not None:
            path.gain = gain_of(volume)

    def talk_on(self, name: PathName | None, *, microphone: bool) -> None:
        """The person lifts something, or hangs up."""
        self.talking = name
        self._wants = microphone
        self.microphone = b""
        self._choose_mouth()
        self.realign()

    def realign(self) -> None:
        """Loudspeaker and microphone may be another time apart than before."""
        if self._mouth is not None:
            self._mouth.realign()

    def _choose_mouth(self) -> None:
        path = self._paths.get(self.talking) if self.talking is not None else None
        self._mouth = path.mouth if path is not None else None

    def play(self, order: PlayTone) -> None:
        """Start a tone; it replaces the one of the same name on that path."""
        path = self._paths.get(order.path)
        if path is not None:
            path.tones.play(order)

    def stop(self, name: str, path: PathName | None) -> None:
        """End a tone on a path, or wherever it plays."""
        for each, state in self._paths.items():
            if path is None or each is path:
                state.tones.stop(name)

    # A frame

    def begin_frame(self, rate: int, microphone: bytes, upsets: int = 0) -> None:
        """The talk path's card runs at `rate` and recorded `microphone`.

        `upsets` changes when that card lost sound or was opened anew.
        """
        self._rate = rate
        if upsets != self._upsets:
            self._upsets = upsets
            self.realign()
        self._spoken.clear()
        # Mute discards here, before anything could keep it.
        if self.muted or not microphone:
            self.microphone = b""
            if self._mouth is not None:
                self._mouth.miss(muted=self.muted)
        elif self._mouth is None:
            self.microphone = microphone
        else:
            self.microphone = self._mouth.hear(microphone, rate)

    def hear(self, frame: bytes) -> None:
        """A stream in front says this to the person, at `rate`."""
        self._spoken.append(frame)

    def frame_for(self, paths: Collection[PathName], rate: int) -> bytes | None:
        """What the card of these paths plays in this frame, None if it rests."""
        frames = []
        for name in paths:
            path = self._paths.get(name)
            if path is None:
                continue
            parts = self._parts(name, path, rate)
            if parts or name is self.talking:
                frame = mix(parts) if parts else silence(rate)
                frames.append(frame if path.gain == 1.0 else scale(frame, path.gain))
        if not frames:
            return None
        played = mix(frames)
        if self._mouth is not None and self.talking in paths:
            self._mouth.played(played)
        return played

    def _parts(self, name: PathName, path: _Path, rate: int) -> list[bytes]:
        parts = []
        if name is self.talking:
            parts += self._spoken
            if self._mouth is not None and (own := self._mouth.sidetone(self.microphone)):
                parts.append(own)
        if path.tones:
            parts.append(path.tones.next_frame(rate))
            self._ended += [ToneEnded(tone, name) for tone in path.tones.take_ended()]
        return parts

    def take_ended(self) -> list[ToneEnded]:
        """One-shot tones that came to their end."""
        if not self._ended:
            return self._ended
        ended, self._ended = self._ended, []
        return ended


class NearEnd:
    """What the near end of one stream is, and the filters between its rate and the card's."""

    __slots__ = ("_clip", "_filters", "_place", "_repeat", "ended", "route")

    def __init__(self, route: Route, clip: Clip | None) -> None:
        self.route = route
        self.ended = False
        """Whether a clip came to its end since `take_ended`."""
        self._clip = clip
        self._place = 0
        self._repeat = False
        self._filters: dict[tuple[str, int, int], Resampler] = {}

    def change(self, route: Route, clip: Clip | None, *, repeat: bool) -> None:
        """Connect the stream to something else."""
        self.route = route
        self._clip = clip
        self._place = 0
        self._repeat = repeat
        self._filters.clear()

    def exchange(self, heard: bytes, rate: int, speaks_at: int, desk: Desk) -> bytes:
        """Take what the far end said at `rate`; give what it is told, at `speaks_at`."""
        route = self.route
        if route is _LOOP:
            return heard if rate == speaks_at else self._at("back", heard, rate, speaks_at)
        if route is _CARD:
            if not desk.rate:
                return silence(speaks_at)
            desk.hear(self._at("ear", heard, rate, desk.rate))
            # Silence takes the same way: a filter must not keep what was said before it.
            return self._at("mouth", desk.microphone or silence(desk.rate), desk.rate, speaks_at)
        if route is Route.CLIP and self._clip is not None:
            clip = self._clip
            return self._at("clip", self._next_piece(clip), clip.rate, speaks_at)
        return silence(speaks_at)

    def take_ended(self, stream: int) -> ClipEnded:
        """The report of a clip's end."""
        self.ended = False
        return ClipEnded(stream)

    def _next_piece(self, clip: Clip) -> bytes:
        size = clip.rate // 50 * 2
        piece = clip.pcm[self._place : self._place + size]
        self._place += size
        if self._place < len(clip.pcm):
            return piece
        if self._repeat and clip.pcm:
            self._place = 0
        else:
            self._clip = None
            self.ended = True
        return piece.ljust(size, b"\0")

    def _at(self, way: str, pcm: bytes, rate: int, wanted: int) -> bytes:
        """A frame at another rate; each way through has its own filter."""
        if rate == wanted:
            return pcm
        key = (way, rate, wanted)
        resampler = self._filters.get(key)
        if resampler is None:
            resampler = self._filters[key] = Resampler(rate, wanted)
        return resampler.convert(pcm)
