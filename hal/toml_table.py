"""Reading a TOML table key by key, gathering every complaint instead of stopping at the first.

Pure: the text has been parsed before. A wrong value is replaced by its default, so that reading
goes on; whoever began must look at `problems` before believing what was read.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, TypeGuard, TypeVar, TypeVarTuple

from hal.toml_positions import Path

T = TypeVar("T", str, int)
Part = TypeVar("Part")
Given = TypeVarTuple("Given")
_REQUIRED = "is missing"
_LONGEST = 80
"""Characters of a value in a message."""


class Complaint(NamedTuple):
    """What is wrong with a key; `rival` is another that would do as well to put it right."""

    path: Path
    text: str
    rival: Path = ()

    def __str__(self) -> str:
        return f"{_dotted(self.path)}: {self.text}"


class Table:
    """A TOML table at `path` (`()` = the file's root); complaints go to the shared `problems`."""

    def __init__(self, data: dict[str, object], path: Path, problems: list[Complaint]) -> None:
        self._data = data
        self._path = path
        self._asked: list[str] = []
        self.problems = problems

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def __len__(self) -> int:
        return len(self._data)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys as written."""
        return tuple(self._data)

    def where(self, key: str) -> str:
        """The full name of a key, as it stands in messages."""
        return _dotted(self.path(key))

    def path(self, key: str) -> Path:
        """The names that lead to a key."""
        return (*self._path, key)

    def complain(self, key: str, what: str, rival: Path = ()) -> None:
        """Note a problem with this key, which may as well be one with its rival."""
        self.problems.append(Complaint(self.path(key), what, rival))

    def _get(self, key: str) -> object:
        self._asked.append(key)
        return self._data.get(key)

    def text(self, key: str, default: str | None = None, choices: Collection[str] = ()) -> str:
        """A string; None as default makes it required, `choices` limits it."""
        value = self._get(key)
        if value is None:
            return self._absent(key, default, "")
        if not isinstance(value, str):
            self.complain(key, f"{shown(value)} is not a text in quotes")
        elif choices and value not in choices:
            self.complain(key, f"{shown(value)} is not one of {', '.join(sorted(choices))}")
        else:
            return value
        return default or ""

    def integer(self, key: str, default: int | None, low: int, high: int) -> int:
        """A whole number within bounds; None as default makes it required."""
        value = self._get(key)
        if value is None:
            return self._absent(key, default, low)
        if not _is_integer(value) or not low <= value <= high:
            self.complain(key, f"{shown(value)} is not a whole number from {low} to {high}")
            return low if default is None else default
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.complain(key, f"{shown(value)} is not true or false")
        return default

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """A required list of whole numbers within bounds."""
        value = self._get(key)
        if value is None:
            self.complain(key, _REQUIRED)
        elif not isinstance(value, list):
            self.complain(key, f"{shown(value)} is not a list")
        elif not value:
            self.complain(key, "is empty")
        elif bad := [v for v in value if not _is_integer(v) or not low <= v <= high]:
            self.complain(key, f"{shown(bad[0])} is not a whole number from {low} to {high}")
        else:
            return tuple(value)
        return ()

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(key)
        if value is None:
            return default
        if _is_texts(value):
            return tuple(value)
        self.complain(key, f"{shown(value)} is not a list of texts")
        return default

    def grid(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A required list of rows of strings."""
        value = self._get(key)
        rows: list[object] = value if isinstance(value, list) else [value]
        found = [tuple(row) for row in rows if _is_texts(row)]
        if len(found) == len(rows):
            return tuple(found)
        self.complain(key, 'must be rows of key names, like [["1", "2"], ["3", "4"]]')
        return ()

    def size(self, key: str, *, required: bool) -> tuple[int, int] | None:
        """Width and height in pixels, each a multiple of 8 up to 1024."""
        if key not in self._data and not required:
            self._asked.append(key)
            return None
        numbers = self.integers(key, 8, 1024)
        if len(numbers) == 2 and not any(n % 8 for n in numbers):
            return numbers[0], numbers[1]
        if numbers:
            self.complain(key, "must be [width, height] in multiples of 8, like [128, 64]")
        return None

    def is_table(self, key: str) -> bool:
        """Whether a table stands there."""
        return isinstance(self._data.get(key), dict)

    def plain(self, key: str) -> bool | int | str:
        """A switch, a number or a text, whichever it is."""
        value = self._get(key)
        if isinstance(value, bool | int | str):
            return value
        self.complain(
            key, f"{shown(value)} is neither true nor false nor a whole number nor a text"
        )
        return ""

    def table(self, key: str, like: str = "") -> "Table | None":
        """A table below this one, None if it is absent; `like` is how it is named by example."""
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.complain(key, f"must be a table, like [{like or self.where(key)}]")
            return None
        return Table(value, self.path(key), self.problems)

    def part(
        self, key: str, read: "Callable[[Table, *Given], Part]", *given: *Given
    ) -> Part | None:
        """What `read` makes of the whole table below this one, None if it is absent."""
        table = self.table(key)
        if table is None:
            return None
        made = read(table, *given)
        table.finish()
        return made

    def finish(self) -> None:
        """Complain about every key that nobody asked for, with the nearest that exists."""
        for key in self._data:
            if key not in self._asked:
                near = nearest(key, self._asked)
                self.complain(key, "there is no such key" + (f"; is it {near}?" if near else ""))

    def _absent(self, key: str, default: T | None, fallback: T) -> T:
        if default is not None:
            return default
        self.complain(key, _REQUIRED)
        return fallback


def shown(value: object) -> str:
    """A value as it stands in a message: on one line, and of a long one the beginning."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # A number of thousands of digits; tables within tables within tables.
        return "what stands there"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _dotted(path: Path) -> str:
    names = (str(name) for name in path)
    return ".".join(name if name and name.isprintable() else repr(name) for name in names)


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like this one, or an empty string."""
    import difflib  # noqa: PLC0415 - for a file with faults only

    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.6)), "")
