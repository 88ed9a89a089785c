"""Bytes to TOML tables: encodings that people's editors make, and every bad line at once.

`tomllib` stops at the first fault. A line that cannot be read is noted, blanked and the text is
read again, so that one look shows all of them; a fault that spans lines ends the search.
"""

import tomllib

from msgspec import Struct

from firmware.config.problems import Problem
from hal.toml_positions import Path, Positions, endless_key, place_of_fault

SIZE_LIMIT = 256 * 1024
_BAD_LINES = 20
_TWICE = "cannot overwrite"

Table = dict[str, object]


class Document(Struct, frozen=True):
    """The tables of a text, the place of each key, and what could not be read."""

    tables: Table
    positions: Positions
    problems: tuple[Problem, ...]

    def line_of(self, path: Path) -> int:
        """The line on which a key stands."""
        return self.positions.line_of(path)


def decode(data: bytes, file: str) -> str | Problem:
    """The text of a file: UTF-8, with or without byte-order mark."""
    if len(data) > SIZE_LIMIT:
        args = (("size", str(len(data))), ("limit", str(SIZE_LIMIT)))
        return Problem(file, 0, "", "too_big", args)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(file, 1, "", "utf16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(file, data.count(b"\n", 0, error.start) + 1, "", "not_utf8")


def read(text: str, file: str) -> Document:
    """The tables of a text; what cannot be read is among the problems and left out."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    problems: list[Problem] = []
    if line := endless_key(text):
        return _unreadable(text, [Problem(file, line, "", "too_deep")])
    last = 0
    while True:
        try:
            return Document(tomllib.loads(text), Positions(text), tuple(problems))
        except RecursionError:
            return _unreadable(text, [*problems, Problem(file, 0, "", "too_deep")])
        except ValueError as error:
            line, detail = place_of_fault(error, text)
        problems.append(_problem(file, line, detail))
        if line <= last or len(problems) >= _BAD_LINES or not _stands_alone(text, line, detail):
            return _unreadable(text, problems)
        last = line
        text = _blank(text, line)


def _unreadable(text: str, problems: list[Problem]) -> Document:
    return Document({}, Positions(text), tuple(problems))


def _problem(file: str, line: int, detail: str) -> Problem:
    if detail.startswith(_TWICE):
        return Problem(file, line, "", "set_twice")
    if not detail:
        return Problem(file, line, "", "too_many_digits")
    return Problem(file, line, "", "syntax", (("detail", detail),))


def _stands_alone(text: str, line: int, detail: str) -> bool:
    """Whether leaving out this line removes the fault and nothing else.

    A table's header may not go: its keys would land in the table before. Nor may a line that is
    good by itself, for then the fault is an open bracket or string further up.
    """
    content = text.split("\n")[line - 1].strip()
    if not content or content.startswith("["):
        return False
    return detail.startswith(_TWICE) or not _is_good(content)


def _is_good(line: str) -> bool:
    try:
        tomllib.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _blank(text: str, line: int) -> str:
    lines = text.split("\n")
    lines[line - 1] = ""
    return "\n".join(lines)
