"""The phone's side of a handset on a USB cable, for a test: it listens and tells what it hears."""

import queue
import time

from hal.evdev.handset import DEVICE, UsbHandset
from hal.health import Health

_WAITS = 0.1, 0.5
"""Seconds between two tries: nobody waits for half a minute here."""
_PATIENCE = 30.0


class Listening:
    """Starts the phone's side as often as it is called; `close` ends all of them."""

    def __init__(self):
        self._opened = []

    def __call__(self, spec):
        """The handset as the phone has it, and what it tells."""
        told = queue.SimpleQueue()
        handset = UsbHandset(spec, lambda post: Health(DEVICE, post, time.monotonic, _WAITS))
        self._opened.append(handset)
        handset.start(told.put)
        return handset, told

    def close(self):
        for handset in self._opened:
            handset.close()


def hears(told, *kinds):
    """As many events, of these kinds in this order; the last of them."""
    events = [told.get(timeout=_PATIENCE) for _ in kinds]
    assert [type(event) for event in events] == list(kinds), events
    return events[-1]
