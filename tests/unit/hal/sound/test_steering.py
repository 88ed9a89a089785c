"""A queue held at one level, whatever its card's clock does."""

import math
from array import array
from random import Random

import pytest

from hal.sound.steering import Steering

RATE, FRAME, MARGIN = 16_000, 320, 160


class Queue:
    """A card whose clock is so many ppm faster than ours, looked at a little early or late."""

    def __init__(self, ppm, tremble=0.0):
        self.steering = Steering(RATE, MARGIN)
        self.ppm, self.tremble = ppm, tremble
        self.queued = float(MARGIN + FRAME)
        self.random = Random(1)  # noqa: S311 - a test's
        self.phase = 0
        self.heard = array("h")

    def run(self, frames):
        """So many frames; what was queued after each."""
        levels = []
        for _ in range(frames):
            self.queued -= FRAME * (1 + self.ppm * 1e-6)
            seen = self.queued + self.random.uniform(-self.tremble, self.tremble)
            out = self.steering.frame(self._tone(), round(seen))
            self.heard.frombytes(out)
            self.queued += len(out) // 2
            levels.append(self.queued)
        return levels

    def _tone(self):
        step = 2 * math.pi * 500 / RATE
        first, self.phase = self.phase, self.phase + FRAME
        return array(
            "h", (round(9000 * math.sin(step * n)) for n in range(first, first + FRAME))
        ).tobytes()


def test_with_one_clock_every_frame_passes_as_it_is():
    queue = Queue(0, tremble=6)
    queue.run(3000)
    assert len(queue.heard) == 3000 * FRAME
    assert queue.steering.drift_ppm == 0


@pytest.mark.parametrize("ppm", [-1000, -200, -50, 50, 200, 1000])
def test_another_clock_is_measured_and_the_level_held(ppm):
    queue = Queue(ppm, tremble=4)
    levels = queue.run(3000)
    late = levels[1000:]
    assert queue.steering.drift_ppm == pytest.approx(ppm, rel=0.2, abs=20)
    assert max(late) - min(late) < 12, "the delay trembles"
    assert max(levels) - min(levels) < 80, "the delay swings before it settles"


def test_nothing_is_heard_of_it():
    queue = Queue(300)
    queue.run(1500)
    jumps = [abs(b - a) for a, b in zip(queue.heard, queue.heard[1:], strict=False)]
    assert max(jumps) < 9000 * 2 * math.pi * 500 / RATE * 1.05
    assert max(queue.heard) > 8900


def test_what_was_learnt_outlives_a_queue_that_ran_dry():
    queue = Queue(200)
    queue.run(2000)
    queue.steering.begin()
    queue.queued = float(MARGIN + FRAME)
    levels = queue.run(200)
    assert max(levels) - min(levels) < 6


def test_the_ratio_of_one_to_one_loses_no_frame():
    steering = Steering(RATE, MARGIN)
    steering._steers = True
    assert [len(steering.frame(bytes(640), MARGIN)) for _ in range(40)] == [640] * 40
