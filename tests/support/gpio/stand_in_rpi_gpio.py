"""RPi.GPIO as its documents describe it, over wires: what gpiozero's factory calls of it."""

from functools import partial

from tests.support.gpio.callbacks import Callbacks
from tests.support.gpio.wires import Wires

_PULLS = {20: "floating", 21: "down", 22: "up"}


class RpiGpio:
    """Stands where the module `RPi.GPIO` would."""

    OUT, IN, HARD_PWM, SERIAL, I2C, SPI, UNKNOWN = 0, 1, 43, 40, 42, 41, -1
    BCM, BOARD = 11, 10
    PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
    RISING, FALLING, BOTH = 31, 32, 33

    def __init__(self, wires: Wires, callbacks: Callbacks) -> None:
        self.wires = wires
        self._callbacks = callbacks
        self.used: dict[int, int] = {}
        self._detecting: dict[int, tuple[int, object]] = {}
        self.PWM = partial(Pwm, self)
        wires.listen(self._edge)

    def _edge(self, pin, level, _nanoseconds):
        kind, callback = self._detecting.get(pin, (0, None))
        if kind in (self.BOTH, self.RISING if level else self.FALLING):
            self._callbacks.call(callback, pin)

    def setmode(self, mode):
        assert mode == self.BCM

    def setwarnings(self, _wanted):
        """Nothing is warned of."""

    def setup(self, pin, direction, pull_up_down=20, initial=-1):
        self.used[pin] = direction
        driven = self.wires.lines[pin].driven if initial == -1 else int(bool(initial))
        output = direction == self.OUT
        self.wires.configure(pin, output=output, driven=driven, pull=_PULLS[pull_up_down])

    def output(self, pin, value):
        if self.used.get(pin) != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self.wires.drive(pin, int(bool(value)))

    def input(self, pin):
        if pin not in self.used:
            raise RuntimeError("You must setup() the GPIO channel first")
        return self.wires.read(pin)

    def gpio_function(self, pin):
        return self.used.get(pin, self.IN)

    def add_event_detect(self, pin, kind, callback=None, bouncetime=-666):
        if self.used.get(pin) != self.IN:
            raise RuntimeError("You must setup() the GPIO channel as an input first")
        if pin in self._detecting:
            raise RuntimeError("Conflicting edge detection already enabled for this GPIO channel")
        assert bouncetime == -666, "contacts are settled by us"
        self._detecting[pin] = (kind, callback)

    def remove_event_detect(self, pin):
        self._detecting.pop(pin, None)

    def cleanup(self, pin=None):
        for one in tuple(self.used) if pin is None else (pin,):
            self._detecting.pop(one, None)
            if self.used.pop(one, None) is not None:
                self.wires.configure(one, output=False)


class Pwm:
    """A pin that the library pulses in a thread."""

    def __init__(self, gpio: RpiGpio, pin, hertz) -> None:
        if gpio.used.get(pin) != gpio.OUT:
            raise RuntimeError("You must setup() the GPIO channel as an output first")
        self._wires, self._pin, self._hertz = gpio.wires, pin, hertz

    def start(self, duty):
        self.ChangeDutyCycle(duty)

    def ChangeDutyCycle(self, duty):  # noqa: N802 - the library's name
        if not 0 <= duty <= 100:
            raise ValueError("dutycycle must have a value from 0.0 to 100.0")
        self._wires.pwm[self._pin] = (self._hertz, duty / 100)
        self._wires.drive(self._pin, int(duty == 100))

    def ChangeFrequency(self, hertz):  # noqa: N802 - likewise
        self._hertz = hertz

    def stop(self):
        self._wires.pwm.pop(self._pin, None)
