"""Comfort noise as it is told and as it sounds (RFC 3389)."""

from array import array

import numpy as np
import pytest

from firmware.codec.comfort_noise import ComfortNoise, Noise, read
from firmware.dsp.level import level_of


def sound(noise: Noise, samples: int = 16000) -> bytes:
    comfort = ComfortNoise()
    comfort.describe(noise.write(), 0)
    return b"".join(comfort.block(160) for _ in range(samples // 160))


def spectrum(pcm: bytes) -> "np.ndarray":
    """Power in eight equal bands, as shares."""
    samples = np.array(array("h", pcm), dtype=float)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    bands = np.array([band.sum() for band in np.array_split(power[1:], 8)])
    return bands / bands.sum()


def expected(reflections: tuple[float, ...]) -> "np.ndarray":
    """The same by the definition: one over the square of the prediction filter (RFC 3389 §3.2)."""
    filter_ = np.array([1.0])
    for k in reflections:
        longer = np.append(filter_, 0.0)
        filter_ = longer + k * longer[::-1]
    power = 1 / np.abs(np.fft.rfft(filter_, 4096)) ** 2
    bands = np.array([band.sum() for band in np.array_split(power[1:], 8)])
    return bands / bands.sum()


class TestPayload:
    @pytest.mark.parametrize("level", [0, 1, 30, 78, 127])
    def test_the_level_is_one_octet_below_the_overload(self, level):
        """RFC 3389 §3.1."""
        assert Noise(-float(level)).write() == bytes((level,))
        assert read(bytes((level,))) == Noise(-float(level))

    def test_the_first_bit_means_nothing(self):
        assert read(b"\xb2") == read(b"\x32")

    @pytest.mark.parametrize(("index", "value"), [(0, -32766), (127, 0), (128, 258), (254, 32766)])
    def test_a_coefficient_is_an_index_of_255_steps(self, index, value):
        """RFC 3389 §3.2."""
        noise = read(bytes((50, index)))
        assert noise.reflections == (value / 32768,)
        assert noise.write() == bytes((50, index))

    def test_they_stand_in_ascending_order(self):
        """RFC 3389 §3.3."""
        assert read(bytes((50, 127, 0, 254))).reflections == (0.0, -32766 / 32768, 32766 / 32768)

    def test_an_index_that_does_not_exist_yet_leaves_the_level(self):
        assert read(bytes((50, 100, 255, 30))) == Noise(-50.0)

    def test_more_coefficients_than_anybody_hears_are_left_out(self):
        """RFC 3389 §3: a receiver may."""
        assert len(read(bytes(200)).reflections) == 12

    def test_nothing_is_no_noise(self):
        assert read(b"") is None


class TestSound:
    @pytest.mark.parametrize("level", [-35.0, -50.0, -70.0])
    @pytest.mark.parametrize("colour", [(), (-0.8, 0.5), (0.7,), (-0.9, 0.6, -0.3, 0.2)])
    def test_it_has_the_level_that_was_told_whatever_its_colour(self, level, colour):
        assert level_of(sound(Noise(level, colour))) == pytest.approx(level, abs=1.5)

    @pytest.mark.parametrize("colour", [(), (-0.8, 0.5), (0.7,), (-0.9, 0.6, -0.3, 0.2)])
    def test_it_has_the_colour_that_was_told(self, colour):
        found, wanted = spectrum(sound(Noise(-35.0, colour))), expected(colour)
        for share, wish in zip(found, wanted, strict=True):
            assert 10 * np.log10(share / wish) == pytest.approx(0, abs=2)

    def test_silence_is_silence(self):
        assert level_of(sound(Noise(-127.0))) == -127.0

    def test_nobody_is_deafened(self):
        assert level_of(sound(Noise(0.0))) < -19
        assert level_of(sound(Noise(0.0, (0.99, -0.99, 0.99)))) < -15

    def test_a_new_level_is_approached_and_not_jumped_to(self):
        comfort = ComfortNoise()
        comfort.describe(Noise(-60.0).write(), 0)
        comfort.block(160)
        comfort.describe(Noise(-40.0).write(), 1)
        levels = [level_of(comfort.block(160)) for _ in range(20)]
        assert levels[0] < -44
        assert levels[-1] == pytest.approx(-40, abs=2)

    def test_speech_that_was_under_way_does_not_end_the_pause_and_what_comes_after_does(self):
        comfort = ComfortNoise()
        comfort.describe(Noise(-60.0).write(), 65535)
        comfort.play(65534)
        assert comfort.active
        comfort.play(0)
        assert not comfort.active

    @pytest.mark.parametrize("samples", [0, 1, 80, 441, 960, 9000, 40000])
    def test_any_length(self, samples):
        for colour in ((), (0.5,)):
            comfort = ComfortNoise()
            comfort.describe(Noise(-40.0, colour).write(), 0)
            assert len(comfort.block(samples)) == samples * 2

    def test_it_does_not_repeat_itself_audibly(self):
        samples = np.array(array("h", sound(Noise(-30.0), 8000)), dtype=float)
        power = float(samples @ samples)
        for lag in range(20, 4000, 7):
            assert abs(float(samples[:-lag] @ samples[lag:])) < 0.12 * power
