"""`deskphone clock`: what the unit of the clock runs; see `firmware.system.clock`."""

import sys
from datetime import UTC, datetime

from firmware.base.phrase import Phrase, phrase
from firmware.storage.errors import StorageError
from firmware.system.clock import save, set_forward, state_folder


def clock(action: str) -> int:
    """Set the clock forward, or save it; returns the exit code."""
    try:
        return _save() if action == "save" else _set()
    except StorageError as error:
        return _failed(error.phrase)
    except OSError as error:
        return _failed(phrase("machine.clock_not_set", reason=error.strerror))


def _set() -> int:
    moved = set_forward(state_folder())
    if moved is not None:
        before, after = map(_written, moved)
        print(_words(phrase("machine.clock_set", before=before, after=after)))
    return 0


def _save() -> int:
    save(state_folder())
    return 0


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")


def _failed(why: Phrase) -> int:
    print(f"deskphone: {_words(why)}", file=sys.stderr)
    return 1


def _words(said: Phrase) -> str:
    from firmware.ui.text import Texts  # noqa: PLC0415 - a clock that stands well says nothing

    return Texts.load().phrase(said)
