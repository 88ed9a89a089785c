"""What a walk has learned, as lines of `[board]`, and a settings file with these lines in it. Pure.

A file of settings is a person's: only the lines that are learned are changed or added, every
comment stays. What cannot be changed line by line (a list over several lines, a table within
braces) is left to the person.
"""

import json
import re
import tomllib
from collections.abc import Sequence

from msgspec import Struct

_MARK, _DOS_END = "\ufeff", "\r\n"
Value = str | int | bool | tuple[int, ...]


class Lesson(Struct, frozen=True):
    """A key below `[board]`: `table` is `hook` or `lamps.mute`, for instance."""

    table: str
    key: str
    value: Value

    @property
    def line(self) -> str:
        """As TOML has it."""
        return f"{self.key} = {toml(self.value)}"


def toml(value: Value) -> str:
    """A value of TOML, which writes these as JSON does."""
    return json.dumps(value, ensure_ascii=False)


def lines_of(lessons: Sequence[Lesson]) -> list[str]:
    """The lines to put into `deskphone.toml`."""
    lines: list[str] = []
    for table in dict.fromkeys(lesson.table for lesson in lessons):
        lines.append(f"[board.{table}]")
        lines += [lesson.line for lesson in lessons if lesson.table == table]
    return lines


def with_lessons(text: str, lessons: Sequence[Lesson]) -> str | None:
    """The file with these lines, or None if a person has to do it.

    What is returned says the same as before but for the lessons: it has been read again. It has the
    byte-order mark and the line ends that it had: `text` is as it was decoded, nothing translated.
    """
    mark = _MARK if text.startswith(_MARK) else ""
    end = _DOS_END if _DOS_END in text else "\n"
    changed = text = text.removeprefix(_MARK).replace(_DOS_END, "\n")
    for lesson in lessons:
        changed = _with(changed, lesson)
    try:
        was, is_now = tomllib.loads(text), tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        return None
    for lesson in lessons:
        _put(was, ("board", *lesson.table.split("."), lesson.key), lesson.value)
    return mark + changed.replace("\n", end) if was == is_now else None


def _with(text: str, lesson: Lesson) -> str:
    lines = text.splitlines()
    head = re.compile(rf"\s*\[\s*board\.{re.escape(lesson.table)}\s*\]\s*(#.*)?")
    at = next((place for place, line in enumerate(lines) if head.fullmatch(line)), None)
    if at is None:
        gap = [""] if lines and lines[-1].strip() else []
        lines += [*gap, f"[board.{lesson.table}]", lesson.line]
        return "\n".join(lines) + "\n"
    end = next(
        (place for place in range(at + 1, len(lines)) if lines[place].lstrip().startswith("[")),
        len(lines),
    )
    old = re.compile(rf"(\s*){re.escape(lesson.key)}\s*=[^#\n]*?(\s*#.*)?")
    for place in range(at + 1, end):
        if found := old.fullmatch(lines[place]):
            lines[place] = f"{found[1]}{lesson.line}{found[2] or ''}"
            break
    else:
        lines.insert(at + 1, lesson.line)
    return "\n".join(lines) + "\n"


def _put(tree: dict[str, object], path: Sequence[str], value: Value) -> None:
    *tables, key = path
    for table in tables:
        inner = tree.setdefault(table, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[key] = list(value) if isinstance(value, tuple) else value
