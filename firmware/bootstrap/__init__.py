"""The composition root: configuration and board become a running phone, or a demonstration.

Beside the audio process's own entry this is the only place that opens a board. Each program is
imported when it is asked for: `deskphone run` has no use for the demonstration's practice PBX.
"""

# ruff: noqa: PLC0415 - see above

import gc


def run(config_path: str | None, board: str | None, control_path: str | None) -> int:
    """`deskphone run`: the phone, until it is stopped; returns the exit code."""
    gc.disable()  # starting makes no garbage; once up, `phone` turns it on again
    from firmware.bootstrap import phone

    return phone.run(config_path, board, control_path)


def demo(*, once: bool, port: int | None, open_browser: bool) -> int:
    """`deskphone demo`: the virtual phone with a practice PBX; returns the exit code."""
    from firmware.bootstrap import demonstration

    return demonstration.demo(once=once, port=port, open_browser=open_browser)
