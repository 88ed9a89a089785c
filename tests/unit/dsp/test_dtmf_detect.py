"""Keys within speech, by the measures of ITU-T Q.24: what must be taken and what must not."""

import math
from array import array
from itertools import pairwise

import pytest

from firmware.base.pcm import audioop
from firmware.base.tokens import Tokens
from firmware.codec import CODECS, available
from firmware.dsp.cadence import COUNTRIES
from firmware.dsp.dtmf_detect import DtmfDetector, Pressed
from firmware.dsp.level import level_of
from firmware.dsp.tones import DTMF, Tone
from firmware.media.singing import DigitSinger
from tests.support.speech import speech

RATES = (8000, 16000, 24000, 44100, 48000)
KEYS = "159D"
"""One of each row and each column."""


def tones(key, milliseconds, *, rate=8000, off=(1.0, 1.0), twist=0.0, level=-12.0):
    """The two tones of a key; `off` bends the frequencies, `twist` is column over row in dB."""
    row, column = DTMF[key]
    peak = 32768 * math.sqrt(2) * 10 ** (level / 20)
    low, high = peak * 10 ** (-twist / 40), peak * 10 ** (twist / 40)
    first, second = (2 * math.pi * f * o / rate for f, o in zip((row, column), off, strict=True))
    return array(
        "h",
        [
            max(-32768, min(32767, round(low * math.sin(first * n) + high * math.sin(second * n))))
            for n in range(round(rate * milliseconds / 1000))
        ],
    ).tobytes()


def pause(milliseconds, rate=8000):
    return bytes(round(rate * milliseconds / 1000) * 2)


def heard(pcm, rate=8000, frame_ms=20):
    """The keys heard in a sound, and silence after it."""
    detector, found = DtmfDetector(), []
    pcm += pause(200, rate)
    size = rate * frame_ms // 1000 * 2
    for place in range(0, len(pcm) - size + 1, size):
        found += detector.hear(pcm[place : place + size], rate)
    return found


def keys(pcm, rate=8000):
    return "".join(each.key for each in heard(pcm, rate))


