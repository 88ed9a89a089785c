"""The screens in letters: every moment of a phone's life on small and large displays."""

import pytest

from firmware.ui.fonts import SMALL
from firmware.ui.letters import WordCanvas, letters
from firmware.ui.text import Texts, languages
from tests.unit.ui.conftest import SCENES

TEXTS = Texts.load()
SIZES = ((8, 1), (16, 2), (20, 3), (20, 4), (40, 4), (16, 8))


def shown(name, size=(20, 4)):
    view, clock = SCENES[name]
    return letters(view, clock, size, TEXTS)


@pytest.mark.parametrize("tongue", languages())
@pytest.mark.parametrize("display", SIZES, ids=str)
def test_every_moment_fills_every_display_and_says_something(display, tongue):
    columns, rows = display
    texts = Texts.load(tongue)
    for view, clock in SCENES.values():
        page = letters(view, clock, display, texts)
        assert [len(row) for row in page] == [columns] * rows
        assert any(row.strip() for row in page)


def test_a_call_is_who_how_long_and_what_the_keys_do():
    assert shown("talking_muted") == (
        "204             1:15",
        "Ann Miller          ",
        "Muted               ",
        "Hold Unmu… Tran… End",
    )


def test_with_two_rows_what_happens_is_worth_more_than_the_time():
    assert shown("talking_muted", (16, 2)) == ("Ann Miller      ", "Muted           ")
    assert shown("talking", (16, 2)) == ("204         1:15", "Ann Miller      ")
    assert shown("off_hook_reason", (16, 2)) == ("Wrong password: ", "check line 1    ")


def test_the_volume_is_a_bar():
    assert shown("idle_volume") == (
        "Ring volume         ",
        "==============      ",
        " " * 20,
        " " * 20,
    )


def test_words_that_a_box_wiped_out_are_gone_and_others_stay():
    canvas = WordCanvas((100, 32))
    canvas.text(0, 8, "below", SMALL)
    canvas.text(0, 24, "above", SMALL)
    canvas.fill(0, 20, 99, 31, lit=False)
    canvas.fill(0, 0, 99, 31)
    assert [words for _, _, words in canvas.said] == ["below"]
