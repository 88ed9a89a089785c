"""Bitmap fonts with Latin and Cyrillic letters, drawn pixel by pixel as a small screen needs them.

The shapes are the public-domain `misc-fixed` fonts of X.org (see README.md). A `.glyphs` file has a
head line and one line a character: code point and its rows, all in hexadecimal. The files are read
when this package is imported, so that drawing a screen never touches the disk.
"""

import unicodedata
from pathlib import Path

from firmware.ui.bitmap import Bitmap

_MISSING = "\N{QUESTION MARK}"


class Font:
    """A fixed-width font; all measures are pixels."""

    __slots__ = ("_characters", "_glyphs", "_shapes", "_size", "ascent", "height", "width")

    def __init__(self, source: str) -> None:
        """Take the text of a `.glyphs` file.

        Raises:
            ValueError: the head line or a row is not what the format asks for.
        """
        head, *lines = source.splitlines()
        _, width, _, height, _, ascent = head.split()
        self.width, self.height, self.ascent = int(width), int(height), int(ascent)
        # One string and one run of octets: a dictionary of them took three times the memory. Line
        # by line, so that reading leaves no room behind that nobody needs.
        characters, shapes = [], bytearray()
        for line in lines:
            code, rows = line.split()
            characters.append(chr(int(code, 16)))
            shapes += bytes.fromhex(rows)
        self._characters = "".join(characters)
        self._shapes = bytes(shapes)
        self._size = self.height * ((self.width + 7) // 8)
        if len(self._shapes) != self._size * len(self._characters):
            raise ValueError("a character has too many or too few rows")
        self._glyphs: dict[str, Bitmap] = {}

    def __contains__(self, character: str) -> bool:
        return character in self._characters

    def measure(self, words: str) -> int:
        """How wide `words` are."""
        return self.width * len(unicodedata.normalize("NFC", words))

    def glyph(self, character: str) -> Bitmap:
        """The picture of one character; a letter we lack loses its accent, else `?` stands in."""
        known = self._glyphs.get(character)
        if known is None:
            at = self._size * self._characters.index(self._nearest(character))
            shape = self._shapes[at : at + self._size]
            known = Bitmap.from_bits(self.width, self.height, shape)
            if character in self._characters:
                self._glyphs[character] = known
        return known

    def _nearest(self, character: str) -> str:
        if character in self._characters:
            return character
        plain = unicodedata.normalize("NFKD", character)[0]
        return plain if plain in self._characters else _MISSING


def _read(name: str) -> Font:
    return Font((Path(__file__).parent / f"{name}.glyphs").read_text("ascii"))


TINY = _read("5x7")
SMALL = _read("5x8")
BODY = _read("6x10")
BOLD = _read("6x13B")
TITLE = _read("7x13B")
LARGE = _read("9x15B")
CLOCK = _read("10x20")

FONTS = {
    "5x7": TINY,
    "5x8": SMALL,
    "6x10": BODY,
    "6x13B": BOLD,
    "7x13B": TITLE,
    "9x15B": LARGE,
    "10x20": CLOCK,
}
