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

from hal.toml_positions import endless_key

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
    byte-order mark, and each line the end that it had: `text` is as it was decoded, nothing
    translated. A line that is added ends as the first one does.
    """
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    end = _DOS_END if text.partition("\n")[0].endswith("\r") else "\n"
    # Only these end a line of TOML: a comment may hold much that others call an end.
    lines = text.split("\n")
    if lines[-1]:
        lines[-1] += end[:-1]
    else:
        lines.pop()
    for lesson in lessons:
        lines = _with(lines, lesson, end[:-1])
    changed = "".join(f"{line}\n" for line in lines)
    was, is_now = _read(text), _read(changed)
    if was is None or is_now is None:
        return None
    for lesson in lessons:
        _put(was, ("board", *lesson.table.split("."), lesson.key), lesson.value)
    return mark + changed if was == is_now else None


def _read(text: str) -> dict[str, object] | None:
    """What a text says; None if that is nothing."""
    text = text.replace(_DOS_END, "\n")
    try:
        return None if endless_key(text) else tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _with(lines: list[str], lesson: Lesson, end: str) -> list[str]:
    """The lines with this one; `end` is what it has before the line feed."""
    head = re.compile(rf"\s*\[\s*board\.{re.escape(lesson.table)}\s*\]\s*(#.*)?")
    at = next((place for place, line in enumerate(lines) if head.fullmatch(line)), None)
    added = f"{lesson.line}{end}"
    if at is None:
        gap = [end] if lines and lines[-1].strip() else []
        return [*lines, *gap, f"[board.{lesson.table}]{end}", added]
    last = next(
        (place for place in range(at + 1, len(lines)) if lines[place].lstrip().startswith("[")),
        len(lines),
    )
    old = re.compile(rf"(\s*){re.escape(lesson.key)}\s*=[^#\n]*?(\s*#.*|\r)?")
    for place in range(at + 1, last):
        if found := old.fullmatch(lines[place]):
            changed = f"{found[1]}{lesson.line}{found[2] or ''}"
            return [*lines[:place], changed, *lines[place + 1 :]]
    return [*lines[: at + 1], added, *lines[at + 1 :]]


def _put(tree: dict[str, object], path: Sequence[str], value: Value) -> None:
    *tables, key = path
    for table in tables:
        inner = tree.setdefault(table, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[key] = list(value) if isinstance(value, tuple) else value
