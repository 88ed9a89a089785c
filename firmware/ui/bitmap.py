"""Pixels that are lit or dark: a picture, a letter, an icon.

A row is one whole number, its most significant bit the pixel on the left, so that a letter is put
on a picture by a shift and an OR a row. That is all a small screen needs: a drawing library would
bring every picture format there is, 2.5 MB of a phone's memory. Whatever lies outside is cut off.
"""

from collections.abc import Iterable, Sequence
from typing import Self


class Bitmap:
    """A rectangle of pixels, `rows` from the top; a new one is dark."""

    __slots__ = ("_rows", "height", "width")

    def __init__(self, width: int, height: int, rows: Iterable[int] = ()) -> None:
        """Start a picture; `rows` has `height` numbers of `width` bits, or none."""
        self.width, self.height = width, height
        self._rows = list(rows) or [0] * height

    @classmethod
    def from_bits(cls, width: int, height: int, bits: bytes) -> Self:
        """The reverse of `bits`.

        Raises:
            ValueError: these are not as many octets as the picture needs.
        """
        stride = (width + 7) // 8
        if len(bits) != stride * height:
            raise ValueError(f"{len(bits)} octets are no picture of {width}x{height}")
        spare = 8 * stride - width
        starts = range(0, len(bits), stride)
        return cls(
            width, height, (int.from_bytes(bits[at : at + stride]) >> spare for at in starts)
        )

    @classmethod
    def from_art(cls, art: Sequence[str]) -> Self:
        """The picture of rows of `#` and other."""
        width = len(art[0])
        rows = (int("0" + "".join("01"[mark == "#"] for mark in row), 2) for row in art)
        return cls(width, len(art), rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bitmap):
            return NotImplemented
        return self.size == other.size and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    @property
    def bits(self) -> bytes:
        """One bit a pixel, most significant left, each row from a new octet."""
        stride = (self.width + 7) // 8
        spare = 8 * stride - self.width
        return b"".join([(row << spare).to_bytes(stride) for row in self._rows])

    def art(self) -> list[str]:
        """`#` lit, `.` dark, one text a row."""
        marks = str.maketrans("01", ".#")
        return [f"{row:0{self.width}b}".translate(marks) for row in self._rows]

    def stamp(self, x: int, y: int, shape: "Bitmap") -> None:
        """Light what is lit in `shape`, whose top left is put at (x, y)."""
        rows = self._rows
        left, whole = self.width - x - shape.width, (1 << self.width) - 1
        for at, row in enumerate(shape._rows, y):  # noqa: SLF001 - another of our kind
            if 0 <= at < self.height:
                rows[at] |= (row << left if left >= 0 else row >> -left) & whole

    def fill(self, left: int, top: int, right: int, bottom: int, *, lit: bool = True) -> None:
        """Light or darken a box; all four edges are inside."""
        columns = self._columns(left, right)
        for at in self._between(top, bottom):
            self._rows[at] = self._rows[at] | columns if lit else self._rows[at] & ~columns

    def invert(self, left: int, top: int, right: int, bottom: int) -> None:
        """Swap lit and dark within a box; all four edges are inside."""
        columns = self._columns(left, right)
        for at in self._between(top, bottom):
            self._rows[at] ^= columns

    def enlarged(self, scale: int) -> "Bitmap":
        """Each pixel as a square of `scale`."""
        square = {"0": "0" * scale, "1": "1" * scale}
        rows = (
            int("".join(map(square.__getitem__, f"{row:0{self.width}b}")), 2) for row in self._rows
        )
        return Bitmap(
            self.width * scale, self.height * scale, [row for row in rows for _ in range(scale)]
        )

    def _columns(self, left: int, right: int) -> int:
        """The bits of the columns from `left` to `right`."""
        left, right = max(left, 0), min(right, self.width - 1)
        return (1 << right - left + 1) - 1 << self.width - 1 - right if left <= right else 0

    def _between(self, top: int, bottom: int) -> range:
        return range(max(top, 0), min(bottom, self.height - 1) + 1)
