"""gpiozero's mock pins, soldered to wires."""

from gpiozero.pins.mock import MockFactory, MockPWMPin

from tests.support.gpio.wires import Wires


class WiredPin(MockPWMPin):
    """A mock pin whose level the wires decide."""

    def _wire(self) -> None:
        output, wires = self._function == "output", self.factory.wires
        wires.configure(self._number, output=output, driven=int(self._state > 0), pull=self._pull)
        if not output:
            self._state = wires.read(self._number)

    def _set_function(self, value):
        self._function = value
        self._wire()

    def _set_pull(self, value):
        self._pull = value
        self._wire()

    def _get_state(self):
        if self._function == "input":
            return self.factory.wires.read(self._number)
        return self._state

    def _set_state(self, value):
        super()._set_state(value)
        self.factory.wires.drive(self._number, int(value > 0))
        self._pulse()

    def _set_frequency(self, value):
        super()._set_frequency(value)
        self._pulse()

    def _pulse(self):
        self.factory.wires.pwm.pop(self._number, None)
        if self._frequency is not None and 0 < self._state < 1:
            self.factory.wires.pwm[self._number] = (self._frequency, self._state)


class WiredFactory(MockFactory):
    """Mock pins on these wires."""

    def __init__(self, wires: Wires) -> None:
        super().__init__(pin_class=WiredPin)
        self.wires = wires
        wires.listen(self._edge)

    def _edge(self, number, level, _nanoseconds):
        for pin in tuple(self.pins.values()):
            if pin._number == number and pin._function == "input":
                (pin.drive_high if level else pin.drive_low)()
