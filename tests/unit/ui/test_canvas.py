import io

import pytest
from PIL import Image

from firmware.ui import fonts
from firmware.ui.canvas import (
    Align,
    Canvas,
    art_of,
    fit,
    image_of,
    largest,
    picture_of,
    png_of,
    wrap,
)


def test_words_that_fit_are_left_alone():
    assert fit("Ann", fonts.SMALL, 15) == "Ann"


def test_words_that_do_not_fit_end_in_an_ellipsis():
    assert fit("Ann Miller", fonts.SMALL, 30) == "Ann M…"
    assert fit("Ann Miller", fonts.SMALL, 25) == "Ann…"


def test_nothing_fits_into_no_room():
    assert fit("Ann", fonts.SMALL, 3) == ""


def test_an_accent_that_comes_by_itself_takes_no_room():
    assert fit("Jo\u0308rg", fonts.SMALL, 20) == "Jörg"


def test_rows_break_between_words():
    assert wrap("Wrong password: check line 1", fonts.BODY, 96, 3) == [
        "Wrong password:",
        "check line 1",
    ]


def test_a_word_longer_than_a_row_is_cut():
    assert wrap("Donaudampfschiff", fonts.SMALL, 50, 3) == ["Donaudampf", "schiff"]


def test_what_does_not_fit_in_the_rows_ends_in_an_ellipsis():
    assert wrap("one two three four", fonts.SMALL, 40, 2) == ["one two", "three f…"]


def test_no_words_are_no_rows():
    assert wrap("", fonts.SMALL, 40, 2) == []


def test_the_largest_font_that_fits_is_chosen():
    choice = (fonts.LARGE, fonts.BODY, fonts.SMALL)
    assert largest("204", choice, 128) is fonts.LARGE
    assert largest("2" * 20, choice, 128) is fonts.BODY
    assert largest("2" * 99, choice, 128) is fonts.SMALL


@pytest.mark.parametrize("align", list(Align))
def test_a_row_stays_within_its_span(align):
    canvas = Canvas((64, 8))
    canvas.row(0, "ABCDEFGHIJKLMN", fonts.SMALL, align, span=(10, 40))
    columns = [x for row in canvas.image.art() for x, mark in enumerate(row) if mark == "#"]
    assert 10 <= min(columns) < max(columns) < 40


def test_inverting_twice_changes_nothing():
    canvas = Canvas((32, 8))
    canvas.text(0, 0, "Hi", fonts.SMALL)
    before = canvas.image.bits
    canvas.invert(3, 1, 9, 6)
    assert canvas.image.bits != before
    canvas.invert(3, 1, 9, 6)
    assert canvas.image.bits == before


def test_a_picture_has_one_bit_a_pixel_most_significant_left():
    canvas = Canvas((16, 2))
    canvas.fill(0, 0, 0, 0)
    canvas.fill(15, 1, 15, 1)
    picture = picture_of(canvas.image)
    assert (picture.width, picture.height) == (16, 2)
    assert picture.bits == bytes([0x80, 0, 0, 0x01])
    assert image_of(picture).bits == canvas.image.bits


def test_a_picture_leaves_as_text():
    canvas = Canvas((3, 2))
    canvas.icon(0, 0, ("#..", ".#."))
    assert art_of(canvas.image) == "#..\n.#.\n"


def test_a_picture_leaves_as_png_as_large_as_asked():
    canvas = Canvas((4, 2))
    canvas.fill(0, 0, 0, 0)
    file = Image.open(io.BytesIO(png_of(canvas.image, 3)))
    assert file.size == (12, 6)
    assert file.convert("1").getpixel((2, 2)) == 255
    assert file.convert("1").getpixel((3, 3)) == 0


@pytest.mark.parametrize(("wide", "high"), [(1, 1), (7, 3), (8, 2), (13, 5), (128, 64)])
def test_a_png_holds_the_very_pixels(wide, high):
    """RFC 2083 §3.2: chunks that another reader takes."""
    canvas = Canvas((wide, high))
    for x in range(0, wide, 3):
        canvas.fill(x, x % high, x, x % high)
    canvas.fill(wide - 1, high - 1, wide - 1, high - 1)
    with Image.open(io.BytesIO(png_of(canvas.image))) as file:
        assert (file.format, file.mode, file.size) == ("PNG", "1", (wide, high))
        assert file.tobytes() == canvas.image.bits