def noise(samples, rms, seed=b"noise"):
    tokens = Tokens(seed)
    octets = b"".join(tokens.octets(32) for _ in range(samples // 16 + 1))[: samples * 2]
    return audioop.mul(octets, 2, rms / audioop.rms(octets, 2))


@pytest.mark.parametrize("rate", RATES)
def test_every_key_is_heard_at_every_rate(rate):
    every = "".join(DTMF)
    pcm = b"".join(tones(key, 70, rate=rate) + pause(70, rate) for key in every)
    assert keys(pcm, rate) == every


def test_how_long_a_key_was_is_told():
    for milliseconds in (60, 100, 250, 1000):
        (pressed,) = heard(tones("5", milliseconds))
        assert pressed == Pressed("5", pytest.approx(milliseconds, abs=15))


class TestQ24:
    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize(
        "off", [(1.015, 1.015), (0.985, 0.985), (1.015, 0.985), (0.985, 1.015)]
    )
    def test_frequencies_off_by_one_and_a_half_per_cent_are_taken(self, key, off):
        assert keys(tones(key, 60, off=off)) == key

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize("off", [(1.035, 1.0), (0.965, 1.0), (1.0, 1.035), (1.0, 0.965)])
    def test_a_frequency_off_by_three_and_a_half_per_cent_is_not(self, key, off):
        assert keys(tones(key, 300, off=off)) == ""

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize("delay", range(0, 20, 3))
    def test_forty_milliseconds_are_enough_wherever_they_begin(self, key, delay):
        assert keys(pause(delay) + tones(key, 40)) == key

    @pytest.mark.parametrize("delay", range(0, 20, 3))
    def test_twenty_three_are_not(self, delay):
        assert keys(pause(delay) + tones("5", 23)) == ""

    @pytest.mark.parametrize("delay", range(0, 20, 3))
    def test_a_pause_of_forty_milliseconds_parts_two_keys(self, delay):
        pcm = pause(delay) + tones("5", 50) + pause(40) + tones("5", 50)
        assert keys(pcm) == "55"

    @pytest.mark.parametrize("delay", range(0, 20, 3))
    def test_a_hole_of_ten_milliseconds_does_not(self, delay):
        pcm = pause(delay) + tones("5", 60) + pause(10) + tones("5", 60)
        assert keys(pcm) == "5"

    @pytest.mark.parametrize("twist", [4.0, -8.0, 0.0])
    def test_twist_that_lines_make_is_taken(self, twist):
        assert keys(tones("5", 60, twist=twist)) == "5"

    @pytest.mark.parametrize("twist", [8.0, -13.0, 30.0, -30.0])
    def test_more_is_not(self, twist):
        assert keys(tones("5", 300, twist=twist)) == ""

    @pytest.mark.parametrize("level", [-6.5, -9, -20, -30, -38])
    def test_from_as_loud_as_it_can_be_to_the_end_of_a_long_line(self, level):
        assert keys(tones("5", 60, level=level)) == "5"

    def test_what_is_hardly_there_is_nothing(self):
        assert keys(tones("5", 300, level=-55)) == ""

    @pytest.mark.parametrize("seed", [b"a", b"b", b"c"])
    def test_noise_fifteen_decibels_below_does_not_disturb(self, seed):
        pcm = b"".join(tones(key, 60) + pause(60) for key in KEYS * 3)
        level = audioop.rms(tones("5", 60), 2) * 10 ** (-15 / 20)
        assert keys(audioop.add(pcm, noise(len(pcm) // 2, level, seed), 2)) == KEYS * 3

    def test_f35_tones_that_are_clipped_are_still_keys(self):
        assert keys(tones("5", 100, level=-4)) == "5"


class TestTalkOff:
    """What is no key must not be taken for one."""

    @pytest.mark.parametrize("rate", [8000, 16000])
    @pytest.mark.parametrize(
        ("voice", "speed"),
        [("en", 160), ("en+f3", 190), ("de", 140), ("fr+f2", 120), ("en+m7", 80)],
    )
    def test_speech(self, rate, voice, speed):
        assert keys(speech(rate, voice=voice, speed=speed), rate) == ""

    def test_loud_speech(self):
        assert keys(audioop.mul(speech(8000), 2, 6.0)) == ""

    def test_noise(self):
        assert keys(noise(8000 * 30, 3000)) == ""

    def test_one_tone_alone(self):
        for hertz in sorted({each for pair in DTMF.values() for each in pair}):
            assert keys(Tone((hertz,), -12, 8000).block(4000)) == ""

    def test_two_rows_or_two_columns(self):
        for group in ((697, 770), (852, 941), (1209, 1336), (1477, 1633)):
            assert keys(Tone(group, -12, 8000).block(4000)) == ""

    def test_the_tones_of_no_country(self):
        pairs = {
            segment.frequencies
            for country in COUNTRIES.values()
            for cadence in country.tones.values()
            for segment in cadence.segments
            if segment.frequencies
        }
        assert len(pairs) > 10
        for frequencies in pairs:
            assert keys(Tone(frequencies, -15, 8000).block(8000)) == ""

    def test_a_glide_through_all_frequencies(self):
        phases, samples = [0.0, 0.0], array("h")
        for n in range(80000):
            low, high = 600 + 400 * n / 80000, 1150 + 550 * n / 80000
            phases = [p + 2 * math.pi * f / 8000 for p, f in zip(phases, (low, high), strict=True)]
            samples.append(round(6000 * sum(map(math.sin, phases))))
        # Slow glides do dwell on a key's tones for 40 ms; no key comes twice, and few come.
        found = keys(samples.tobytes())
        assert all(a != b for a, b in pairwise(found))
        assert len(found) <= 4


@pytest.mark.parametrize("row", available(("pcmu", "pcma", "g722")), ids=lambda row: row.name)
def test_our_own_keys_are_heard_through_a_codec(row):
    codec = row.load()
    encoder, decoder = codec.encoder(), codec.decoder()
    singer = DigitSinger(row.sample_rate)
    singer.queue("1590*#AD", 70, 70)
    said = []
    while singer.active:
        said.append(decoder.decode(encoder.encode(singer.next_frame())))
    assert level_of(b"".join(said)) > -30
    assert keys(b"".join(said), row.sample_rate) == "1590*#AD"
    assert row.name in CODECS


@pytest.mark.parametrize("frame_ms", [10, 20, 30, 60])
def test_the_length_of_the_frames_does_not_matter(frame_ms):
    pcm = b"".join(tones(key, 70) + pause(70) for key in "159")
    assert "".join(each.key for each in heard(pcm, frame_ms=frame_ms)) == "159"


def test_a_change_of_rate_in_the_middle_is_no_error():
    detector = DtmfDetector()
    for rate in (8000, 48000, 44100, 16000, 8000):
        for size in (0, 2, 160, 882):
            detector.hear(tones("5", 100, rate=rate)[: size * 2], rate)
    assert heard(b"") == []
