"""What must be sent to a display chip so that it shows a picture. Pure.

Addressing follows the datasheets: SSD1306 and SSD1309 §10.1.3–5 (a window of columns and pages),
SH1106 (page by page, two columns in), SSD1322 §9.1 (a window of rows, four pixels a column). Of a
picture that differs little from the last one only the pages or rows that differ are sent: a clock
that moves on costs a tenth of a whole picture's time on the bus.

The order of commands that wakes a chip up is luma.oled's; see `hal.oled.wire`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hal.packing import nibbles, pages
from hal.ports import Picture


@dataclass(frozen=True, slots=True)
class Command:
    """Bytes for the chip's command decoder."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes for the chip's memory, or the arguments of an SSD1322 command."""

    octets: bytes


Op = Command | Data
Writer = Callable[[Picture, Picture | None], Iterator[Op]]
"""A picture and the one that is shown (None = unknown) to what must be sent."""

_COLUMN_ADDRESS, _PAGE_ADDRESS = 0x21, 0x22
_PAGE_START, _LOW_COLUMN, _HIGH_COLUMN = 0xB0, 0x02, 0x10
_ROW_ADDRESS_22, _COLUMN_ADDRESS_22, _WRITE_22 = 0x75, 0x15, 0x5C
_COLUMNS_22 = 480
_PANELS_64_WIDE_BEGIN = 32


def write_ssd1306(picture: Picture, shown: Picture | None) -> Iterator[Op]:
    """A window for each run of pages that differ."""
    first = _PANELS_64_WIDE_BEGIN if picture.width == 64 else 0
    new, old = pages(picture), pages(shown) if shown else ()
    for top, bottom in _runs([old[at : at + 1] != (page,) for at, page in enumerate(new)]):
        yield Command(bytes((_COLUMN_ADDRESS, first, first + picture.width - 1)))
        yield Command(bytes((_PAGE_ADDRESS, top, bottom - 1)))
        yield Data(b"".join(new[top:bottom]))


def write_sh1106(picture: Picture, shown: Picture | None) -> Iterator[Op]:
    """Each page that differs; the panel begins at the third of the chip's 132 columns."""
    new, old = pages(picture), pages(shown) if shown else ()
    for at, page in enumerate(new):
        if old[at : at + 1] != (page,):
            yield Command(bytes((_PAGE_START + at, _LOW_COLUMN, _HIGH_COLUMN)))
            yield Data(page)


def write_ssd1322(picture: Picture, shown: Picture | None) -> Iterator[Op]:
    """A window for each run of rows that differ."""
    stride = picture.width // 8
    rows = range(0, len(picture.bits), stride)
    old = shown.bits if shown else b""
    differs = [picture.bits[at : at + stride] != old[at : at + stride] for at in rows]
    first = (_COLUMNS_22 - picture.width) // 2 // 4
    for top, bottom in _runs(differs):
        part = Picture(picture.width, bottom - top, picture.bits[top * stride : bottom * stride])
        yield Command(bytes((_COLUMN_ADDRESS_22,)))
        yield Data(bytes((first, first + picture.width // 4 - 1)))
        yield Command(bytes((_ROW_ADDRESS_22,)))
        yield Data(bytes((top, bottom - 1)))
        yield Command(bytes((_WRITE_22,)))
        yield Data(nibbles(part))


def _runs(wanted: list[bool]) -> Iterator[tuple[int, int]]:
    """First and behind-the-last of each run of places that are wanted."""
    start = None
    for at, want in enumerate([*wanted, False]):
        if want and start is None:
            start = at
        elif not want and start is not None:
            yield start, at
            start = None


WRITERS: dict[str, Writer] = {
    "ssd1306": write_ssd1306,
    "ssd1309": write_ssd1306,
    "sh1106": write_sh1106,
    "ssd1322": write_ssd1322,
}
