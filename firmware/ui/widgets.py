"""The parts that screens are made of: header, party, notice, soft-key row, volume bar.

Every part takes the canvas and the scene and looks at the canvas's size itself, so a screen need
only say what it wants to show. Icons are drawn here as rows of `#`.
"""

from firmware.media.messages import PathName
from firmware.phone.view import CallView, LineView, PhoneView, VolumeBar
from firmware.sip.notifications import RegistrationState
from firmware.ui import fonts
from firmware.ui.canvas import ELLIPSIS, Align, Canvas, Icon, fit, largest, wrap
from firmware.ui.scene import Scene, who
from firmware.ui.softkeys import soft_keys

LOCK: Icon = (".###.", "#...#", "#...#", "#####", "##.##", "##.##", "#####")
MUTED: Icon = (
    ".##.......",
    ".##..#...#",
    ".##...#.#.",
    "#..#...#..",
    ".##...#.#.",
    ".##..#...#",
    "####......",
)
NO_NETWORK: Icon = (
    "....#......",
    "....#.#...#",
    "..#.#..#.#.",
    "..#.#...#..",
    "#.#.#..#.#.",
    "#.#.#.#...#",
)
SILENT: Icon = (
    "..#.......",
    ".###.#...#",
    ".###..#.#.",
    ".###...#..",
    "#####.#.#.",
    "..#..#...#",
)
RECORDING: Icon = (
    "..###..",
    ".#...#.",
    "#..#..#",
    "#.###.#",
    "#..#..#",
    ".#...#.",
    "..###..",
)
REGISTERED: Icon = (".###.", "#####", "#####", "#####", ".###.")
TRYING: Icon = (".###.", "#...#", "#...#", "#...#", ".###.")
FAILED: Icon = ("#...#", ".#.#.", "..#..", ".#.#.", "#...#")
_LINE_ICONS = {
    RegistrationState.REGISTERED: REGISTERED,
    RegistrationState.TRYING: TRYING,
    RegistrationState.FAILED: FAILED,
    RegistrationState.OFF: TRYING,
}
_ICON_GAP = 3


def body_bottom(canvas: Canvas) -> int:
    """The first row that belongs to the soft keys."""
    return canvas.height - (10 if canvas.is_tall else 8)


def signs(view: PhoneView) -> list[Icon]:
    """What must not be overlooked, as icons."""
    call = view.front_call
    asked = (
        (not view.network_up, NO_NETWORK),
        ((PathName.RINGER, 0) in view.volumes, SILENT),
        (view.muted, MUTED),
        (call is not None and call.secure, LOCK),
        (any(each.recorded for each in view.calls), RECORDING),
    )
    return [icon for wanted, icon in asked if wanted]


def header(canvas: Canvas, scene: Scene, title: str, right: str = "") -> None:
    """The top row: a title, words on the right, the signs; a rule below it if there is room."""
    edge = canvas.width
    if right:
        edge -= fonts.SMALL.measure(right)
        canvas.text(edge, 0, right, fonts.SMALL)
        edge -= _ICON_GAP
    for icon in signs(scene.view):
        edge -= len(icon[0])
        canvas.icon(edge, 0, icon)
        edge -= _ICON_GAP
    canvas.row(0, title, fonts.SMALL, span=(0, edge))
    if canvas.is_tall:
        canvas.dots(9)


def labels(view: PhoneView) -> str:
    """The labels of all lines."""
    return " ".join(line.label for line in view.lines)


def line_title(canvas: Canvas, line: LineView, x: int, y: int) -> None:
    """A line's state as an icon, and its label."""
    behind = canvas.icon(x, y + 1, _LINE_ICONS[line.state])
    canvas.row(y, line.label, fonts.SMALL, span=(behind + _ICON_GAP, canvas.width))


