"""Changing deskphone.toml: whole text or single keys, judged before, replaced atomically.

A person's comments and order survive an edit of single keys. A text with faults is never written.
"""

from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit.container import Container
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from firmware.config import ConfigErrors, Settings, examine, parse
from firmware.config.problems import Problem
from firmware.config.syntax import decode
from firmware.storage.atomic import REAL_DISK, Disk, replace_file
from firmware.storage.errors import from_os

Value = str | int | bool | list[str] | list[int] | None
"""None takes the key out, so that its default holds."""


def replace_text(path: Path, text: str, disk: Disk = REAL_DISK) -> Settings:
    """Make `text` the configuration.

    Raises:
        ConfigErrors: the text has faults (all of them); the file is as before.
        StorageError: the disk refuses; the file is as before.
    """
    settings = parse(text, str(path))
    replace_file(path, text.encode(), disk=disk)
    return settings


def edit(path: Path, changes: Mapping[str, Value], disk: Disk = REAL_DISK) -> Settings:
    """Change keys such as `web.port` or `line[1].password`, keeping comments and order.

    `line[N]` counts from 1; one more than there are adds a line.

    Raises:
        ConfigErrors: the file, or the file with the changes, has faults; it is as before.
        StorageError: the disk refuses; the file is as before.
    """
    return replace_text(path, edited(_text_of(path), changes, str(path)), disk)


def edited(text: str, changes: Mapping[str, Value], file: str = "deskphone.toml") -> str:
    """A text with keys changed.

    Raises:
        ConfigErrors: the text cannot be read, or a key cannot be placed in it.
    """
    try:
        document = tomlkit.parse(text)
        for key, value in changes.items():
            _set(document, key, value)
    except (TOMLKitError, LookupError, TypeError, ValueError, RecursionError) as error:
        problems = examine(text, file).problems
        detail = (("detail", str(error)),)
        raise ConfigErrors(problems or (Problem(file, 0, "", "syntax", detail),)) from error
    return tomlkit.dumps(document)


def _set(document: tomlkit.TOMLDocument, key: str, value: Value) -> None:
    *names, last = key.split(".")
    place: Container | Table = document
    for name in names:
        place = _inner(place, name)
    if value is None:
        if last in place:
            del place[last]
    else:
        place[last] = value


def _inner(place: Container | Table, name: str) -> Container | Table:
    if name.endswith("]"):
        name, _, number = name[:-1].partition("[")
        return _element(place, name, int(number))
    if name not in place:
        place[name] = tomlkit.table()
    inner = place[name]
    if not isinstance(inner, Table | Container):
        raise TypeError(f"{name} is no table")
    return inner


def _element(place: Container | Table, name: str, number: int) -> Table:
    if name not in place:
        place[name] = tomlkit.aot()
    array = place[name]
    if not isinstance(array, AoT):
        raise TypeError(f"{name} is not written as [[{name}]]")
    if number == len(array) + 1:
        array.append(tomlkit.table())
    if not 0 < number <= len(array):
        raise LookupError(f"there is no {name}[{number}]")
    return array[number - 1]


def _text_of(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise from_os(path.name, error) from error
    text = decode(data, str(path))
    if isinstance(text, Problem):
        raise ConfigErrors((text,))
    return text
