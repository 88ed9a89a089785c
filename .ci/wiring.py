"""Draws docs/wiring/*.svg and writes docs/wiring.md from the board files that come with the phone.

    python .ci/wiring.py            draws and writes
    python .ci/wiring.py --check    says what is out of date, with exit code 1

The board files are the only source: a pin in a drawing is the pin that the phone drives.
"""

import sys
import textwrap
import tomllib
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hal.board_spec import SOFTWARE, BoardSpec, Contact, DisplaySpec  # noqa: E402 - found by that
from hal.boards.loader import board_names, load_board  # noqa: E402 - likewise
from hal.header import BUS_PINS, PWM_OVERLAY, bus_lines, select_lines  # noqa: E402 - likewise
from hal.tables.cards import CARD_BUSES  # noqa: E402 - likewise

# The 40-pin header by header pin (Raspberry Pi documentation, "GPIO and the 40-pin header").
GPIO_AT = {
    3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9,
    22: 25, 23: 11, 24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16,
    37: 26, 38: 20, 40: 21,
}  # fmt: skip
POWER = {1: "3.3 V", 17: "3.3 V", 2: "5 V", 4: "5 V"}
GROUND = (6, 9, 14, 20, 25, 30, 34, 39)
PIN_OF = {gpio: pin for pin, gpio in GPIO_AT.items()}
_CONSOLE = {PIN_OF[gpio] for gpio, _ in BUS_PINS["uart"]}
COLOURS = ("#ffd166", "#8ecae6", "#b7e4c7", "#ffb4a2", "#cdb4db", "#f4a6c0", "#e9ecb0", "#c8d5b9")
BOUNCE = {Contact.OPEN: "open", Contact.CLOSED: "closed", Contact.AUTO: "found out at the start"}
_HEAD = """\
# Wiring

Made by `make docs` from the board files in `hal/boards`; do not edit. What a part is called here it
is called in the board file ([boards.md](boards.md)), and what the drawing shows is what the phone
drives: a test compares them. `deskphone board show NAME` prints the file.

Switch the power off before wiring. The pins stand 3.3 V and a few milliamperes: no 5 V on an input,
no lamp without a resistor, no coil or motor on a pin. Any ground pin is as good as another.
"""


@dataclass
class Part:
    """A box of the drawing: what is connected, and what to know about it."""

    name: str
    title: str
    wires: list[tuple[int, str]] = field(default_factory=list)
    """Header pin and what it goes to."""
    notes: list[str] = field(default_factory=list)
    grid: tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[str, ...], ...]] | None = None
    """Row pins, column pins, names: a keypad."""

    def on(self, gpio: int, what: str) -> None:
        """A wire from a GPIO."""
        self.wires.append((PIN_OF[gpio], what))

    def ground(self) -> None:
        """A wire from the ground pin that is nearest to the others."""
        pins = [pin for pin, _ in self.wires] or [GROUND[0]]
        middle = sum(pins) / len(pins)
        self.wires.append((min(GROUND, key=lambda pin: (abs(pin - middle), pin)), "ground"))


def parts_of(spec: BoardSpec, data: dict) -> list[Part]:
    """Every box, in the order of the board file's tables."""
    makers = (_keypad, _buttons, _hook, _rotary, _display, _lamps, _ringer, _headset)
    found = [part for maker in makers if (part := maker(spec)) is not None]
    for part in found:
        if _CONSOLE.intersection(pin for pin, _ in part.wires):
            part.notes.append("In config.txt: enable_uart=0. Pins 8 and 10 are else the console's.")
    return [*found, *_serial(spec, data), *_usb(spec), *_cards(spec, data)]


