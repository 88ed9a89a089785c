import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.ports import LampPattern
from hal.rhythm import BLINKING, phase
from tests.support import front_panel

ROOT = Path(__file__).parents[3]
BLINKERS = [LampPattern.SLOW_BLINK, LampPattern.FAST_BLINK]


@pytest.mark.parametrize("rhythm", [(), (0.0,), (0.0, 0.0)])
def test_nothing_is_off_for_ever(rhythm):
    assert phase(rhythm, 7.0) == (False, math.inf)


@pytest.mark.parametrize("rhythm", [(1.0,), (2.0, 0.0)])
def test_without_an_off_it_is_on_for_ever(rhythm):
    assert phase(rhythm, 7.0) == (True, math.inf)


@pytest.mark.parametrize(
    ("elapsed", "on", "left"),
    [(0.0, True, 2.0), (1.5, True, 0.5), (2.0, False, 4.0), (5.0, False, 1.0), (6.0, True, 2.0)],
)
def test_two_seconds_on_and_four_off(elapsed, on, left):
    assert phase((2.0, 4.0), elapsed) == (on, pytest.approx(left, abs=1e-3))


def test_a_british_ring():
    changes, at = [], 0.0
    for _ in range(8):
        on, left = phase((0.4, 0.2, 0.4, 2.0), at)
        changes.append((on, round(left, 3)))
        at += left
    assert changes == [(True, 0.4), (False, 0.2), (True, 0.4), (False, 2.0)] * 2


@settings(deadline=None)
@given(
    rhythm=st.lists(st.floats(0.01, 5), min_size=2, max_size=6).map(tuple),
    elapsed=st.floats(0, 1e6),
)
def test_whoever_comes_back_when_told_finds_it_changed(rhythm, elapsed):
    on, left = phase(rhythm, elapsed)
    assert left > 0
    if len(rhythm) % 2 == 0:
        assert phase(rhythm, elapsed + left)[0] is not on


def test_every_pattern_of_a_lamp_has_its_rhythm():
    assert set(BLINKING) == set(LampPattern)
    assert phase(BLINKING[LampPattern.OFF], 0.0) == (False, math.inf)
    assert phase(BLINKING[LampPattern.ON], 0.0) == (True, math.inf)


@pytest.mark.parametrize("pattern", BLINKERS)
def test_the_page_blinks_as_lamps_do(pattern):
    style = (ROOT / "firmware/web/static/desk.css").read_text()
    rule = rf'\[data-pattern="{pattern.value}"\] {{ animation: blink ([\d.]+)s steps\(1\) infinite'
    on, off = BLINKING[pattern]
    assert [float(whole) for whole in re.findall(rule, style)] == [pytest.approx(on + off)]
    assert on == off, "the style changes half-way"


@pytest.mark.parametrize("pattern", BLINKERS)
def test_front_panels_blink_as_lamps_do(pattern):
    """The panel to copy, and the protocol that others are written by."""
    on, off = (round(1000 * seconds) for seconds in BLINKING[pattern])
    assert front_panel.load_sketch().BLINK[pattern.value] == (on, off)
    page = (ROOT / "docs/serial-panel.md").read_text()
    assert re.findall(rf"{pattern.value} ([\d.]+) s", page) == [f"{on / 1000}"]
