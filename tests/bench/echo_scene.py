"""Hands-free in a room: how much of the far end comes back to it, and what one's own voice loses.

    python -m tests.bench.echo_scene [--seeds N]

The real card (on a stand-in for ALSA), the real desk and the real canceller, on virtual time. The
loudspeaker's clock runs 50 ppm faster than the microphone's. The far end speaks all the time; the
near end joins in for some seconds; in the middle the card loses 100 ms both ways.

What is judged is the microphone after the canceller: ERLE where only the far end speaks, from the
fifth second on; in double talk, how loud the near end's own voice still is in it (its projection).
"""

import argparse
import statistics
import sys
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from firmware.media.messages import Microphone, PathName
from firmware.media.pipeline import Desk
from hal.sound.alsa import AlsaCard
from tests.bench.speech import segment
from tests.support.fake_alsa import FakeAlsa, Hardware

RATE = 16_000
FRAME = RATE // 50
FAR_FROM_NEAR = 0.35
"""How loud the echo is at the microphone, as a share of what is played."""
DOUBLE_TALK = (12.0, 18.0)
XRUN = 22.0
SECONDS = 32.0
EAR_PPM = 50.0
_REVERB = 0.02
_ROOM_SECONDS = 0.08
_WAY = 0.002
_LATE = round(0.03 * RATE)

Samples = NDArray[np.float64]


class Room(Hardware):
    """A card whose microphone hears its loudspeaker, and a person now and then."""

    def __init__(self, near: Samples, seed: int) -> None:
        super().__init__(rates=(RATE,), channels=(1,), ppm=0.0, ear_ppm=EAR_PPM)
        rng = np.random.default_rng(seed)
        count = round(_ROOM_SECONDS * RATE)
        tail = rng.standard_normal(count) * np.exp(-np.arange(count) / (_REVERB * RATE))
        tail[: round(_WAY * RATE)] = 0.0
        self._tail = tail * FAR_FROM_NEAR / np.sqrt((tail**2).sum())
        self._noise = rng
        self._near = near
        self.echo: list[Samples] = []
        self.speech = self.record

    def record(self, count: int) -> bytes:
        """The next samples of the microphone: what the loudspeaker did at just that time."""
        if not count:
            return b""
        began, before = self.capturing.starts[-1]
        first = self.capturing.passed - count
        # A little more than is recorded: what is still in the room from before.
        numbers = np.arange(first - len(self._tail), first + count)
        played = self._played(began + (numbers - before) / RATE)
        echo = np.convolve(played, self._tail)[len(self._tail) : len(self._tail) + count]
        self.echo.append(echo)
        own = np.zeros(count)
        near = self._near[first : first + count]
        own[: len(near)] = near
        sound = echo + own + 4.0 * self._noise.standard_normal(count)
        return np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()

    def _played(self, times: Samples) -> Samples:
        """The loudspeaker's sound at these moments."""
        done = np.frombuffer(bytes(self.heard), np.int16).astype(float)
        sound = np.zeros(len(times))
        starts = self.playing.starts
        for (began, before), (_, end) in zip(starts, [*starts[1:], (0.0, len(done))], strict=True):
            at = before + (times - began) * RATE * self.ear_speed
            inside = (at >= before) & (at < end - 1)
            sound[inside] = np.interp(at[inside], np.arange(len(done)), done)
        return sound


def scene(seed: int) -> dict[str, float]:
    """One room, one conversation."""
    far = np.tile(np.frombuffer(segment(seed, RATE), np.int16), 5).astype(float) * 2.0
    far = np.clip(far, -32768, 32767).astype(np.int16)
    near = np.zeros(round(SECONDS * RATE))
    began, ended = (round(at * RATE) for at in DOUBLE_TALK)
    near[began:ended] = np.frombuffer(segment(seed + 100, RATE), np.int16)[: ended - began]
    room = Room(near, seed)
    alsa = FakeAlsa({"hw:CARD=Room": room})
    with mock.patch.dict(sys.modules, {"alsaaudio": alsa}):
        card = AlsaCard("id:Room", RATE, alsa.sleep)
        return _judge(*_talk(card, alsa, room, far), near)


def _talk(
    card: AlsaCard, alsa: FakeAlsa, room: Room, far: NDArray[np.int16]
) -> tuple[Samples, Samples]:
    """What the far end is told, and the echo that was in the microphone."""
    desk = Desk()
    desk.open(PathName.SPEAKER, 70, Microphone(echo=True))
    desk.talk_on(PathName.SPEAKER, microphone=True)
    card.set_capture(True)
    told: list[bytes] = []
    for number in range(round(SECONDS * 50)):
        if number == round(XRUN * 50):
            alsa.now += 0.1
        microphone = card.read()
        desk.begin_frame(RATE, microphone, card.xruns)
        told.append(desk.microphone or bytes(2 * FRAME))
        desk.hear(far[number * FRAME : (number + 1) * FRAME].tobytes())
        frame = desk.frame_for({PathName.SPEAKER}, RATE)
        card.write(frame or bytes(2 * FRAME))
    heard = np.frombuffer(b"".join(told), np.int16).astype(float)
    return heard, np.concatenate(room.echo)


def _judge(heard: Samples, echo: Samples, near: Samples) -> dict[str, float]:
    def share(first: float, last: float) -> slice:
        return slice(round(first * RATE), round(last * RATE))

    def erle(part: slice) -> float:
        return float(10 * np.log10((echo[part] ** 2).mean() / ((heard[part] ** 2).mean() + 1e-9)))

    double = share(*DOUBLE_TALK)
    best = max(
        float(np.dot(heard[double.start + late : double.stop + late], near[double]))
        for late in range(_LATE * 2)
    )
    kept = best / float(np.dot(near[double], near[double]))
    return {
        "aec_erle_db": erle(share(5.0, DOUBLE_TALK[0])),
        "aec_near_end_db": float(20 * np.log10(max(kept, 1e-6))),
        "aec_erle_after_xrun_db": erle(share(XRUN + 5.0, SECONDS - 1)),
    }


def run(seeds: int = 3) -> dict[str, float]:
    """Each figure's median over the seeds."""
    scenes = [scene(seed) for seed in range(seeds)]
    return {key: statistics.median(each[key] for each in scenes) for key in scenes[0]}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.echo_scene")
    parser.add_argument("--seeds", type=int, default=3)
    for key, value in run(parser.parse_args().seeds).items():
        sys.stdout.write(f"{key:28} {value:6.1f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
