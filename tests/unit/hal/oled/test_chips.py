"""Each chip, fed with what we send, has the mock screen's picture in its memory, bit by bit."""

import warnings

import pytest
from luma.core.device import dummy
from luma.oled import device as luma
from PIL import Image

from hal.board_spec import DisplaySpec
from hal.mock.panel import Screen
from hal.oled.chips import WRITERS, Command
from hal.oled.wire import wake_up
from hal.packing import turned
from hal.ports import Picture
from hal.tables.display import CHIP_SIZES
from tests.support.fake_display import CHIPS, noise

PANELS = (
    ("ssd1306", (128, 64)),
    ("ssd1306", (128, 32)),
    ("ssd1306", (64, 48)),
    ("ssd1309", (128, 64)),
    ("sh1106", (128, 64)),
    ("ssd1322", (256, 64)),
    ("ssd1322", (128, 64)),
)


def feed(chip, ops):
    for op in ops:
        (chip.command if isinstance(op, Command) else chip.data)(op.octets)


def spec_of(chip, size):
    return DisplaySpec(chip, size, "spi", 0, 0x3C, 0, 25, None, 0, contrast=99)


@pytest.fixture(params=PANELS, ids=lambda panel: f"{panel[0]} {panel[1][0]}x{panel[1][1]}")
def panel(request):
    """A chip that was woken up, its name and its size."""
    name, size = request.param
    chip = CHIPS[name](*size)
    feed(chip, wake_up(spec_of(name, size)))
    return chip, name, size


def test_a_screen_that_was_woken_is_dark_until_it_has_a_picture(panel):
    chip, _, _ = panel
    assert not chip.lit
    assert chip.contrast == 99


def test_the_chip_shows_what_the_mock_screen_shows(panel):
    chip, name, size = panel
    mock = Screen(size)
    mock.show(noise(size))
    feed(chip, WRITERS[name](noise(size), None))
    assert chip.picture == mock.picture


def test_after_a_hundred_small_changes_it_still_does(panel):
    chip, name, size = panel
    shown = noise(size)
    feed(chip, WRITERS[name](shown, None))
    for at in range(100):
        bits = bytearray(shown.bits)
        bits[at * 37 % len(bits)] ^= 1 << at % 8
        picture = Picture(*size, bytes(bits))
        feed(chip, WRITERS[name](picture, shown))
        shown = picture
        assert chip.picture == shown


def test_a_clock_that_moves_on_costs_a_part_of_a_whole_picture(panel):
    _, name, size = panel
    old = noise(size)
    new = Picture(*size, bytes([old.bits[0] ^ 1]) + old.bits[1:])
    whole, part = (sum(len(op.octets) for op in WRITERS[name](new, shown)) for shown in (None, old))
    assert part * 3 < whole
    assert list(WRITERS[name](old, old)) == []


EVERY = [(chip, size) for chip, sizes in CHIP_SIZES.items() for size in sizes]


@pytest.mark.parametrize(("name", "size"), EVERY)
def test_we_send_the_very_bytes_that_lumas_own_driver_does(name, size):
    """Where ours is one write and luma's are several, the bytes are the same in the same order."""
    ours, theirs = CHIPS[name](*size), CHIPS[name](*size)
    feed(ours, wake_up(spec_of(name, size)))
    feed(ours, WRITERS[name](noise(size), None))

    class Interface:
        def command(self, *octets):
            theirs.command(octets)

        def data(self, octets):
            theirs.data(octets)

        def cleanup(self):
            """Nothing."""

    with warnings.catch_warnings():
        # luma calls what Pillow 14 will drop: the reason for packing pictures ourselves.
        warnings.simplefilter("ignore", DeprecationWarning)
        driver = getattr(luma, name)(
            serial_interface=Interface(), width=size[0], height=size[1], mode="1"
        )
        driver.display(Image.frombytes("1", size, noise(size).bits))
    driver.persist = True
    assert ours.memory == theirs.memory
    assert ours.picture == noise(size)


@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_picture_is_what_luma_makes_of_it(quarters):
    size = (128, 64) if quarters % 2 == 0 else (64, 128)
    device = dummy(width=128, height=64, rotate=quarters, mode="1")
    device.persist = True
    device.display(Image.frombytes("1", size, noise(size).bits))
    made = turned(noise(size), quarters)
    assert (made.width, made.height) == device.image.size == (128, 64)
    assert made.bits == device.image.tobytes()
