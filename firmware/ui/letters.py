"""What the screen says, for a display that has letters in place of pixels (16×2, 20×4).

The screens are drawn on a canvas that writes down the words and where they would stand; what is
only drawn (icons, boxes) is left out. A row of letters is eight rows of pixels, so a screen of four
rows is the low screen of 32 pixels. With fewer rows the labels of soft keys give way first, then
the header.
"""

from firmware.phone.view import PhoneView
from firmware.ui.canvas import Canvas
from firmware.ui.fonts import SMALL, Font
from firmware.ui.render import SCREENS
from firmware.ui.scene import Clock, Scene
from firmware.ui.text import Texts
from firmware.ui.widgets import volume_title

_FULL = 4
_BAR = "="


class WordCanvas(Canvas):
    """A canvas that keeps the words: (row of pixels, column of pixels, words)."""

    __slots__ = ("said",)

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size)
        self.said: list[tuple[int, int, str]] = []

    def text(self, x: int, y: int, words: str, font: Font) -> int:
        if words.strip():
            self.said.append((y, x, words))
        return x + font.measure(words)

    def fill(self, left: int, top: int, right: int, bottom: int, *, lit: bool = True) -> None:
        """A box that is wiped out takes the words that begin in it with it."""
        if not lit:
            self.said = [
                said for said in self.said
                if not (top <= said[0] <= bottom and left <= said[1] <= right)
            ]  # fmt: skip


def letters(view: PhoneView, clock: Clock, size: tuple[int, int], texts: Texts) -> tuple[str, ...]:
    """The rows of a display of `size` (columns, rows), each as long as there are columns."""
    columns, rows = size
    scene = Scene(view, clock, texts)
    if view.volume_bar is not None:
        filled = columns * min(max(view.volume_bar.volume, 0), 100) // 100
        said = [volume_title(scene, view.volume_bar), _BAR * filled]
        return _page(said, columns, rows)
    canvas = WordCanvas((columns * SMALL.width, _FULL * SMALL.height))
    SCREENS[view.mode](canvas, scene)
    lines = [_line(canvas, row, columns) for row in range(_FULL)]
    if rows < _FULL:
        head, *middle, keys = lines
        body = [line for line in middle if line.strip()]
        # What happens is worth more than the time and the line it happens on.
        lines = body if len(body) >= rows else [head, *body, keys]
    return _page(lines, columns, rows)


def _line(canvas: WordCanvas, row: int, columns: int) -> str:
    """One row: each piece where it would stand, but behind what is left of it."""
    last = (canvas.height - 1) // SMALL.height
    here = [
        (x, words)
        for y, x, words in canvas.said
        if min(max(y, 0) // SMALL.height, last) == row
    ]  # fmt: skip
    line = ""
    for x, words in sorted(here):
        place = min(round(x / SMALL.width), max(columns - len(words), 0))
        line = line.ljust(place) if len(line) < place or not line else f"{line} "
        line += words
    return line


def _page(lines: list[str], columns: int, rows: int) -> tuple[str, ...]:
    filled = [*lines, *[""] * rows][:rows]
    return tuple(line[:columns].ljust(columns) for line in filled)
