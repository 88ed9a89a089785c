"""A board file becomes a `BoardSpec`, or one error that lists everything wrong with it.

Not here: opening devices. What the keys mean for a person with a soldering iron stands in
docs/boards.md.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from hal.board_faults import placed, silent
from hal.board_spec import BoardSpec
from hal.errors import BoardError, BoardFault
from hal.mixer_table import read_mixers
from hal.tables import attached, wired
from hal.tables.cards import cards
from hal.tables.display import display
from hal.tables.pins import Pins
from hal.toml_file import read_toml
from hal.toml_table import Complaint, Table, nearest

FOLDER = Path(__file__).parent
PIN_FACTORIES = ("gpiod", "lgpio", "rpigpio", "mock")


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


def silence(
    spec: BoardSpec, own: Mapping[str, object], without: Collection[str]
) -> BoardFault | None:
    """That a call is not heard on this board, as `load_board` gave it; None if it is."""
    return None if spec.rings else silent(spec, own, without, read_toml(Path(spec.file))[1])


def _read(data: dict[str, object], path: Path) -> tuple[BoardSpec, list[Complaint]]:
    problems: list[Complaint] = []
    return read_board(Table(data, (), problems), path, Pins()), problems


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


def read_board(root: Table, path: Path, pins: Pins) -> BoardSpec:
    """Every table of a board file; `pins` are taken in this order, `root` has the problems."""
    pin_factory, gpio_chip = root.part("gpio", _gpio) or (PIN_FACTORIES[0], "")
    mixers = read_mixers(root.table("mixer"))
    spec = BoardSpec(
        name=root.text("name", path.stem),
        title=root.text("title", ""),
        file=str(path),
        pin_factory=pin_factory,
        gpio_chip=gpio_chip,
        panel=root.part("panel", attached.panel),
        keypad=root.part("keypad", wired.keypad, pins),
        buttons=root.part("buttons", wired.buttons, pins) or (),
        hook=root.part("hook", wired.hook, pins),
        rotary=root.part("rotary", wired.rotary, pins),
        lamps=root.part("lamps", wired.lamps, pins) or (),
        ringer=root.part("ringer", wired.ringer, pins),
        headset=root.part("headset", wired.headset, pins),
        display=root.part("display", display, pins),
        serial=root.part("serial", attached.serial, pins),
        usb=root.part("usb", attached.usb),
        cards=root.part("cards", cards, pins, mixers) or {},
        mixers=mixers,
    )
    root.finish()
    return spec


def _gpio(table: Table) -> tuple[str, str]:
    """The pin factory and its chip."""
    return table.text("factory", PIN_FACTORIES[0], PIN_FACTORIES), table.text("chip", "")
