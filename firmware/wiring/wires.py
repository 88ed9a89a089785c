"""What a wire is called: its GPIO, and the pin of the 40-pin header where a builder finds it. Pure.

The header is that of Raspberry Pi documentation, "GPIO and the 40-pin header": the same on every
board that has 40 pins.
"""

from collections.abc import Sequence

from firmware.base.phrase import Phrase, phrase

HEADER_PINS = (
    27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18,
    22, 37, 13,
)  # fmt: skip
"""By GPIO number, 0 to 27."""


def wire(gpio: int) -> Phrase:
    """One wire."""
    return phrase("board.test.wire", gpio=gpio, pin=HEADER_PINS[gpio])


def wires(gpios: Sequence[int]) -> Phrase:
    """One or more wires, in this order."""
    first, *rest = gpios
    if not rest:
        return wire(first)
    return phrase("board.test.wires", first=wire(first), rest=wires(rest))
