"""Asks for hands and ears outside the virtual Pi; what they can do is in `tests/vm/hands.py`."""

import json
import time
from pathlib import Path

from tests.support.waiting import wait_for

_PORT = Path("/dev/virtio-ports/wishes")
_LOUD = -50.0


def ask(wish: str, **how: object) -> object:
    """Have something done out there; AssertionError if it was not."""
    with _PORT.open("r+b", buffering=0) as port:
        port.write(json.dumps({"wish": wish, **how}).encode() + b"\n")
        held = b""
        while not held.endswith(b"\n"):
            held += port.read(65536) or b""
    said = json.loads(held)
    assert "error" not in said, said["error"]
    return said["answer"]


def wait_heard(card: str, hertz: float = 0, seconds: float = 20.0) -> float:
    """Until a card plays a tone, or anything; how long that took, in seconds."""
    began, since = time.monotonic(), ask("played", card=card)

    def heard() -> bool:
        level = ask("level", card=card, since=since, hertz=hertz)
        return level is not None and level > _LOUD

    wait_for(f"{hertz:g} Hz on the {card} card" if hertz else f"the {card} card", heard, seconds,
             every=0.1)  # fmt: skip
    return time.monotonic() - began
