"""A board file becomes a `BoardSpec`, or one error that lists everything wrong with it.

Not here: opening devices. What the keys mean for a person with a soldering iron stands in
docs/boards.md.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from hal.board import CardSpec
from hal.board_faults import placed
from hal.board_spec import (
    SOFTWARE,
    BoardSpec,
    Contact,
    DisplaySpec,
    HeadsetSpec,
    HookSpec,
    KeypadSpec,
    LampSpec,
    PanelSpec,
    RingerSpec,
    RotarySpec,
    SerialSpec,
    UsbSpec,
)
from hal.card_spec import PATHS
from hal.errors import BoardError
from hal.header import (
    BUS_PINS,
    PWM_OVERLAY,
    SELECT_PINS,
    SERIAL_PORTS,
    USUAL_PORT,
    bus_lines,
    select_lines,
)
from hal.keys import Key, key_named
from hal.lamp_names import check_lamp, lamp_names
from hal.mixer_table import Mixers, mixer_of, read_mixers
from hal.toml_file import read_toml
from hal.toml_positions import Path as KeyPath
from hal.toml_table import Complaint, Table, nearest

FOLDER = Path(__file__).parent
PIN_FACTORIES = ("gpiod", "lgpio", "rpigpio", "mock")
CHIPS = ("ssd1306", "ssd1309", "ssd1322", "sh1106")
_SSD1306_SIZES = ((128, 64), (128, 32), (96, 16), (64, 48), (64, 32))
CHIP_SIZES: dict[str, tuple[tuple[int, int], ...]] = {
    "ssd1306": _SSD1306_SIZES,
    "ssd1309": _SSD1306_SIZES,
    "sh1106": ((128, 64), (128, 32), (128, 128)),
    "ssd1322": ((256, 64), (256, 48), (256, 32), (128, 64), (128, 48), (128, 32)),
}
"""What luma.oled can set up."""
SPI_ONLY = ("ssd1322",)
CARD_KINDS = ("alsa", "browser", "file", "null", "mock")
LAST_PIN = 27
_WIDEST_STRIP = 336
"""Columns that fit into the longest line of `hal.uart.framing`."""
_CONTACTS = tuple(contact.value for contact in Contact)
CARD_BUSES: dict[str, tuple[str, ...]] = {"usb": (), "i2s": ("i2s",), "i2s+i2c": ("i2s", "i2c")}
_INPUT_CODE = re.compile(r"(KEY|BTN|SW|HID)_[A-Z0-9_]+")
_LED_CODE = re.compile(r"(LED|HID)_[A-Z0-9_]+")
_PWM = re.compile(r"software|hardware|pwmchip[0-9]{1,3}/[0-9]{1,2}")
_BELL_HERTZ, _TONE_HERTZ = (15, 50), (15, 4000)


def board_names() -> tuple[str, ...]:
    """The boards that come with the phone."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_board(
    name_or_path: str, own: Mapping[str, object] | None = None, without: Collection[str] = ()
) -> BoardSpec:
    """Read a board by name, or from a file if the text has a slash or ends in `.toml`.

    `own` are tables as in a board file, whose keys stand above the file's; `without` are tables of
    the file that this phone has not.

    Raises:
        hal.errors.BoardError: no such board, or the file is wrong; one line per problem, each
            with file, line, key and what would be right.
    """
    path = _path_of(name_or_path)
    data, text = read_toml(path)
    kept = {key: value for key, value in data.items() if key not in without}
    spec, problems = _read(_merged(kept, own or {}), path)
    if problems:
        alone = _read(kept, path)[1] if own else ()
        faults = placed(problems, alone, own or {}, str(path), text)
        raise BoardError("\n".join(map(str, faults)), faults)
    return spec


def _read(data: dict[str, object], path: Path) -> tuple[BoardSpec, list[Complaint]]:
    problems: list[Complaint] = []
    return _Reader(Table(data, (), problems), path).board(), problems


