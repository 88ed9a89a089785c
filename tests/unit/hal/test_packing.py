import pytest

from hal.packing import blank, nibbles, pages, turned
from hal.ports import Picture
from tests.support.fake_display import noise

SIZES = ((8, 8), (64, 48), (128, 64), (256, 64))


@pytest.fixture(params=SIZES, ids=lambda size: "x".join(map(str, size)))
def picture(request):
    return noise(request.param)


def pixel(picture, x, y):
    return picture.bits[y * picture.width // 8 + x // 8] >> 7 - x % 8 & 1


def test_a_page_is_eight_rows_with_the_lowest_bit_on_top(picture):
    made = pages(picture)
    assert [len(page) for page in made] == [picture.width] * (picture.height // 8)
    for y in range(picture.height):
        for x in range(picture.width):
            assert made[y // 8][x] >> y % 8 & 1 == pixel(picture, x, y)


def test_a_grey_pixel_is_half_a_byte_and_the_left_one_is_high(picture):
    made = nibbles(picture)
    for y in range(picture.height):
        for x in range(picture.width):
            octet = made[(y * picture.width + x) // 2]
            half = octet & 0x0F if x % 2 else octet >> 4
            assert half == 15 * pixel(picture, x, y)


def test_a_quarter_turn_brings_the_top_left_corner_to_the_top_right(picture):
    side = turned(picture, 1)
    assert (side.width, side.height) == (picture.height, picture.width)
    for y in range(picture.height):
        for x in range(picture.width):
            assert pixel(side, picture.height - 1 - y, x) == pixel(picture, x, y)


@pytest.mark.parametrize("quarters", [2, 3])
def test_further_turns_are_quarter_turns_one_after_another(picture, quarters):
    by_quarters = picture
    for _ in range(quarters):
        by_quarters = turned(by_quarters, 1)
    assert turned(picture, quarters) == by_quarters


def test_four_quarters_are_no_turn(picture):
    assert turned(picture, 4) is picture
    assert turned(turned(picture, 3), 1) == picture


def test_a_blank_picture_is_dark():
    assert blank((128, 32)) == Picture(128, 32, bytes(512))
