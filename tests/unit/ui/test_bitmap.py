"""Pixels, judged by another library: what it draws we draw."""

import random
import subprocess
import sys

import pytest
from PIL import Image

from firmware.ui.bitmap import Bitmap

SIZES = [(1, 1), (7, 3), (8, 2), (13, 5), (33, 20), (128, 64)]


def noise(dice, width, height):
    """A picture of noise, once as ours and once as the other library's."""
    bits = bytes(dice.getrandbits(8) for _ in range((width + 7) // 8 * height))
    theirs = Image.frombytes("1", (width, height), bits)
    return Bitmap.from_bits(width, height, theirs.tobytes()), theirs


def corner(dice, width, height):
    """A place inside or a little outside."""
    return dice.randint(-9, width + 9), dice.randint(-9, height + 9)


@pytest.fixture(params=SIZES, ids=str)
def pair(request):
    dice = random.Random(repr(request.param))  # noqa: S311 - pictures, no secrets
    return dice, *noise(dice, *request.param)


def same(ours, theirs):
    return ours.bits == theirs.tobytes()


def test_a_new_picture_is_dark(pair):
    _, ours, _ = pair
    assert not any(Bitmap(*ours.size).bits)


def test_bits_there_and_back(pair):
    _, ours, theirs = pair
    assert same(ours, theirs)
    assert ours.size == theirs.size


def test_a_letter_lights_what_it_has_wherever_it_lies(pair):
    dice, ours, theirs = pair
    for _ in range(40):
        letter, mask = noise(dice, dice.randint(1, 12), dice.randint(1, 9))
        at = corner(dice, *ours.size)
        ours.stamp(*at, letter)
        theirs.paste(1, at, mask)
        assert same(ours, theirs)


@pytest.mark.parametrize("lit", [True, False])
def test_a_box_is_filled_as_far_as_it_lies_inside(pair, lit):
    dice, ours, theirs = pair
    for _ in range(40):
        (left, top), (right, bottom) = corner(dice, *ours.size), corner(dice, *ours.size)
        ours.fill(left, top, right, bottom, lit=lit)
        if left <= right and top <= bottom:
            theirs.paste(int(lit), (left, top, right + 1, bottom + 1))
        assert same(ours, theirs)


def test_a_box_is_inverted_as_far_as_it_lies_inside(pair):
    dice, ours, theirs = pair
    for _ in range(40):
        (left, top), (right, bottom) = corner(dice, *ours.size), corner(dice, *ours.size)
        ours.invert(left, top, right, bottom)
        for x in range(max(left, 0), min(right, theirs.width - 1) + 1):
            for y in range(max(top, 0), min(bottom, theirs.height - 1) + 1):
                theirs.putpixel((x, y), 0 if theirs.getpixel((x, y)) else 1)
        assert same(ours, theirs)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_a_picture_is_enlarged_pixel_by_pixel(pair, scale):
    _, ours, theirs = pair
    size = (theirs.width * scale, theirs.height * scale)
    assert same(ours.enlarged(scale), theirs.resize(size, Image.Resampling.NEAREST))


def test_art_there_and_back(pair):
    _, ours, theirs = pair
    rows = ours.art()
    assert [len(row) for row in rows] == [theirs.width] * theirs.height
    assert Bitmap.from_art(rows).bits == ours.bits
    assert (rows[0][0] == "#") == bool(theirs.getpixel((0, 0)))


def test_pictures_are_alike_if_their_pixels_are(pair):
    _, ours, _ = pair
    other = Bitmap.from_bits(*ours.size, ours.bits)
    assert ours == other
    other.invert(0, 0, 0, 0)
    assert ours != other
    assert Bitmap(8, 2) != Bitmap(16, 1)
    assert ours != ours.bits


def test_octets_that_are_no_picture_are_refused():
    with pytest.raises(ValueError, match="3 octets are no picture of 8x2"):
        Bitmap.from_bits(8, 2, b"abc")


def test_a_screen_is_drawn_without_a_drawing_library():
    code = "import sys, firmware.ui.render; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "PIL" not in done.stdout.split()
