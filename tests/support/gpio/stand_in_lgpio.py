"""lgpio as its documents describe it, over wires: what gpiozero's factory calls of it."""

import time
from types import SimpleNamespace

from tests.support.gpio.callbacks import Callbacks
from tests.support.gpio.wires import Wires


class LgError(Exception):
    """`lgpio.error`."""


class Lgpio:
    """Stands where the module `lgpio` would."""

    error = LgError
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128

    def __init__(self, wires: Wires, callbacks: Callbacks) -> None:
        self._wires = wires
        self._callbacks = callbacks
        self._claimed: dict[int, int] = {}
        self._listening: list[SimpleNamespace] = []
        wires.listen(self._edge)

    def _edge(self, pin, level, nanoseconds):
        # Its moments are of the wall clock.
        stamp = nanoseconds + time.time_ns() - time.monotonic_ns()
        for one in tuple(self._listening):
            if one.pin == pin:
                self._callbacks.call(one.function, 0, pin, level, stamp)

    def gpiochip_open(self, _number):
        return 0

    def gpiochip_close(self, _handle):
        for pin in tuple(self._claimed):
            self._wires.configure(pin, output=False)
        self._claimed.clear()

    def gpio_claim_input(self, _handle, pin, flags=0):
        self._claimed[pin] = flags
        pull = {32: "up", 64: "down"}.get(flags & 96, "floating")
        self._wires.configure(pin, output=False, pull=pull)

    def gpio_claim_output(self, _handle, pin, level=0, flags=0):
        self._claimed[pin] = flags | 2
        self._wires.configure(pin, output=True, driven=level)

    def gpio_claim_alert(self, handle, pin, _edges, flags=0):
        self.gpio_claim_input(handle, pin, flags)

    def gpio_free(self, _handle, pin):
        self._claimed.pop(pin, None)

    def gpio_get_mode(self, _handle, pin):
        if pin not in self._claimed:
            raise LgError("GPIO not allocated")
        return self._claimed[pin]

    def gpio_read(self, _handle, pin):
        return self._wires.read(pin)

    def gpio_write(self, handle, pin, level):
        self.gpio_get_mode(handle, pin)
        self._wires.drive(pin, int(level))

    def gpio_set_debounce_micros(self, _handle, _pin, micros):
        assert micros == 0, "contacts are settled by us"

    def tx_pwm(self, _handle, pin, hertz, duty):
        self._wires.pwm.pop(pin, None)
        if hertz:
            self._wires.pwm[pin] = (hertz, duty / 100)
        self._wires.drive(pin, int(duty == 100))

    def callback(self, _handle, pin, _edges, function):
        entry = SimpleNamespace(pin=pin, function=function)
        entry.cancel = lambda: self._listening.remove(entry)
        self._listening.append(entry)
        return entry