def _keypad(spec: BoardSpec) -> Part | None:
    if (keypad := spec.keypad) is None:
        return None
    part = Part("keypad", "Keypad")
    for number, gpio in enumerate(keypad.rows, 1):
        part.on(gpio, f"row {number}")
    for number, gpio in enumerate(keypad.columns, 1):
        part.on(gpio, f"column {number}")
    names = tuple(tuple(key.value if key else "" for key in row) for row in keypad.keys)
    part.grid = (keypad.rows, keypad.columns, names)
    part.notes.append("Nothing else: the columns are pulled up inside, diodes are not needed.")
    return part


def _buttons(spec: BoardSpec) -> Part | None:
    if not spec.buttons:
        return None
    part = Part("buttons", "Keys")
    for key, gpio in spec.buttons:
        part.on(gpio, key.value)
    part.ground()
    part.notes.append("Each key between its pin and ground.")
    return part


def _hook(spec: BoardSpec) -> Part | None:
    if spec.hook is None:
        return None
    part = Part("hook", "Hook switch")
    part.on(spec.hook.pin, "switch")
    part.ground()
    part.notes.append(f"With the handset off it is {BOUNCE[spec.hook.lifted]}.")
    return part


def _rotary(spec: BoardSpec) -> Part | None:
    if (dial := spec.rotary) is None:
        return None
    part = Part("rotary", "Dial")
    part.on(dial.pulse, "pulse contact (opens once a pulse)")
    if dial.off_normal is not None:
        part.on(dial.off_normal, "off-normal contact (closes while it turns)")
    part.ground()
    part.notes.append("Free both contacts of the old wiring; each goes to its pin and to ground.")
    return part


def _display(spec: BoardSpec) -> Part | None:
    if (display := spec.display) is None:
        return None
    width, height = display.size
    part = Part("display", f"{display.chip.upper()}, {width}×{height}, {display.bus.upper()}")
    part.wires.append((1, "VCC"))
    (_on_i2c if display.bus == "i2c" else _on_spi)(part, display)
    if display.reset is not None:
        part.on(display.reset, "RES")
    part.ground()
    return part


def _on_i2c(part: Part, display: DisplaySpec) -> None:
    for (gpio, _), what in zip(bus_lines("i2c", display.port), ("SDA", "SCL"), strict=False):
        part.on(gpio, what)
    part.notes.append(
        f"Address 0x{display.address:02x}. In config.txt: "
        "dtparam=i2c_arm=on,i2c_arm_baudrate=400000"
    )


def _on_spi(part: Part, display: DisplaySpec) -> None:
    if lines := bus_lines("spi", display.port):
        (_, (out, _), (clock, _)) = lines
        part.on(clock, "D0 / CLK")
        part.on(out, "D1 / DIN")
    for gpio, _ in select_lines(display.port, display.device)[display.device :]:
        part.on(gpio, "CS")
    assert display.data_command is not None
    part.on(display.data_command, "DC")
    part.notes.append(_spi_setting(display.port, display.device))


def _spi_setting(port: int, device: int) -> str:
    if port:
        return f"In config.txt: dtoverlay=spi{port}-{device + 1}cs"
    if device:
        return "In config.txt: dtparam=spi=on. The kernel has GPIO 8 and 7 for select lines."
    return (
        "In config.txt: dtparam=spi=on, and dtoverlay=spi0-1cs, else the kernel keeps GPIO 7 as a "
        "second select line."
    )


def _lamps(spec: BoardSpec) -> Part | None:
    if not spec.lamps:
        return None
    part = Part("lamps", "Lamps")
    low = [name for name, lamp in spec.lamps if lamp.active_low]
    for name, lamp in spec.lamps:
        part.on(lamp.pin, name)
    if len(low) < len(spec.lamps):
        part.ground()
        part.notes.append("LED with 330 Ω from the pin to ground.")
    if low:
        part.wires.append((17, "3.3 V"))
        part.notes.append(f"{', '.join(low)}: LED with 330 Ω from 3.3 V to the pin.")
    return part


