"""A signal that comes while the phone starts waits until there is somebody to take it.

Without this one would end the phone halfway: registered, and gone; or counted as a crash.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_HELD = _ENDING | {signal.SIGHUP}


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Signals wait from here on, until `release` at the latest to the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def has_come() -> bool:
    """Whether one that should end the phone waits; it is taken off."""
    return signal.sigtimedwait(_ENDING, 0) is not None


def hand_to(
    add_handler: Callable[[int, Callable[[], None]], None], stop: Callable[[], None]
) -> None:
    """Those that end the phone call `stop` from now on, by the loop's `add_signal_handler`."""
    for number in _ENDING:
        add_handler(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def release() -> None:
    """The rest waits no more either: all have their handlers."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
