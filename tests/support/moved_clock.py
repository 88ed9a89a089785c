"""Time of the running event loop that a test moves on: what is due by then is due at once.

A limit may then be as long as it likes, and no machine is too slow for it.
"""

import asyncio
from collections.abc import Callable


def movable() -> Callable[[float], None]:
    """Moves the clock of the running loop on by so many seconds."""
    loop, moved = asyncio.get_running_loop(), 0.0
    time = loop.time

    def move(seconds: float) -> None:
        nonlocal moved
        moved += seconds

    loop.time = lambda: time() + moved
    return move
