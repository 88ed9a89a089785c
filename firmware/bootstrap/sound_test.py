"""The sound of a wiring test: tones on a card, what microphones hear, and a voice played again.

    tone     440 Hz on one card                                  did you hear it?
    round    three bursts on one card, all microphones open      by how much do they stand out?
    listen   three seconds of one microphone, kept               how loud, how often at its limit?
    repeat   what was kept, on the same card                     did you hear yourself?

Each is a thread of its own for its few seconds; whatever happens in it is told as an event.
"""

import array
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.sine import Sine
from firmware.dsp.tone_probe import tone_level
from firmware.wiring.evidence import (
    Beep,
    Beeped,
    Level,
    Listen,
    NoSound,
    Order,
    Play,
    Played,
    Repeat,
    Sound,
)
from hal.boards.card_facts import check_mixer
from hal.boards.cards import open_card
from hal.card_spec import CardSpec
from hal.errors import DeviceError
from hal.ports import PcmPort

RATE, SECONDS, HERTZ = 16000, 3.0, 440
BURST_HERTZ = 1130
"""No multiple of what the mains hum with."""
_TONE_SECONDS = 2.0
_LOUDNESS = 0.25
_LIMIT = 32_000
_FRAMES = 50
"""Frames of 20 ms a second."""
_REACTION = 1.0
"""Seconds that somebody takes to begin to speak."""
_STROKE = 20
"""Frames of a burst, and of a pause."""
_BURSTS = 3
_BESIDE = 60
"""Hertz off, where a tone of the right pitch is fainter."""
_LATEST = 25
"""Frames that a tone may take through two buffers and the air."""
_EDGE = 2
"""Frames at the ends of bursts and pauses that are not looked at."""
_QUIETEST = -75.0
"""dBov; what is below is nothing."""
_PATIENCE = 2.0
"""Seconds that closing waits for a card that hangs."""
Recording = tuple[bytes, int]
"""Samples, and how many a second."""


class SoundTest:
    """The cards of one walk; `post` takes what comes of each order, from a thread."""

    def __init__(self, cards: Mapping[str, CardSpec], post: Callable[[Sound], None]) -> None:
        self._cards = cards
        self._post = post
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._kept: dict[str, Recording] = {}

    def do(self, order: Order) -> None:
        """Begin with it; returns at once."""
        work = partial(self._told, order)
        thread = threading.Thread(target=work, daemon=True, name="sound test")
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def close(self) -> None:
        """Be silent now."""
        self._over.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _told(self, order: Order) -> None:
        try:
            sound = self._done(order)
        except DeviceError as error:
            sound = NoSound(order.path, str(error))
        except Exception as error:  # noqa: BLE001 - a walk that waits for an answer must get one
            sound = NoSound(order.path, f"{type(error).__name__}: {error}")
        if not self._over.is_set():
            self._post(sound)

    def _done(self, order: Order) -> Sound:
        spec = self._cards[order.path]
        match order:
            case Play(path):
                with opened(spec, path) as card:
                    play(card, _frames(tone(HERTZ, card.rate), card.rate), self._over)
                return Played(path, check_mixer(spec, (path,)))
            case Repeat(path):
                pcm, rate = self._kept.get(path, (b"", RATE))
                with opened(spec, path) as card:
                    play(card, _frames(_at_rate(pcm, rate, card.rate), card.rate), self._over)
                return Played(path)
            case Listen(path):
                with opened(spec) as card:
                    heard = listen(card, SECONDS, self._over)
                    self._kept[path] = (heard.tobytes(), card.rate)
                return level_of(path, heard)
            case Beep(path, ears):
                return self._sent_round(path, ears)

    def _sent_round(self, path: str, ears: tuple[str, ...]) -> Sound:
        with opened(self._cards[path], path) as mouth, ExitStack() as others:
            microphones: dict[str, PcmPort] = {}
            for ear in ears:
                card = mouth if ear == path else _other(others, self._cards[ear])
                if card is not None and _hears(card):
                    microphones[ear] = card
            heard = send_round(mouth, microphones, self._over)
            rates = {ear: card.rate for ear, card in microphones.items()}
        return Beeped(path, tuple((ear, stands_out(heard[ear], rates[ear])) for ear in heard))


@contextmanager
def opened(spec: CardSpec, heard_on: str = "") -> Iterator[PcmPort]:
    """A card, closed again; with the outputs of a path, if something is to be heard there.

    Raises:
        hal.errors.DeviceError: it cannot be opened.
    """
    card = open_card(spec, (), RATE)
    try:
        if heard_on:
            card.heard_on((heard_on,))
        yield card
    finally:
        card.close()


def _other(stack: ExitStack, spec: CardSpec) -> PcmPort | None:
    """A card beside the one that is tried; None if it cannot be had: its own turn will tell."""
    try:
        card = stack.enter_context(opened(spec))
    except DeviceError:
        return None
    card.lead(False)  # noqa: FBT003 - the port's shape
    return card


