"""What the phone shows while its configuration file has faults, as a notice."""

from collections.abc import Sized
from pathlib import Path

from firmware.phone.texts import notice
from firmware.phone.view import Notice


def fault_notice(file: Path, problems: Sized, *, lines: bool) -> Notice:
    """How many faults there are and what they mean; `lines` = the phone has some nevertheless."""
    text = "config_before" if lines else "config_none"
    one = "_one" if len(problems) == 1 else ""
    return notice(f"{text}{one}", file=file.name, path=file, count=len(problems))
