# ruff: noqa: INP001 - a script beside its data, not a package
"""Where each partition of the SD card lies: pure arithmetic on `layout.toml`.

Not here: making file systems or writing a card. The rules are those of an MBR (at most four
primary partitions, 32-bit sector numbers, the first sector is the table's own). Run as a script it
prints the plan for `sfdisk`.
"""

import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

SECTOR = 512
MOST_PARTITIONS = 4
MOST_SECTORS = 2**32
TYPES = {"vfat": "c", "ext4": "83"}
_UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SIZE = re.compile(r"(\d+) (KiB|MiB|GiB)")
_REST = "rest"


class LayoutError(ValueError):
    """The plan cannot be; the message names the partition and the figures."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A wish. Bytes throughout; `size` None = the rest, at least `minimum`; `start` None = next."""

    name: str
    filesystem: str
    size: int | None
    minimum: int = 0
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """All wishes, in the order of the table."""

    label: str
    alignment: int
    smallest_card: int
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A partition with its place on the card; `start` and `size` in bytes, aligned."""

    name: str
    filesystem: str
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


def parse(text: str) -> Layout:
    """Read `layout.toml`.

    Raises:
        LayoutError: a key is missing or wrong.
        tomllib.TOMLDecodeError: it is no TOML.
    """
    data = tomllib.loads(text)
    disk, wishes = data.get("disk", {}), data.get("partition", [])
    label = disk.get("label")
    if label != "dos":
        raise LayoutError(f"disk.label: {label!r} is not 'dos'")
    return Layout(
        label=label,
        alignment=_size(disk, "alignment", "disk"),
        smallest_card=_size(disk, "smallest_card", "disk"),
        partitions=tuple(map(_partition, wishes)),
    )


def _partition(wish: Mapping[str, object]) -> Partition:
    name = wish.get("name")
    if not isinstance(name, str) or not name:
        raise LayoutError("partition: one has no name")
    filesystem = wish.get("filesystem")
    if not isinstance(filesystem, str) or filesystem not in TYPES:
        raise LayoutError(f"{name}.filesystem: {filesystem!r} is not one of {', '.join(TYPES)}")
    if unknown := set(wish) - {"name", "filesystem", "size", "minimum", "start"}:
        raise LayoutError(f"{name}: there is no key {min(unknown)!r}")
    return Partition(
        name=name,
        filesystem=filesystem,
        size=None if wish.get("size") == _REST else _size(wish, "size", name),
        minimum=_size(wish, "minimum", name) if "minimum" in wish else 0,
        start=_size(wish, "start", name) if "start" in wish else None,
    )


def _size(table: Mapping[str, object], key: str, where: str) -> int:
    value = table.get(key)
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise LayoutError(f'{where}.{key}: {value!r} is not a size like "256 MiB"')
    return int(found[1]) * _UNITS[found[2]]


def place(layout: Layout, card: int | None = None) -> tuple[Placed, ...]:
    """Compute where everything lies on a card of so many bytes (the smallest if None).

    Raises:
        LayoutError: partitions overlap, are not aligned, or do not fit.
    """
    card = layout.smallest_card if card is None else card
    _check_table(layout)
    placed: list[Placed] = []
    free = layout.alignment  # The first sector is the table's; the rest of its block stays empty.
    for wish in layout.partitions:
        placed.append(_placed(wish, free, card, layout.alignment))
        free = placed[-1].end
    _check_places(placed, layout, card)
    return tuple(placed)


def _check_table(layout: Layout) -> None:
    count = len(layout.partitions)
    if not 1 <= count <= MOST_PARTITIONS:
        raise LayoutError(f"{count} partitions; an MBR has one to {MOST_PARTITIONS}")
    names = [wish.name for wish in layout.partitions]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LayoutError(f"{twice[0]}: two partitions have this name")
    if any(wish.size is None for wish in layout.partitions[:-1]):
        raise LayoutError("only the last partition can take the rest")
    if layout.alignment % SECTOR:
        raise LayoutError(f"disk.alignment: {layout.alignment} is not a whole number of sectors")


def _placed(wish: Partition, free: int, card: int, alignment: int) -> Placed:
    start = free if wish.start is None else wish.start
    size = wish.size
    if size is None:
        size = (card - start) // alignment * alignment
        if size < max(wish.minimum, alignment):
            raise LayoutError(
                f"{wish.name}: {_mib(size)} are left of {_mib(card)},"
                f" at least {_mib(max(wish.minimum, alignment))} are needed"
            )
    return Placed(wish.name, wish.filesystem, start, size)


def _check_places(placed: Sequence[Placed], layout: Layout, card: int) -> None:
    for part in placed:
        if part.start % layout.alignment or part.size % layout.alignment:
            raise LayoutError(
                f"{part.name}: start {_mib(part.start)} and size {_mib(part.size)}"
                f" are not multiples of {_mib(layout.alignment)}"
            )
        if part.start < layout.alignment:
            raise LayoutError(f"{part.name}: it begins on the partition table")
        if part.end > card:
            raise LayoutError(f"{part.name}: it ends at {_mib(part.end)}, the card at {_mib(card)}")
        if part.end > MOST_SECTORS * SECTOR:
            raise LayoutError(f"{part.name}: an MBR ends at {_mib(MOST_SECTORS * SECTOR)}")
    in_order = sorted(placed, key=lambda part: part.start)
    for lower, upper in pairwise(in_order):
        if lower.end > upper.start:
            raise LayoutError(f"{lower.name} and {upper.name} overlap at {_mib(upper.start)}")


def _mib(size: int) -> str:
    return f"{size / _UNITS['MiB']:g} MiB"


def sfdisk_script(layout: Layout, placed: Sequence[Placed]) -> str:
    """The plan in the words of sfdisk(8); the first partition is the one to boot from."""
    lines = [f"label: {layout.label}", "unit: sectors", ""]
    for number, part in enumerate(placed):
        line = (
            f"start={part.start // SECTOR}, size={part.size // SECTOR},"
            f" type={TYPES[part.filesystem]}"
        )
        lines.append(line + ", bootable" * (number == 0))
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Print the plan of a layout file (default: the one beside this script)."""
    path = Path(arguments[0]) if arguments else Path(__file__).with_name("layout.toml")
    try:
        layout = parse(path.read_text(encoding="utf-8"))
        sys.stdout.write(sfdisk_script(layout, place(layout)))
    except (LayoutError, OSError, tomllib.TOMLDecodeError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
