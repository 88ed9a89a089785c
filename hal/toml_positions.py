"""At which line each key of a TOML text stands; `tomllib` gives the values but not the places.

It reads only as much of TOML as is needed to find keys, expects a text that `tomllib` accepts, and
never fails: a key that it misses is placed at the table it belongs to.
"""

import re
import tomllib

Path = tuple[str | int, ...]

_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_NAME_LIMIT = 60
MOST_NAMES = 32
"""Names of a key, joined by dots, that are followed. No key of ours has more than four, and what
`tomllib` does with one grows with their square: of 30,000 it takes all memory there is."""
_LONG_KEY = re.compile(
    r"""(?:^|[\[{,])(?:[ \t]*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*\.)"""
    f"{{{MOST_NAMES}}}",
    re.MULTILINE,
)
_TOKEN = re.compile(r'''"""|\'\'\'|"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\#.*|[\[\]{}]''')
"""A string that does not end is the rest of its line, so that no line is looked at twice."""
_STRING_END = {
    '"""': re.compile(r'(?:[^"\\]|\\.|"(?!""))*?"{3,5}'),
    "'''": re.compile(r".*?'{3,5}"),
}


class Positions:
    """Line numbers, from 1, by path; a path has an index after the name of an array of tables."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._table: Path = ()
        self._string = ""
        self._depth = 0
        for number, line in enumerate(text.split("\n"), start=1):
            self._read(line, number)

    def line_of(self, path: Path) -> int:
        """The line of this key, or of the nearest table around it; 0 if there is none."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0)

    def _read(self, line: str, number: int) -> None:
        if self._string or self._depth:
            self._skip_value(line)
            return
        stripped = line.strip()
        if stripped.startswith("["):
            self._open_table(stripped, number)
            return
        names, rest = _dotted(line)
        if names and rest.startswith("="):
            for end in range(1, len(names) + 1):
                self._lines.setdefault(self._table + tuple(names[:end]), number)
            self._skip_value(rest[1:])

    def _open_table(self, header: str, number: int) -> None:
        many = header.startswith("[[")
        names, _ = _dotted(header[2 if many else 1 :])
        path: Path = ()
        for place, name in enumerate(names, start=1):
            path = (*path, name)
            if place == len(names) and many:
                self._counts[path] = self._counts.get(path, 0) + 1
                self._lines.setdefault(path, number)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        self._table = path
        self._lines.setdefault(path, number)

    def _skip_value(self, rest: str) -> None:
        """Follow strings and brackets that go on over several lines."""
        place = 0
        while place < len(rest):
            if self._string:
                end = _STRING_END[self._string].match(rest, place)
                if end is None:
                    return
                self._string, place = "", end.end()
            token = _TOKEN.search(rest, place)
            if token is None:
                return
            place = token.end()
            self._take(token.group())

    def _take(self, mark: str) -> None:
        if mark in _STRING_END:
            self._string = mark
        elif mark in "[{":
            self._depth += 1
        elif mark in "]}":
            self._depth = max(0, self._depth - 1)


def endless_key(text: str) -> int:
    """The line of a key with more names than any has, to be looked for before `tomllib` reads it.

    0 = there is none. In a string, what looks like such a key is taken for one.
    """
    found = _LONG_KEY.search(text)
    return 0 if found is None else text.count("\n", 0, found.end()) + 1


def place_of_fault(error: ValueError, text: str) -> tuple[int, str]:
    """The line at which `tomllib` gave up, and what it says without that place."""
    message = str(error)
    place = _PLACE.search(message)
    detail = _PLACE.sub("", message) if place else ""
    if place and place.group(1):
        line = int(place.group(1))
    else:
        line = text.count("\n") + (not text.endswith("\n"))
    return max(1, line), detail[:1].lower() + detail[1:]


def dotted(path: Path) -> str:
    """A path as a person writes it: `line[2].tls.ca`, counting lines from 1.

    Names come from the file: odd ones are quoted, short and on one line.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{_name(part)}" if text else _name(part)
    return text


def _name(part: str) -> str:
    if _BARE.fullmatch(part):
        return part[:_NAME_LIMIT]
    return '"' + _CONTROL.sub("?", part)[:_NAME_LIMIT] + '"'


def _dotted(text: str) -> tuple[list[str], str]:
    """The names of a dotted key at the start of `text`, and what follows them."""
    names: list[str] = []
    place = 0
    while len(names) < MOST_NAMES and (part := _PART.match(text, place)) is not None:
        names.append(next(_plain(group) for group in part.groups() if group is not None))
        place = part.end()
        if not text.startswith(".", place):
            break
        place += 1
    return names, text[place:]


def _plain(name: str) -> str:
    """A quoted name without its escapes."""
    try:
        return str(tomllib.loads(f'name = "{name}"')["name"]) if "\\" in name else name
    except ValueError:
        return name
