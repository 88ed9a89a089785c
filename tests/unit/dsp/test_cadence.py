"""The table of countries."""

import pytest

from firmware.dsp.cadence import COUNTRIES, Segment, ToneKind, cadence, country
from firmware.media.messages import ToneSegment

TWELVE = ["US", "UK", "DE", "FR", "ES", "IT", "JP", "AU", "RU", "IN", "BR", "ID"]


def test_the_twelve_countries_are_there():
    assert list(COUNTRIES) == TWELVE


@pytest.mark.parametrize("code", TWELVE)
def test_a_country_has_every_tone_and_a_bell(code):
    here = country(code)
    assert set(here.tones) == set(ToneKind)
    assert len(here.ring) % 2 == 0
    assert all(seconds > 0 for seconds in here.ring)
    for segments, repeat_from in here.tones.values():
        assert segments
        assert -1 <= repeat_from < len(segments)
        assert all(segment.seconds >= 0 and segment.level < 0 for segment in segments)
        assert all(200 < hertz < 3400 for segment in segments for hertz in segment.frequencies)


@pytest.mark.parametrize("code", TWELVE)
def test_dial_tone_and_busy_cannot_be_mistaken_for_each_other(code):
    tones = country(code).tones
    assert tones[ToneKind.DIAL] != tones[ToneKind.BUSY]
    assert tones[ToneKind.RINGBACK] != tones[ToneKind.BUSY]
    assert tones[ToneKind.STUTTER] != tones[ToneKind.DIAL]


@pytest.mark.parametrize("code", TWELVE)
def test_a_beep_in_a_call_is_softer_and_the_howler_louder_than_dial_tone(code):
    tones = country(code).tones
    loudness = {kind: tones[kind].segments[0].level for kind in ToneKind}
    assert loudness[ToneKind.CALL_WAITING] < loudness[ToneKind.DIAL] < loudness[ToneKind.HOWLER]


def test_other_names_and_other_countries():
    assert country("gb") is country("UK")
    assert country("de").code == "DE"
    assert country("ZZ").code == "US"


def test_a_segment_becomes_an_order_by_its_fields():
    assert ToneSegment(*Segment((425,), 0.5)) == ToneSegment((425,), 0.5, -19.0)


@pytest.mark.parametrize(
    ("code", "kind", "frequencies", "pattern"),
    [
        ("US", ToneKind.DIAL, (350, 440), (0.0,)),
        ("US", ToneKind.RINGBACK, (440, 480), (2.0, 4.0)),
        ("US", ToneKind.BUSY, (480, 620), (0.5, 0.5)),
        ("US", ToneKind.CONGESTION, (480, 620), (0.25, 0.25)),
        ("UK", ToneKind.RINGBACK, (400, 450), (0.4, 0.2, 0.4, 2.0)),
        ("UK", ToneKind.BUSY, (400,), (0.375, 0.375)),
        ("DE", ToneKind.DIAL, (425,), (0.0,)),
        ("DE", ToneKind.RINGBACK, (425,), (1.0, 4.0)),
        ("DE", ToneKind.BUSY, (425,), (0.48, 0.48)),
        ("DE", ToneKind.CONGESTION, (425,), (0.24, 0.24)),
    ],
)
def test_the_tones_people_know(code, kind, frequencies, pattern):
    segments, _ = cadence(code, kind)
    assert segments[0].frequencies == frequencies
    assert tuple(segment.seconds for segment in segments) == pattern