def _ringer(spec: BoardSpec) -> Part | None:
    if (ringer := spec.ringer) is None:
        return None
    if ringer.kind == "bell":
        part = Part("ringer", f"Two-coil bell, {ringer.hertz} Hz")
        for number, gpio in enumerate(ringer.pins, 1):
            part.on(gpio, f"input {number} (of the H-bridge)")
        part.ground()
        part.notes.append(
            "An H-bridge between pins and coils, fed with what the coils want (a step-up "
            "converter, 30 to 60 V; the bridge must stand it). Never a coil on a pin."
        )
        part.notes.append(
            "10 kΩ from each input to ground: both low is rest, also while the phone is off. A "
            "bridge without diodes of its own wants four."
        )
        part.notes.append(
            "On Raspberry Pi OS, in config.txt: dtparam=strict_gpiod, else a phone that was killed "
            "leaves a coil under current until it is back."
        )
        return part
    part = Part("ringer", f"Buzzer, {ringer.hertz} Hz")
    part.on(ringer.pins[0], "piezo")
    part.ground()
    part.notes.append(
        "A passive piezo with 100 Ω before it; a buzzer with a coil wants a transistor and a diode."
    )
    if ringer.pwm != SOFTWARE:
        part.notes.append(f"In config.txt: dtoverlay={PWM_OVERLAY[ringer.pins[0]]}")
    return part


def _headset(spec: BoardSpec) -> Part | None:
    if spec.headset is None:
        return None
    part = Part("headset", "Headset socket")
    part.on(spec.headset.pin, "switch")
    part.ground()
    part.notes.append(f"With a plug in it is {BOUNCE[spec.headset.plugged]}.")
    return part


def _serial(spec: BoardSpec, data: dict) -> list[Part]:
    if spec.serial is None:
        return []
    part = Part("serial", f"Front panel at {spec.serial.port}, {spec.serial.speed} baud")
    if data["serial"].get("header_pins"):
        for (gpio, _), what in zip(BUS_PINS["uart"], ("its RX", "its TX"), strict=True):
            part.on(gpio, what)
        part.ground()
        part.wires.append((2, "supply (if it has none of its own)"))
        part.notes.append("3.3 V levels. In config.txt: enable_uart=1, and no console on the port.")
    else:
        part.notes.append("By USB cable.")
    part.notes.append("Its own wiring: docs/examples/serial_panel/main.py.")
    return [part]


def _usb(spec: BoardSpec) -> list[Part]:
    if (usb := spec.usb) is None:
        return []
    part = Part("usb", "USB handset", notes=["Any USB socket."])
    if usb.hook:
        part.notes.append(f"Its hook is {usb.hook}.")
    caps = dict.fromkeys(key.value for _, key in usb.keys)
    part.notes.append(f"Keys: {' '.join(caps)}")
    return [part]


def _cards(spec: BoardSpec, data: dict) -> list[Part]:
    """One box for each sound card, with the paths it serves."""
    found: dict[str, list[str]] = {}
    for path, card in spec.cards.items():
        found.setdefault(card.device, []).append(path)
    return [_card(device, paths, data["cards"][paths[0]]) for device, paths in found.items()]


_HEADER_CARD = (
    "A board on the header; or wired so, with the supply that it wants. In config.txt: its "
    "overlay, like dtoverlay=wm8960-soundcard."
)


def _card(device: str, paths: list[str], data: dict) -> Part:
    part = Part("cards", f"Sound card {device}")
    for bus in CARD_BUSES[data.get("bus", "usb")]:
        for gpio, signal in BUS_PINS[bus]:
            part.on(gpio, signal)
    part.notes.append(_HEADER_CARD if part.wires else "Any USB socket.")
    part.notes.append(f"For {', '.join(paths)}. `deskphone board cards` prints the names of cards.")
    if part.wires:
        part.ground()
    return part


# Drawing

_STEP, _TOP, _LEFT = 25, 64, 270
_BOX_LEFT, _BOX_WIDTH, _ROW, _WIDEST = 620, 440, 18, 58


