"""Sums and gains."""

from array import array

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.mixer import gain_of_db, mix, scale


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def test_frames_are_added_sample_by_sample():
    assert mix([pcm(1, -2, 300), pcm(10, 20, 30), pcm(0, 0, -30)]) == pcm(11, 18, 300)


def test_f35_what_is_too_loud_is_held_and_never_wraps():
    assert mix([pcm(30000, -30000), pcm(30000, -30000)]) == pcm(32767, -32768)
    assert scale(pcm(20000, -20000), 4) == pcm(32767, -32768)


def test_one_frame_stays_as_it_is_and_none_is_none():
    frame = pcm(1, 2, 3)
    assert mix([frame]) is frame
    assert mix([]) == b""


def test_gains_are_factors():
    assert scale(pcm(1000, -1000), 0.5) == pcm(500, -500)
    assert gain_of_db(6.0206) == pytest.approx(2, rel=1e-4)
    assert gain_of_db(0) == 1


def test_frames_of_two_lengths_are_our_own_mistake():
    with pytest.raises(audioop.error):
        mix([pcm(1), pcm(1, 2)])
