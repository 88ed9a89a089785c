"""gpiozero's factory over RPi.GPIO, with pins of its own.

RPi.GPIO needs interfaces of the Pi's downstream kernel and knows no Pi 5.
"""

from gpiozero.pins.rpigpio import RPiGPIOFactory

from hal.gpio.local import own_pins, pi_revision


class AloneRpigpioFactory(RPiGPIOFactory):  # type: ignore[misc] # gpiozero has no types
    """The pins of the header."""

    def __init__(self) -> None:
        super().__init__()
        own_pins(self)

    def _get_revision(self) -> int:
        return pi_revision()