def svg(spec: BoardSpec, parts: list[Part]) -> str:
    """The header with a label at each pin that is used, and a box for each part."""
    colours = {id(part): COLOURS[at % len(COLOURS)] for at, part in enumerate(parts)}
    boxes, bottom = [], _TOP - 12
    for part in parts:
        box, height = _box(part, bottom, colours[id(part)])
        boxes.append(box)
        bottom += height + 14
    height = max(bottom, _TOP + 20 * _STEP) + 20
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="1080" height="{height}" '
            f'viewBox="0 0 1080 {height}" font-family="sans-serif" font-size="13">'
        ),
        f'<rect width="1080" height="{height}" fill="#ffffff"/>',
        _text(20, 30, spec.title, size=18, bold=True),
        *_header(parts, colours),
        *boxes,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _header(parts: list[Part], colours: dict[int, str]) -> list[str]:
    used: dict[int, list[Part]] = {}
    for part in parts:
        for pin, _ in part.wires:
            used.setdefault(pin, []).append(part)
    lines = [
        (
            f'<rect x="{_LEFT - 8}" y="{_TOP - 14}" width="60" height="{20 * _STEP + 6}" rx="6" '
            'fill="#2b2d42"/>'
        )
    ]
    for pin in range(1, 41):
        x = _LEFT + (0 if pin % 2 else 24)
        y = _TOP + (pin - 1) // 2 * _STEP
        users = used.get(pin, [])
        fill = colours[id(users[0])] if users else "#8d99ae"
        lines.append(f'<circle cx="{x + 10}" cy="{y}" r="10" fill="{fill}"/>')
        lines.append(_text(x + 10, y + 4, str(pin), size=10, anchor="middle"))
        lines += _label(pin, y, users, colours)
    return lines


def _label(pin: int, y: int, users: list[Part], colours: dict[int, str]) -> list[str]:
    """The name of a pin, and behind it who uses it."""
    left = pin % 2 == 1
    name = POWER.get(pin) or ("ground" if pin in GROUND else f"GPIO {GPIO_AT[pin]}")
    anchor, edge, way = ("end", _LEFT - 14, -1) if left else ("start", _LEFT + 58, 1)
    grey = "#111111" if users else "#9a9a9a"
    lines = [_text(edge, y + 4, name, anchor=anchor, fill=grey)]
    at = edge + way * 58
    for part in dict.fromkeys(map(id, users)):
        user = next(user for user in users if id(user) == part)
        text = _short(user, pin)
        width = 9 + 6.4 * len(text)
        x = at - width if left else at
        lines.append(
            f'<rect x="{x:.0f}" y="{y - 10}" width="{width:.0f}" height="20" rx="4" '
            f'fill="{colours[part]}"/>'
        )
        lines.append(_text(x + width / 2, y + 4, text, size=11, anchor="middle"))
        at += way * (width + 4)
    return lines


def _short(part: Part, pin: int) -> str:
    what = next(what for number, what in part.wires if number == pin)
    return part.name if what in ("ground", "3.3 V") else f"{part.name}: {what.partition(' (')[0]}"


def _box(part: Part, top: int, colour: str) -> tuple[str, int]:
    lines: list[str] = []
    y = top + 22
    lines.append(_text(_BOX_LEFT + 12, y, f"{part.title}  [{part.name}]", bold=True))
    if part.grid is not None:
        y = _grid(lines, part.grid, y + 8)
    listed = part.wires if part.grid is None else []
    notes = [line for note in part.notes for line in textwrap.wrap(note, _WIDEST)]
    for text in (*(f"pin {pin} ({_name(pin)}) — {what}" for pin, what in listed), *notes):
        y += _ROW
        lines.append(_text(_BOX_LEFT + 12, y, text))
    height = y + 12 - top
    frame = (
        f'<rect x="{_BOX_LEFT}" y="{top}" width="{_BOX_WIDTH}" height="{height}" rx="8" '
        f'fill="{colour}" fill-opacity="0.35" stroke="{colour}" stroke-width="2"/>'
    )
    return "\n".join((frame, *lines)), height