def party(canvas: Canvas, scene: Scene, call: CallView, y: int) -> int:
    """Whom a call is with, the name as large as it fits; returns the next free row.

    A low screen has no room for the number under the name: its screens show it in the header.
    """
    name, number = who(call, scene.texts)
    if not canvas.is_tall:
        return _name(canvas, name, y, (fonts.TITLE, fonts.BODY, fonts.SMALL))
    if not number:
        return _name(canvas, name, y, (fonts.CLOCK, fonts.LARGE, fonts.TITLE, fonts.BODY))
    y = _name(canvas, name, y, (fonts.LARGE, fonts.TITLE, fonts.BODY))
    canvas.row(y, number, fonts.BODY)
    return y + fonts.BODY.height


def _name(canvas: Canvas, name: str, y: int, choice: tuple[fonts.Font, ...]) -> int:
    font = largest(name, choice, canvas.width)
    if canvas.is_tall and font.measure(name) > canvas.width:
        for row in wrap(name, font, canvas.width, 2):
            canvas.row(y, row, font)
            y += font.height
        return y
    # A smaller font stands on the same line as a larger one would.
    canvas.row(y + choice[0].ascent - font.ascent, name, font)
    return y + choice[0].height


def paragraph(canvas: Canvas, words: str, top: int, bottom: int, align: Align = Align.LEFT) -> None:
    """Words wrapped between two rows, in the largest font in which they fit whole."""
    font, rows = fonts.SMALL, [words]
    for font in (fonts.TITLE, fonts.BODY, fonts.SMALL):
        most = max((bottom - top) // font.height, 1)
        rows = wrap(words, font, canvas.width, most)
        if not rows or not rows[-1].endswith(ELLIPSIS):
            break
    spare = max(bottom - top - len(rows) * font.height, 0) // 2
    for number, row in enumerate(rows):
        canvas.row(top + spare + number * font.height, row, font, align)


def soft_row(canvas: Canvas, scene: Scene) -> None:
    """The labels of the soft keys at the bottom, each above its key, one key a quarter."""
    keys = soft_keys(scene.view)
    if not any(keys):
        return
    slot = canvas.width // len(keys)
    top = body_bottom(canvas) + (1 if canvas.is_tall else 0)
    for place, key in enumerate(keys):
        if key is not None:
            _soft_label(canvas, scene.say(key.label), (place * slot, top), slot)


def _soft_label(canvas: Canvas, label: str, corner: tuple[int, int], slot: int) -> None:
    """A label: under a bracket as wide as its key, or inverse where every row is needed."""
    left, top = corner
    label = fit(label, fonts.TINY, slot)
    canvas.fill(left, top, left + slot - 1, canvas.height - 1, lit=False)
    if canvas.is_tall:
        canvas.fill(left + 1, top, left + slot - 3, top)
    start = left + (slot - 1 - fonts.TINY.measure(label) + 1) // 2
    canvas.text(start, canvas.height - fonts.TINY.height, label, fonts.TINY)
    if not canvas.is_tall:
        canvas.invert(left, top, left + slot - 2, canvas.height - 1)


def volume_title(scene: Scene, bar: VolumeBar) -> str:
    """Whose volume was changed, or that the bell is silent."""
    silent = bar.path is PathName.RINGER and bar.volume == 0
    return scene.say("volume.silent" if silent else f"volume.{bar.path.value}")


def volume_bar(canvas: Canvas, scene: Scene, bar: VolumeBar) -> None:
    """A box over the screen with the volume that was just changed."""
    middle = canvas.height // 2
    bottom = body_bottom(canvas) if canvas.is_tall else canvas.height
    canvas.fill(0, 10 if canvas.is_tall else 0, canvas.width - 1, bottom, lit=False)
    canvas.frame(2, middle - 14, canvas.width - 3, middle + 13)
    canvas.row(middle - 10, volume_title(scene, bar), fonts.BODY, span=(8, canvas.width - 8))
    canvas.frame(8, middle + 2, canvas.width - 9, middle + 9)
    lit = (canvas.width - 22) * min(max(bar.volume, 0), 100) // 100
    if lit:
        canvas.fill(10, middle + 4, 10 + lit, middle + 7)
