"""The sound of a wiring test: a tone on a card, and what its microphone gives. Blocks."""

import array
import math
import threading
import time

from firmware.wiring.evidence import Level, NoSound, Played, Sound
from hal.boards.cards import open_card
from hal.card_spec import CardSpec
from hal.errors import DeviceError
from hal.ports import PcmPort

RATE, SECONDS, HERTZ = 16000, 3.0, 440
_LOUDNESS = 8000
_LIMIT = 32_000
_FRAMES = 50
"""Frames of 20 ms a second."""


def play(path: str, spec: CardSpec) -> Sound:
    """A second and a half of tone."""
    try:
        card = open_card(spec, (), RATE)
    except DeviceError as error:
        return NoSound(path, str(error))
    try:
        for frame in range(int(1.5 * _FRAMES)):
            card.write(_tone(card.rate, frame))
    except DeviceError as error:
        return NoSound(path, str(error))
    finally:
        card.close()
    return Played(path)


def _tone(rate: int, frame: int) -> bytes:
    length = rate // _FRAMES
    turn = 2 * math.pi * HERTZ / rate
    first = frame * length
    return array.array(
        "h", (round(_LOUDNESS * math.sin(turn * at)) for at in range(first, first + length))
    ).tobytes()


def listen(path: str, spec: CardSpec, seconds: float = SECONDS) -> Sound:
    """What the microphone gives meanwhile."""
    try:
        card = open_card(spec, (), RATE)
    except DeviceError as error:
        return NoSound(path, str(error))
    try:
        card.set_capture(True)
        return level_of(path, _heard(card, seconds))
    except DeviceError as error:
        return NoSound(path, str(error))
    finally:
        card.close()


def _heard(card: PcmPort, seconds: float) -> "array.array[int]":
    samples = array.array("h")
    until = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < until:
        frame = card.read()
        samples.frombytes(frame)
        if not frame:
            pause.wait(0.01)
    return samples


def level_of(path: str, samples: "array.array[int]") -> Level:
    """The loudest sample, and the part of the samples that are at the limit.

    A silence that is not quite zero is no signal: what counts is how far it swings.
    """
    if not samples:
        return Level(path, 0.0, 0.0)
    middle = sum(samples) / len(samples)
    peak = max(abs(sample - middle) for sample in (min(samples), max(samples))) / 32768
    clipped = sum(abs(sample) >= _LIMIT for sample in samples) / len(samples)
    return Level(path, min(peak, 1.0), clipped)
