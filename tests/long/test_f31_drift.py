"""Clocks that run apart for hours: the delay stays where it was, and nothing is invented."""

import pytest

from tests.support.virtual_call import VirtualCall, drifting

HOUR = 3600.0
SETTLING = 30
"""Seconds until the delay has found its place."""


@pytest.mark.parametrize(
    ("ppm", "hours"), [(100, 1), (-100, 1), (200, 2), (-200, 2)], ids=lambda each: f"{each}"
)
def test_f31_the_delay_stays_within_a_frame_of_its_start(ppm, hours):
    seconds = hours * HOUR * min(1, 1 + ppm / 1e6) - 1
    call = VirtualCall(phase=0.011).run(drifting(ppm, hours), seconds)
    start = call.delays[SETTLING]
    assert all(abs(each - start) <= 20 for each in call.delays[SETTLING:])
    buffer = call.reception.buffer
    assert (buffer.concealed, buffer.cut, buffer.late, buffer.lost) == (0, 0, 0, 0)
    drifted = hours * HOUR * abs(ppm) / 1e6
    mean_period = drifted / call.reception.player.stretched
    assert mean_period < 0.015, "it drifted, and periods were put in or left out for it"
