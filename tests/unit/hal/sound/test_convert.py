import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.sound.convert import RateConverter, to_mono


def tone(rate, hertz, seconds, level=10_000):
    count = round(rate * seconds)
    wave = (round(level * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count))
    return array("h", wave).tobytes()


def amplitude(pcm, rate, hertz):
    """Of one frequency, measured over the middle half."""
    samples = array("h", pcm)
    samples = samples[len(samples) // 4 : 3 * len(samples) // 4]
    turn = 2 * math.pi * hertz / rate
    real = sum(v * math.cos(turn * n) for n, v in enumerate(samples))
    imaginary = sum(v * math.sin(turn * n) for n, v in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


PAIRS = [(8_000, 16_000), (16_000, 8_000), (48_000, 16_000), (16_000, 48_000), (44_100, 16_000)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_tone_keeps_its_pitch_and_level(source, target):
    heard = RateConverter(source, target).convert(tone(source, 1_000, 0.5))
    assert amplitude(heard, target, 1_000) == pytest.approx(10_000, rel=0.01)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_second_stays_a_second(source, target):
    assert len(RateConverter(source, target).convert(bytes(2 * source))) == 2 * target


@pytest.mark.parametrize(("source", "target"), [(48_000, 16_000), (16_000, 8_000)])
def test_what_the_target_cannot_carry_is_gone_and_not_folded_down(source, target):
    high = target * 0.75
    heard = RateConverter(source, target).convert(tone(source, high, 0.5))
    assert amplitude(heard, target, target - high) < 10_000 * 10 ** (-60 / 20)


def test_full_scale_does_not_wrap_around():
    square = array("h", ([32_767] * 40 + [-32_768] * 40) * 50).tobytes()
    heard = array("h", RateConverter(8_000, 16_000).convert(square))
    # The sample in the middle of each half wave has the sign of the input.
    assert min(heard[40 + 160 * n] for n in range(1, 40)) > 30_000
    assert max(heard[120 + 160 * n] for n in range(1, 40)) < -30_000


def test_equal_rates_change_nothing():
    assert RateConverter(16_000, 16_000).convert(b"\x01\x02") == b"\x01\x02"


@settings(max_examples=60, deadline=None)
@given(
    pair=st.sampled_from([(8_000, 16_000), (48_000, 16_000), (11_025, 8_000)]),
    cuts=st.lists(st.integers(0, 500), max_size=8),
)
def test_it_does_not_matter_how_the_stream_is_cut(pair, cuts):
    sound = tone(pair[0], 440, 0.1)
    whole = RateConverter(*pair).convert(sound)
    piecewise, converter, start = b"", RateConverter(*pair), 0
    for cut in [*cuts, len(sound)]:
        piecewise += converter.convert(sound[start : start + 2 * cut])
        start += 2 * cut
    assert piecewise == whole


def test_a_stream_of_hours_does_not_drift():
    converter = RateConverter(48_000, 16_000)
    lengths = {len(converter.convert(bytes(1_920))) for _ in range(500)}
    assert lengths == {640}


def test_stereo_becomes_the_mean_of_both_sides():
    left_and_right = array("h", [100, 300, -100, 100]).tobytes()
    assert array("h", to_mono(left_and_right, 2)).tolist() == [200, 0]


def test_two_full_scale_sides_do_not_overflow():
    assert array("h", to_mono(array("h", [32_767, 32_767]).tobytes(), 2)).tolist() == [32_767]