def _grid(lines: list[str], grid: tuple, y: int) -> int:
    """The caps of a keypad, with the pins of its rows and columns at its edges."""
    rows, columns, names = grid
    left = _BOX_LEFT + 96
    for at, gpio in enumerate(columns):
        x = left + at * 82
        lines.append(_text(x + 38, y + 12, f"GPIO {gpio}", size=11, anchor="middle"))
        lines.append(_text(x + 38, y + 25, f"pin {PIN_OF[gpio]}", size=11, anchor="middle"))
    y += 32
    for row, gpio in enumerate(rows):
        top = y + row * 30
        lines.append(_text(left - 8, top + 11, f"GPIO {gpio}", size=11, anchor="end"))
        lines.append(_text(left - 8, top + 23, f"pin {PIN_OF[gpio]}", size=11, anchor="end"))
        for at, name in enumerate(names[row]):
            x = left + at * 82
            lines.append(
                f'<rect x="{x}" y="{top}" width="76" height="26" rx="5" fill="#ffffff" '
                'stroke="#555555"/>'
            )
            lines.append(_text(x + 38, top + 17, name, size=12, anchor="middle"))
    return y + len(rows) * 30


def _name(pin: int) -> str:
    return POWER.get(pin) or ("ground" if pin in GROUND else f"GPIO {GPIO_AT[pin]}")


def _text(  # noqa: PLR0913 - what a letter may look like
    x: float,
    y: float,
    text: str,
    *,
    size: int = 13,
    anchor: str = "start",
    fill: str = "#111111",
    bold: bool = False,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{fill}"{weight}>{escape(text)}</text>'
    )


def page(boards: dict[str, tuple[BoardSpec, list[Part]]]) -> str:
    """All boards: drawing, and the same as a table for who cannot see it."""
    lines = [_HEAD]
    for name, (spec, parts) in boards.items():
        lines.append(f"## `{name}`\n\n{spec.title}.\n\n![The drawing says what the table says]"
                     f"(wiring/{name}.svg)\n")  # fmt: skip
        lines.append("| part | header pin | | goes to |\n|---|---|---|---|")
        for part in parts:
            lines += [f"| {part.title} | {pin} | {_name(pin)} | {to} |" for pin, to in part.wires]
            if not part.wires:
                lines.append(f"| {part.title} | | | {part.notes[0].rstrip('.')} |")
        lines.append("")
    return "\n".join(lines)


def made() -> dict[Path, str]:
    """Every file that this script makes, by its path under docs."""
    boards = {}
    for name in board_names():
        spec = load_board(name)
        if spec.panel is None:
            data = tomllib.loads(Path(spec.file).read_text(encoding="utf-8"))
            boards[name] = (spec, parts_of(spec, data))
    drawings = {Path(f"wiring/{name}.svg"): svg(*board) for name, board in boards.items()}
    return {Path("wiring.md"): page(boards), **drawings}


def main() -> int:
    """Draw and write; with `--check`, say what is not as it would be drawn now."""
    docs, files = ROOT / "docs", made()
    stale = {path.relative_to(docs) for path in docs.glob("wiring/*.svg")} - set(files)
    stale |= {
        path
        for path, text in files.items()
        if not (docs / path).exists() or (docs / path).read_text(encoding="utf-8") != text
    }
    if "--check" in sys.argv:
        for path in sorted(stale):
            sys.stderr.write(f"docs/{path} is out of date: run make docs\n")
        return int(bool(stale))
    (docs / "wiring").mkdir(exist_ok=True)
    for path in stale - set(files):
        (docs / path).unlink()
    for path, text in files.items():
        (docs / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
