"""A 1-bit drawing surface for small screens, and the ways a finished picture leaves it.

Coordinates are pixels from the top left. Nothing here knows a phone: `widgets` does. The pixels
themselves are `bitmap`'s.
"""

import enum
import struct
import unicodedata
import zlib
from functools import lru_cache

from firmware.ui.bitmap import Bitmap
from firmware.ui.fonts import Font
from hal.ports import Picture

ELLIPSIS = "…"
Icon = tuple[str, ...]
_PNG = b"\x89PNG\r\n\x1a\n"
_GREY = 0


class Align(enum.Enum):
    """Where text stands within the width it is given."""

    LEFT = 0.0
    CENTRE = 0.5
    RIGHT = 1.0


def fit(words: str, font: Font, width: int) -> str:
    """`words`, shortened with an ellipsis if they are wider than `width` pixels."""
    words = unicodedata.normalize("NFC", words)
    room = max(width // font.width, 0)
    if len(words) <= room:
        return words
    return words[: room - 1].rstrip() + ELLIPSIS if room else ""


def wrap(words: str, font: Font, width: int, most: int) -> list[str]:
    """`words` in at most `most` rows of `width` pixels; what does not fit ends in an ellipsis."""
    room = max(width // font.width, 1)
    rows: list[str] = []
    for word in _pieces(unicodedata.normalize("NFC", words), room):
        if rows and len(rows[-1]) + 1 + len(word) <= room:
            rows[-1] += " " + word
        else:
            rows.append(word)
    if len(rows) > most:
        rest = " ".join(rows[most - 1 :])
        rows = [*rows[: most - 1], fit(rest, font, width)]
    return rows


def _pieces(words: str, room: int) -> list[str]:
    """The words, those longer than a row cut into rows."""
    return [
        word[at : at + room] for word in words.split() for at in range(0, max(len(word), 1), room)
    ]


def largest(words: str, fonts: tuple[Font, ...], width: int) -> Font:
    """The first of `fonts` (largest first) in which `words` fit, or the last."""
    return next((font for font in fonts if font.measure(words) <= width), fonts[-1])


class Canvas:
    """A picture being drawn; new ones are dark."""

    __slots__ = ("height", "image", "width")

    def __init__(self, size: tuple[int, int]) -> None:
        """Start a dark picture of `size` (width, height)."""
        self.width, self.height = size
        self.image = Bitmap(self.width, self.height)

    @property
    def is_tall(self) -> bool:
        """Whether there is room for more than three rows."""
        return self.height >= 48

    def text(self, x: int, y: int, words: str, font: Font) -> int:
        """Write `words` with their top left at (x, y); returns where the next letter would go."""
        for character in unicodedata.normalize("NFC", words):
            self.image.stamp(x, y, font.glyph(character))
            x += font.width
        return x

    def row(
        self,
        y: int,
        words: str,
        font: Font,
        align: Align = Align.LEFT,
        span: tuple[int, int] | None = None,
    ) -> None:
        """Write one row between the columns of `span` (default: all), shortened to fit."""
        left, right = span or (0, self.width)
        words = fit(words, font, right - left)
        spare = right - left - font.measure(words)
        self.text(left + int(spare * align.value), y, words, font)

    def rule(self, y: int) -> None:
        """A line across the picture."""
        self.fill(0, y, self.width - 1, y)

    def dots(self, y: int) -> None:
        """A dotted line across the picture."""
        self.image.stamp(0, y, _shape(("# " * (self.width // 2),)))

    def frame(self, left: int, top: int, right: int, bottom: int) -> None:
        """A box's outline; all four edges are inside."""
        self.fill(left, top, right, bottom)
        self.fill(left + 1, top + 1, right - 1, bottom - 1, lit=False)

    def fill(self, left: int, top: int, right: int, bottom: int, *, lit: bool = True) -> None:
        """A filled box; all four edges are inside."""
        self.image.fill(left, top, right, bottom, lit=lit)

    def invert(self, left: int, top: int, right: int, bottom: int) -> None:
        """Swap lit and dark within the box."""
        self.image.invert(left, top, right, bottom)

    def icon(self, x: int, y: int, icon: Icon) -> int:
        """Draw an icon (rows of `#` and other); returns the column behind it."""
        self.image.stamp(x, y, _shape(icon))
        return x + len(icon[0])


@lru_cache(maxsize=64)
def _shape(icon: Icon) -> Bitmap:
    return Bitmap.from_art(icon)


def picture_of(image: Bitmap) -> Picture:
    """The picture as a display port wants it."""
    return Picture(image.width, image.height, image.bits)


def image_of(picture: Picture) -> Bitmap:
    """The reverse of `picture_of`."""
    return Bitmap.from_bits(picture.width, picture.height, picture.bits)


def png_of(image: Bitmap, scale: int = 1) -> bytes:
    """The picture as a PNG file, each pixel drawn as a square of `scale`."""
    if scale > 1:
        image = image.enlarged(scale)
    head = struct.pack(">IIBBBBB", image.width, image.height, 1, _GREY, 0, 0, 0)
    bits, stride = image.bits, (image.width + 7) // 8
    rows = (b"\0" + bits[at : at + stride] for at in range(0, len(bits), stride))
    data = zlib.compress(b"".join(rows))
    return _PNG + _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A piece of a PNG file (RFC 2083 §3.2); a row's first byte says that it is not filtered."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def art_of(image: Bitmap) -> str:
    """The picture as text: `#` lit, `.` dark, one line a row."""
    return "\n".join(image.art()) + "\n"
