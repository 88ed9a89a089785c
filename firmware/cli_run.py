"""`deskphone run` as a service and a script write it, read without argparse.

That library and what it loads are most of the command line's 0.7 MB and 10 ms, and a phone that
starts wants neither. Whatever is written otherwise, wrong or only unusual, is argparse's to judge.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_NAMES = {"-c": "config", "--config": "config", "--board": "board", "--control": "control"}


class RunOptions(NamedTuple):
    """What argparse would have found."""

    config: Path | None
    board: str | None
    control: Path | None
    verb: str = "run"


def plain_run(given: Sequence[str]) -> RunOptions | None:
    """The options if these arguments are `run` and pairs of a name and a value; else None."""
    names, values = given[1::2], given[2::2]
    if given[:1] != ["run"] or len(names) != len(values):
        return None
    if any(name not in _NAMES for name in names) or any(each.startswith("-") for each in values):
        return None
    found = {_NAMES[name]: value for name, value in zip(names, values, strict=True)}
    return RunOptions(_path(found.get("config")), found.get("board"), _path(found.get("control")))


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None
