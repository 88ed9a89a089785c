"""What is asked of the machine's buses without opening a device: who is there."""

from hal.board_spec import DisplaySpec


def who_answers(display: DisplaySpec) -> tuple[int, ...]:
    """The addresses on the I²C bus of a display at which somebody answers.

    Raises:
        hal.errors.DeviceError: the bus cannot be asked; the message says why.
    """
    from hal.oled.scan import scan  # noqa: PLC0415 - boards without a display have no use for it

    return scan(display.port)
