"""`deskphone board`: the boards that come with the phone, as the files they are.

A board is data: `list` names the files, `show` prints one, to be read or copied for a board of
one's own. Nothing is opened here, so nothing of the hardware layer is imported.
"""

import sys
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from firmware.config.kinds import nearest
from firmware.config.problems import Wrong
from firmware.ui.text import Texts

_SUFFIX = ".toml"


def board(action: str, name: str | None) -> int:
    """List or show; returns the exit code. `firmware.bootstrap.board_test` tests."""
    match action, name:
        case "list", _:
            return _list()
        case "show", str():
            return _show(name)
        case _:
            raise ValueError(action)


def boards() -> Mapping[str, Traversable]:
    """The files of the boards that come with the phone, by name."""
    found = files("hal").joinpath("boards").iterdir()
    return {
        file.name.removesuffix(_SUFFIX): file
        for file in sorted(found, key=lambda file: file.name)
        if file.name.endswith(_SUFFIX)
    }


def unknown_board(name: str) -> Wrong | None:
    """That there is no such board, and which are near; None if there is one.

    A path is a board file of one's own, which need not be on this machine.
    """
    known = boards()
    if name in known or "/" in name or name.endswith(_SUFFIX):
        return None
    near = nearest(name, list(known))
    if near:
        return Wrong("no_board_near", (("got", name), ("near", near)))
    return Wrong("no_board", (("got", name), ("known", ", ".join(known))))


def _list() -> int:
    known = boards()
    width = max(map(len, known), default=0)
    for name, file in known.items():
        title = tomllib.loads(file.read_text(encoding="utf-8")).get("title", "")
        print(f"{name:{width}}  {title}".rstrip())
    return 0


def _show(name: str) -> int:
    if wrong := unknown_board(name):
        print(f"deskphone: {Texts.load().phrase(wrong.phrase)}", file=sys.stderr)
        return 2
    file = boards().get(name) or Path(name)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"deskphone: {name}: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return 1
    print(text.rstrip())
    return 0
