"""Makes our `.glyphs` files from X.org bitmap fonts in PCF format.

Run by hand when a font or a range of characters is added; the phone itself never runs it:

    python -m firmware.ui.fonts.convert /usr/share/fonts/X11/misc/6x10.pcf.gz 6x10.glyphs

The rules of PCF are those of the X.org font library: a directory of tables, each with its own byte
order and padding; glyph rows run from the top, and each glyph has its own box around the origin.
"""

import gzip
import struct
import sys
import unicodedata
from pathlib import Path

from msgspec import Struct

RANGES = (
    (0x20, 0x7E),  # ASCII
    (0xA0, 0x17F),  # Latin-1 and Latin Extended-A
    (0x400, 0x45F),  # Cyrillic
    (0x490, 0x491),
    (0x2010, 0x2026),  # dashes, quotation marks, ellipsis
    (0x20AC, 0x20AC),  # euro
    (0x2116, 0x2116),  # numero
    (0x2190, 0x2193),  # arrows
    (0x2713, 0x2717),
)
_ACCELERATORS, _METRICS, _BITMAPS, _ENCODINGS = 2, 4, 8, 32
_COMPRESSED_METRICS = 0x100


class Metrics(Struct, frozen=True):
    """Where a glyph's ink lies around the origin, in pixels."""

    left: int
    right: int
    width: int
    ascent: int
    descent: int


class PcfFont:
    """One PCF file, read on demand."""

    def __init__(self, data: bytes) -> None:
        """Take the unpacked file.

        Raises:
            ValueError: it is not a PCF file.
        """
        if data[:4] != b"\x01fcp":
            raise ValueError("not a PCF font")
        self._data = data
        (count,) = struct.unpack_from("<I", data, 4)
        self._tables: dict[int, int] = {}
        for index in range(count):
            kind, _, _, offset = struct.unpack_from("<4I", data, 8 + 16 * index)
            self._tables[kind] = offset
        self._metrics = self._read_metrics()
        self.encoding = self._read_encoding()
        self.ascent, self.descent = self._read_heights()

    def _open(self, kind: int) -> tuple[int, str, int]:
        """Format word, byte-order sign and offset of the body of a table."""
        offset = self._tables[kind]
        (form,) = struct.unpack_from("<I", self._data, offset)
        return form, ">" if form & 4 else "<", offset + 4

    def _read_metrics(self) -> list[Metrics]:
        form, order, at = self._open(_METRICS)
        if form & _COMPRESSED_METRICS:
            (count,) = struct.unpack_from(order + "H", self._data, at)
            rows = struct.iter_unpack("5B", self._data[at + 2 : at + 2 + 5 * count])
            return [Metrics(*(value - 0x80 for value in row)) for row in rows]
        (count,) = struct.unpack_from(order + "I", self._data, at)
        rows = struct.iter_unpack(order + "5hH", self._data[at + 4 : at + 4 + 12 * count])
        return [Metrics(*row[:5]) for row in rows]

    def _read_encoding(self) -> dict[int, int]:
        _, order, at = self._open(_ENCODINGS)
        low, high, first, last, _ = struct.unpack_from(order + "5H", self._data, at)
        at += 10
        glyphs: dict[int, int] = {}
        for row in range(first, last + 1):
            for column in range(low, high + 1):
                (glyph,) = struct.unpack_from(order + "H", self._data, at)
                at += 2
                if glyph != 0xFFFF:
                    glyphs[row << 8 | column] = glyph
        return glyphs

    def _read_heights(self) -> tuple[int, int]:
        _, order, at = self._open(_ACCELERATORS)
        ascent, descent = struct.unpack_from(order + "2i", self._data, at + 8)
        return ascent, descent

    def rows(self, code: int) -> list[int]:
        """The glyph's rows in the cell of the font, each a number, most significant bit left."""
        glyph = self.encoding[code]
        metrics = self._metrics[glyph]
        form, order, at = self._open(_BITMAPS)
        (count,) = struct.unpack_from(order + "I", self._data, at)
        (offset,) = struct.unpack_from(order + "I", self._data, at + 4 + 4 * glyph)
        body = at + 4 + 4 * count + 16 + offset
        ink = metrics.right - metrics.left
        pad = 1 << (form & 3)
        stride = -(-ink // (8 * pad)) * pad
        cell = [0] * (self.ascent + self.descent)
        for row in range(metrics.ascent + metrics.descent):
            raw = self._data[body + row * stride : body + (row + 1) * stride]
            bits = int.from_bytes(_normal(raw, form), "big") >> (8 * stride - ink)
            shift = metrics.width - metrics.right
            cell[self.ascent - metrics.ascent + row] = (
                bits << shift if shift >= 0 else bits >> -shift
            )
        return cell

    def width(self, code: int) -> int:
        """How far the pen moves, in pixels."""
        return self._metrics[self.encoding[code]].width


def _normal(raw: bytes, form: int) -> bytes:
    """One row with the leftmost pixel in the most significant bit of the first byte."""
    unit = 1 << (form >> 4 & 3)
    if (form & 4) != (form & 8) >> 1 and unit > 1:
        raw = b"".join(raw[at : at + unit][::-1] for at in range(0, len(raw), unit))
    if form & 8:
        return raw
    return bytes(int(f"{octet:08b}"[::-1], 2) for octet in raw)


def convert(pcf: bytes) -> str:
    """The `.glyphs` text of a PCF file: a head line, then one line a character."""
    font = PcfFont(pcf)
    height = font.ascent + font.descent
    width = font.width(ord("0"))
    digits = 2 * -(-width // 8)
    shift = 4 * digits - width
    lines = [f"width {width} height {height} ascent {font.ascent}"]
    for low, high in RANGES:
        for code in range(low, high + 1):
            if code in font.encoding and unicodedata.category(chr(code))[0] != "C":
                rows = "".join(f"{row << shift:0{digits}x}" for row in font.rows(code))
                lines.append(f"{code:04x} {rows}")
    return "\n".join(lines) + "\n"


def main(source: str, target: str) -> None:
    """Convert one file."""
    Path(target).write_text(convert(gzip.decompress(Path(source).read_bytes())), "ascii")


if __name__ == "__main__":
    main(*sys.argv[1:3])
