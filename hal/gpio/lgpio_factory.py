"""gpiozero's factory over lgpio, on any machine and with a thread that survives its callbacks."""

from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

from hal.gpio.local import own_pins, pi_revision


class SteadyLgpioFactory(LGPIOFactory):  # type: ignore[misc] # gpiozero has no types
    """`chip` is the number of a gpiochip, None = the header's."""

    def __init__(self, chip: int | None = None) -> None:
        super().__init__(chip)
        own_pins(self)
        self.pin_class = _Pin
        self.faults = 0
        """How often a callback failed."""

    def _get_revision(self) -> int:
        return pi_revision()


class _Pin(LGPIOPin):  # type: ignore[misc] # likewise
    def _call_when_changed(self, chip: int, gpio: int, level: int, ticks: int) -> None:
        # One thread of lgpio's serves all pins and ends with the first exception. An edge that was
        # under way when its listener left is enough for one.
        try:
            super()._call_when_changed(chip, gpio, level, ticks)
        except Exception:  # noqa: BLE001 - see above
            self.factory.faults += 1
