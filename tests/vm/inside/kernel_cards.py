"""Which sound cards the kernel has at this moment; for tests inside a virtual Pi."""

import os


def has_card(name: str) -> bool:
    """Whether there is a card of this id.

    No `Path.exists`: the kernel answers who looks at a card that just goes with an error of its
    own (EINVAL), which that lets through.
    """
    return os.access(f"/proc/asound/{name}", os.F_OK)
