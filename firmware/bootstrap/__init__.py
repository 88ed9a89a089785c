"""The composition root: configuration and board become a running phone, or a demonstration.

Beside the audio process's own entry this is the only place that opens a board. Each program is
imported when it is asked for: `deskphone run` has no use for the demonstration's practice PBX.
"""

# ruff: noqa: PLC0415 - see above

import gc
import os
from pathlib import Path

from firmware.base.left_out import left_out

_ZONES = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")
"""Where Python looks for time zones unless it was built otherwise."""


def run(config_path: str | None, board: str | None, control_path: str | None) -> int:
    """`deskphone run`: the phone, until it is stopped; returns the exit code."""
    _say_where_zones_are()
    gc.disable()  # starting makes no garbage; once up, `phone` turns it on again
    with left_out("ssl", "_hashlib", "typing_extensions"):
        import asyncio  # noqa: F401 - loaded for good
        import hmac  # noqa: F401 - hashlib comes along

        import msgspec  # noqa: F401 - as above
    from firmware.bootstrap import held_signals, phone

    with held_signals.held():
        return phone.run(config_path, board, control_path)


def _say_where_zones_are() -> None:
    """Spare `zoneinfo` the record of how Python was built, which is all that it wants to know."""
    if Path(_ZONES[0]).is_dir():
        os.environ.setdefault("PYTHONTZPATH", os.pathsep.join(_ZONES))


def demo(*, once: bool, port: int | None, open_browser: bool) -> int:
    """`deskphone demo`: the virtual phone with a practice PBX; returns the exit code."""
    from firmware.bootstrap import demonstration

    return demonstration.demo(once=once, port=port, open_browser=open_browser)


def try_board(name: str | None, config: Path | None, *, write: bool) -> int:
    """`deskphone board test`: walk through a board; returns the exit code."""
    from firmware.bootstrap import board_test

    return board_test.board_test(name, config, write=write)


def show_cards(device: str | None) -> int:
    """`deskphone board cards`: the sound cards there are, or the mixer of one."""
    from firmware.bootstrap import sound_cards

    return sound_cards.show_cards(device)