def _merged(file: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """Tables are merged key by key; every other value replaces the file's."""
    merged = dict(file)
    for key, value in own.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _path_of(name_or_path: str) -> Path:
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        return Path(name_or_path)
    names = board_names()
    if name_or_path not in names:
        near = nearest(name_or_path, names)
        hint = f"is it {near}?" if near else f"there are {', '.join(names)}"
        raise BoardError(f"board.name: there is no board {name_or_path!r}; {hint}")
    return FOLDER / f"{name_or_path}.toml"


def _check_panel(spec: DisplaySpec, table: Table) -> None:
    """What luma.oled has no driver for is said before it is opened."""
    sizes = CHIP_SIZES.get(spec.chip, (spec.size,))
    if spec.size not in sizes:
        known = ", ".join(f"{width}×{height}" for width, height in sizes)
        table.complain("size", f"a {spec.chip} has {known}")
    if spec.chip in SPI_ONLY and spec.bus != "spi":
        table.complain("bus", f'a {spec.chip} has no I²C; bus = "spi"')


def _check_pwm(spec: RingerSpec, table: Table) -> None:
    if not _PWM.fullmatch(spec.pwm):
        table.complain("pwm", f"{spec.pwm!r} is not software, hardware, or like pwmchip2/1")
    elif spec.kind == "bell" and spec.pwm != SOFTWARE:
        table.complain("pwm", "a bell has two coils in turn; this is for a buzzer")
    elif spec.pwm == "hardware" and spec.pins and spec.pins[0] not in PWM_OVERLAY:
        pins = ", ".join(map(str, PWM_OVERLAY))
        table.complain("pins", f"hardware PWM comes out at GPIO {pins} alone")


def _letters(table: Table) -> tuple[int, int] | None:
    if "letters" not in table:
        table.texts("letters")
        return None
    numbers = table.integers("letters", 1, 80)
    if len(numbers) == 2 and numbers[0] >= 8:
        return numbers[0], numbers[1]
    if numbers:
        table.complain("letters", "must be [columns, rows], like [20, 4]")
    return None


def _input_code(table: Table, key: str, code: str) -> str:
    """An input event's name; which of them exist only the machine knows that has the device."""
    if code and not _INPUT_CODE.fullmatch(code):
        table.complain(key, f"{code!r} is not the name of an input event, like KEY_PHONE")
    return code


def _usb_lamps(table: Table | None) -> tuple[tuple[str, str], ...]:
    if table is None:
        return ()
    found = [(name, table.text(name)) for name in table.names]
    for name, code in found:
        check_lamp(name, table, name)
        if code and not _LED_CODE.fullmatch(code):
            table.complain(name, f"{code!r} is not the name of a lamp, like LED_MUTE")
    return tuple(found)


class _Reader:
    """One pass over one file; keeps who uses which pin."""

    def __init__(self, root: Table, path: Path) -> None:
        self._root = root
        self._path = path
        self._users: dict[int, tuple[str, KeyPath]] = {}

    def board(self) -> BoardSpec:
        root = self._root
        pin_factory, gpio_chip = self._gpio()
        mixers = read_mixers(root.table("mixer"))
        spec = BoardSpec(
            name=root.text("name", self._path.stem),
            title=root.text("title", ""),
            file=str(self._path),
            pin_factory=pin_factory,
            gpio_chip=gpio_chip,
            panel=self._panel(),
            keypad=self._keypad(),
            buttons=self._buttons(),
            hook=self._hook(),
            rotary=self._rotary(),
            lamps=self._lamps(),
            ringer=self._ringer(),
            headset=self._headset(),
            display=self._display(),
            serial=self._serial(),
            usb=self._usb(),
            cards=self._cards(mixers),
            mixers=mixers,
        )
        root.finish()
        return spec

    def _claim(self, pin: int, table: Table, key: str) -> int:
        """Note who uses a pin; a second user learns of the first."""
        self._claim_as(pin, table, key, table.where(key))
        return pin

    def _claim_as(self, pin: int, table: Table, key: str, user: str) -> None:
        first, rival = self._users.setdefault(pin, (user, table.path(key)))
        if first != user:
            both = f"{user} and {first} both use GPIO {pin}; give one another pin"
            table.complain(key, both, rival)

    def _claim_bus(self, bus: str, table: Table, key: str, port: int | None = None) -> None:
        for pin, signal in BUS_PINS[bus] if port is None else bus_lines(bus, port):
            # Devices share a bus, so the line is the user, not the device.
            self._claim_as(pin, table, key, f"the {signal} line")

    def _claim_selects(self, port: int, device: int, table: Table) -> None:
        for pin, line in select_lines(port, device):
            self._claim_as(pin, table, "device", f"the {line} line")
        count = len(SELECT_PINS.get(port, ())) or device + 1
        if device >= count:
            table.complain("device", f"SPI bus {port} has {count} chip selects, from 0")

    def _pin(self, table: Table, key: str) -> int:
        if key not in table:
            return table.integer(key, None, 0, LAST_PIN)
        before = len(table.problems)
        pin = table.integer(key, None, 0, LAST_PIN)
        return pin if len(table.problems) > before else self._claim(pin, table, key)

    def _optional_pin(self, table: Table, key: str) -> int | None:
        if key in table:
            return self._pin(table, key)
        table.integer(key, 0, 0, LAST_PIN)
        return None

    def _pins(self, table: Table, key: str) -> tuple[int, ...]:
        pins = table.integers(key, 0, LAST_PIN)
        for place, pin in enumerate(pins):
            self._claim_as(pin, table, key, f"{table.where(key)}[{place}]")
        return pins

    def _key(self, table: Table, place: str, name: str) -> Key | None:
        key = key_named(name)
        if key is None:
            near = nearest(name, [k.value for k in Key])
            table.complain(place, f"there is no key {name!r}" + (f"; is it {near!r}?" * bool(near)))
        return key

    def _gpio(self) -> tuple[str, str]:
        """The pin factory and its chip."""
        gpio = self._root.table("gpio")
        if gpio is None:
            return PIN_FACTORIES[0], ""
        name = gpio.text("factory", PIN_FACTORIES[0], PIN_FACTORIES)
        chip = gpio.text("chip", "")
        gpio.finish()
        return name, chip

    def _panel(self) -> PanelSpec | None:
        table = self._root.table("panel")
        if table is None:
            return None
        names = table.texts("keys", tuple(key.value for key in Key))
        keys = [self._key(table, "keys", name) for name in names]
        spec = PanelSpec(
            keys=tuple(key for key in keys if key is not None),
            size=table.size("size", required=False),
            lamps=lamp_names(table),
            bell=table.flag("bell", default=True),
            hook=table.flag("hook", default=True),
        )
        table.finish()
        return spec

    def _keypad(self) -> KeypadSpec | None:
        table = self._root.table("keypad")
        if table is None:
            return None
        rows, columns = self._pins(table, "rows"), self._pins(table, "columns")
        names = table.grid("keys")
        fits = [len(row) for row in names] == [len(columns)] * len(rows)
        if rows and columns and not fits:
            table.complain(
                "keys",
                f"must be {len(rows)} rows of {len(columns)} names, as many as there are pins",
            )
        seen = [name for row in names for name in row if name]
        for twice in sorted({name for name in seen if seen.count(name) > 1}):
            table.complain("keys", f"{twice!r} stands at two crossings")
        spec = KeypadSpec(
            rows=rows,
            columns=columns,
            keys=tuple(
                tuple(self._key(table, "keys", name) if name else None for name in row)
                for row in names
            ),
            lockout_ms=table.integer("lockout_ms", 20, 1, 200),
        )
        table.finish()
        return spec

    def _buttons(self) -> tuple[tuple[Key, int], ...]:
        table = self._root.table("buttons")
        if table is None:
            return ()
        found = []
        for name in table.names:
            key, pin = self._key(table, name, name), self._pin(table, name)
            if key is not None:
                found.append((key, pin))
        return tuple(found)

    def _hook(self) -> HookSpec | None:
        table = self._root.table("hook")
        if table is None:
            return None
        spec = HookSpec(
            pin=self._pin(table, "pin"),
            lifted=Contact(table.text("lifted", "auto", _CONTACTS)),
            lockout_ms=table.integer("lockout_ms", 50, 1, 500),
            flash_max_ms=table.integer("flash_max_ms", 500, 0, 2000),
        )
        table.finish()
        return spec

    def _rotary(self) -> RotarySpec | None:
        table = self._root.table("rotary")
        if table is None:
            return None
        order = table.text("order", "1234567890")
        if sorted(order) != sorted("1234567890"):
            table.complain("order", "must be the ten digits in the order of their pulses")
        spec = RotarySpec(self._pin(table, "pulse"), self._optional_pin(table, "off_normal"), order)
        table.finish()
        return spec

    def _lamps(self) -> tuple[tuple[str, LampSpec], ...]:
        table = self._root.table("lamps")
        if table is None:
            return ()
        found = []
        for name in table.names:
            lamp = table.table(name)
            check_lamp(name, table, name)
            if lamp is not None:
                pin = self._pin(lamp, "pin")
                low = lamp.flag("active_low", default=False)
                brightness = lamp.integer("brightness", 100, 1, 100)
                found.append((name, LampSpec(pin, low, brightness)))
                lamp.finish()
        return tuple(found)

    def _ringer(self) -> RingerSpec | None:
        table = self._root.table("ringer")
        if table is None:
            return None
        kind = table.text("kind", None, ("buzzer", "bell"))
        pins = self._pins(table, "pins")
        wanted = 2 if kind == "bell" else 1
        if len(pins) != wanted:
            table.complain("pins", f"a {kind or 'buzzer'} has {wanted}, here are {len(pins)}")
        usual, (low, high) = (25, _BELL_HERTZ) if kind == "bell" else (440, _TONE_HERTZ)
        hertz, pwm = table.integer("hertz", usual, low, high), table.text("pwm", SOFTWARE)
        spec = RingerSpec(kind, pins, hertz, pwm)
        _check_pwm(spec, table)
        table.finish()
        return spec

    def _headset(self) -> HeadsetSpec | None:
        table = self._root.table("headset")
        if table is None:
            return None
        plugged = Contact(table.text("plugged", "closed", ("open", "closed")))
        spec = HeadsetSpec(self._pin(table, "pin"), plugged)
        table.finish()
        return spec

    def _display(self) -> DisplaySpec | None:
        table = self._root.table("display")
        if table is None:
            return None
        bus = table.text("bus", "i2c", ("i2c", "spi"))
        port = table.integer("port", USUAL_PORT[bus], 0, 6)
        device = table.integer("device", 0, 0, 2)
        self._claim_bus(bus, table, "bus", port)
        if bus == "spi":
            self._claim_selects(port, device, table)
        spec = DisplaySpec(
            chip=table.text("chip", None, CHIPS),
            size=table.size("size", required=True) or (128, 64),
            bus=bus,
            port=port,
            address=table.integer("address", 0x3C, 0x08, 0x77),
            device=device,
            data_command=self._pin(table, "data_command") if bus == "spi" else None,
            reset=self._optional_pin(table, "reset"),
            rotate=table.integer("rotate", 0, 0, 3),
            contrast=table.integer("contrast", 127, 0, 255),
        )
        _check_panel(spec, table)
        table.finish()
        return spec

    def _serial(self) -> SerialSpec | None:
        table = self._root.table("serial")
        if table is None:
            return None
        spec = SerialSpec(
            port=table.text("port"),
            speed=table.integer("speed", 115_200, 1200, 4_000_000),
            size=table.size("size", required=False),
            lamps=lamp_names(table),
            bell=table.flag("bell", default=False),
            flash_max_ms=table.integer("flash_max_ms", 500, 0, 2000),
            letters=_letters(table),
        )
        if spec.size is not None and spec.size[0] > _WIDEST_STRIP:
            table.complain("size", f"a line to a panel carries {_WIDEST_STRIP} columns at most")
        if spec.size is not None and spec.letters is not None:
            table.complain("letters", "a display has pixels (size) or letters, not both")
        if table.flag("header_pins", default=spec.port in SERIAL_PORTS):
            self._claim_bus("uart", table, "header_pins")
        table.finish()
        return spec

    def _usb(self) -> UsbSpec | None:
        table = self._root.table("usb")
        if table is None:
            return None
        spec = UsbSpec(
            vendor=table.integer("vendor", 0, 0, 0xFFFF),
            product=table.integer("product", 0, 0, 0xFFFF),
            name=table.text("name", ""),
            phys=table.text("phys", ""),
            keys=self._usb_keys(table.table("keys")),
            hook=_input_code(table, "hook", table.text("hook", "")),
            lifted=Contact(table.text("lifted", "closed", ("open", "closed"))),
            flash_max_ms=table.integer("flash_max_ms", 500, 0, 2000),
            lamps=_usb_lamps(table.table("lamps")),
            grab=table.flag("grab", default=True),
        )
        table.finish()
        return spec

    def _usb_keys(self, table: Table | None) -> tuple[tuple[str, Key], ...]:
        if table is None:
            return ()
        found = [
            (_input_code(table, code, code), self._key(table, code, table.text(code)))
            for code in table.names
        ]
        return tuple((code, key) for code, key in found if key is not None)

    def _cards(self, mixers: Mixers) -> dict[str, CardSpec]:
        table = self._root.table("cards")
        found: dict[str, CardSpec] = {}
        for path in PATHS:
            card = table.table(path) if table is not None else None
            if card is None:
                continue
            found[path] = self._card(card, mixers)
            for bus in CARD_BUSES[card.text("bus", "usb", CARD_BUSES)]:
                self._claim_bus(bus, card, "bus")
            card.finish()
        if table is not None:
            table.finish()
        return found

    def _card(self, table: Table, mixers: Mixers) -> CardSpec:
        kind = table.text("kind", "alsa", CARD_KINDS)
        device = table.text("device", None if kind == "alsa" else "")
        return CardSpec(
            kind=kind,
            device=device,
            play=table.text("play", ""),
            record=table.text("record", ""),
            mixer=mixer_of(mixers, device) if kind == "alsa" else (),
        )