def _hears(card: PcmPort) -> bool:
    try:
        card.set_capture(True)
    except DeviceError:
        return False
    return True


def play(card: PcmPort, frames: Iterator[bytes], over: threading.Event) -> None:
    """Play these frames, or some of them if it is over before.

    Raises:
        hal.errors.DeviceError: the card is gone.
    """
    for frame in frames:
        if over.is_set():
            return
        card.write(frame)


def listen(card: PcmPort, seconds: float, over: threading.Event) -> "array.array[int]":
    """What the microphone gives for so long, after somebody has begun to speak.

    Raises:
        hal.errors.DeviceError: the card is gone, or has no microphone.
    """
    card.set_capture(True)
    samples = array.array("h")
    whole = seconds + (_REACTION if seconds >= 1 else 0)
    until = time.monotonic() + whole
    # A card that keeps no time would fill the memory meanwhile.
    while len(samples) < whole * card.rate and time.monotonic() < until and not over.is_set():
        frame = card.read()
        samples.frombytes(frame)
        if not frame:
            over.wait(0.01)
    return samples[-round(card.rate * seconds) :]


def send_round(
    mouth: PcmPort, ears: Mapping[str, PcmPort], over: threading.Event
) -> dict[str, bytes]:
    """Play the bursts, and give what each microphone recorded meanwhile.

    Raises:
        hal.errors.DeviceError: a card is gone.
    """
    heard = dict.fromkeys(ears, b"")
    for frame in bursts(mouth.rate):
        if over.is_set():
            break
        mouth.write(frame)
        for ear, card in ears.items():
            heard[ear] += card.read()
    return heard


def bursts(rate: int) -> Iterator[bytes]:
    """Frames: a pause, then bursts with a pause after each."""
    samples = rate // _FRAMES
    silence = bytes(samples * SAMPLE_BYTES)
    sine = Sine(BURST_HERTZ, rate)
    for place in range(_STROKE * (2 * _BURSTS + 1)):
        loud = place // _STROKE % 2
        yield audioop.mul(sine.block(samples), SAMPLE_BYTES, _LOUDNESS) if loud else silence


def stands_out(pcm: bytes, rate: int) -> float:
    """By how many dB the quietest burst is above the loudest pause, at the delay that fits best."""
    frame = rate // _FRAMES * SAMPLE_BYTES
    places = range(0, len(pcm) - 2 * frame + 1, frame)
    levels = [_level(pcm[at : at + 2 * frame], rate) for at in places]
    return max((_contrast(levels, delay) for delay in range(_LATEST + 1)), default=0.0)


def _level(pcm: bytes, rate: int) -> float:
    """How loud the tone is, in dBov; one of another pitch is none."""
    level = tone_level(pcm, rate, BURST_HERTZ)
    beside = max(tone_level(pcm, rate, BURST_HERTZ + off) for off in (-_BESIDE, _BESIDE))
    return max(level, _QUIETEST) if level > beside else _QUIETEST


def _contrast(levels: list[float], delay: int) -> float:
    strokes = [
        levels[delay + at + _EDGE : delay + at + _STROKE - _EDGE]
        for at in range(0, _STROKE * (2 * _BURSTS + 1), _STROKE)
    ]
    pauses, loud = [stroke for stroke in strokes[::2] if stroke], strokes[1::2]
    if not all(len(stroke) * 2 >= _STROKE for stroke in loud):
        return 0.0
    return min(map(statistics.median, loud)) - max(map(statistics.median, pauses))


def tone(hertz: int, rate: int) -> bytes:
    """Two seconds of a sine."""
    return audioop.mul(Sine(hertz, rate).block(round(rate * _TONE_SECONDS)), 2, _LOUDNESS)


def _frames(pcm: bytes, rate: int) -> Iterator[bytes]:
    """In frames of 20 ms, the last one filled with silence."""
    size = rate // _FRAMES * SAMPLE_BYTES
    for at in range(0, len(pcm), size):
        yield pcm[at : at + size].ljust(size, b"\0")


def _at_rate(pcm: bytes, rate: int, wanted: int) -> bytes:
    """A card that was opened again may have another rate."""
    if rate == wanted:
        return pcm
    return audioop.ratecv(pcm, SAMPLE_BYTES, 1, rate, wanted, None)[0]


def level_of(path: str, samples: "array.array[int]") -> Level:
    """The loudest sample, and the part of the samples that are at the limit.

    A silence that is not quite zero is no signal: what counts is how far it swings.
    """
    if not samples:
        return Level(path, 0.0, 0.0)
    middle = math.fsum(samples) / len(samples)
    peak = max(abs(sample - middle) for sample in (min(samples), max(samples))) / 32768
    clipped = sum(abs(sample) >= _LIMIT for sample in samples) / len(samples)
    return Level(path, min(peak, 1.0), clipped)
