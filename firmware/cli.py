"""The `deskphone` command: verbs to programs, errors to exit codes.

Exit codes: 0 ok, 1 the thing asked for failed, 2 bad usage or configuration, 3 a port, device or
socket is taken. What a verb needs is imported when that verb runs, so that `ctl` starts at once.
"""

# ruff: noqa: PLC0415 - a verb imports its program when it runs; the others would only cost time

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.cli_run import RunOptions, plain_run

if TYPE_CHECKING:
    import argparse

_OK, _INTERRUPTED = 0, 130
CONFIG_PLACES = (Path("deskphone.toml"), Path("/etc/deskphone/deskphone.toml"))
"""Where `run` looks if it is told no file."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        asked = _asked(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as end:  # argparse has printed its help or its complaint
        return end.code if isinstance(end.code, int) else _OK
    try:
        return asked()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be written at exit either.
        sys.stdout = None
        return _OK


def _asked(given: list[str]) -> Callable[[], int]:
    """What these arguments ask for, ready to be done."""
    plain = plain_run(given)
    if plain is not None:
        return partial(_run, plain)
    from firmware.cli_arguments import parse

    options = parse(given)
    return partial(VERBS[options.verb], options)


def _demo(options: "argparse.Namespace") -> int:
    from firmware import bootstrap

    return bootstrap.demo(once=options.once, port=options.port, open_browser=not options.no_browser)


def _run(options: "argparse.Namespace | RunOptions") -> int:
    from firmware import bootstrap

    config = _config(options.config)
    return bootstrap.run(_text(config), options.board, _text(options.control))


def _config(asked: Path | None) -> Path | None:
    return asked or next((place for place in CONFIG_PLACES if place.is_file()), None)


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None


def _web(options: "argparse.Namespace") -> int:
    from firmware.web import app

    return app.main(options.control)


def _pbx(options: "argparse.Namespace") -> int:
    from firmware.lab import app

    return app.main(options.port, tls=options.tls, ws=options.ws, wss=options.wss)


def _check(options: "argparse.Namespace") -> int:
    from firmware.cli_check import check

    return check(options.file)


def _ctl(options: "argparse.Namespace") -> int:
    from firmware.cli_ctl import ctl

    return ctl(options)


def _board(options: "argparse.Namespace") -> int:
    if options.action == "test":
        from firmware import bootstrap

        return bootstrap.try_board(options.name, _config(options.config), write=options.write)
    if options.action == "cards":
        from firmware import bootstrap

        return bootstrap.show_cards(options.name)
    from firmware.cli_board import board

    return board(options.action, options.name)


def _clock(options: "argparse.Namespace") -> int:
    from firmware.cli_clock import clock

    return clock(options.action)


VERBS: "dict[str, Callable[[argparse.Namespace], int]]" = {
    "demo": _demo,
    "run": _run,
    "web": _web,
    "check": _check,
    "ctl": _ctl,
    "board": _board,
    "clock": _clock,
    "pbx": _pbx,
}
