"""The two classes of libgpiod's Python binding that talk to the kernel, over wires instead.

Settings, enumerations and events are the real library's. Behaves as documented: a line that is
requested twice is busy; edges queue in a buffer of the requested size, the oldest go first, and
their numbers show it; a request's descriptor is readable while edges wait.
"""

import collections
import errno
import os
import threading
from types import SimpleNamespace

from gpiod import EdgeEvent
from gpiod.line import Bias, Direction, Edge, Value

from hal.errors import DeviceError
from tests.support.gpio.wires import Wires

_PULLS = {Bias.PULL_UP: "up", Bias.PULL_DOWN: "down"}
_RISING, _FALLING = EdgeEvent.Type.RISING_EDGE, EdgeEvent.Type.FALLING_EDGE


class FakeChip:
    """A chip on these wires."""

    def __init__(self, wires: Wires, label: str = "pinctrl-bcm2711") -> None:
        self.wires = wires
        self.label = label
        self.requests: dict[int, FakeRequest] = {}
        self.strangers: dict[int, str] = {}
        """Lines that somebody else has, with his name."""
        self.open = True
        self.gone = False
        wires.listen(self._edge)

    def check(self):
        """One that was pulled out does not come back: what is plugged in is another."""
        self.wires._check()
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    def get_info(self):
        return SimpleNamespace(name="gpiochip0", label=self.label, num_lines=len(self.wires.lines))

    def get_line_info(self, number):
        consumer = "deskphone" if number in self.requests else self.strangers.get(number, "")
        line = self.wires.lines[number]
        return SimpleNamespace(
            used=bool(consumer) or number in self.strangers,
            consumer=consumer,
            direction=Direction.OUTPUT if line.output else Direction.INPUT,
        )

    def request_lines(self, config, consumer="", event_buffer_size=16):
        assert consumer == "deskphone"
        self.check()
        (number,) = config
        if number in self.requests or number in self.strangers:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self.requests[number] = FakeRequest(self, number, event_buffer_size or 16)
        self.requests[number].reconfigure_lines(config)
        return self.requests[number]

    def _edge(self, number, level, nanoseconds):
        if number in self.requests:
            self.requests[number].note(level, nanoseconds)

    def unplug(self):
        """The chip vanishes: whoever waits for edges is told by an error."""
        self.gone = self.wires.broken = True
        for request in tuple(self.requests.values()):
            request.hang_up()

    def close(self):
        self.open = False


class Cable:
    """A chip that is pulled out and plugged in again; `find` is how a factory comes to it."""

    def __init__(self, wires: Wires) -> None:
        self.wires = wires
        self.chips: list[FakeChip] = []
        self.strangers: dict[int, str] = {}
        self.looked = 0
        self.reason = "there is no chip"

    def find(self):
        self.looked += 1
        if self.wires.broken:
            raise DeviceError(self.reason)
        # The kernel gives the name of a chip that somebody still has open to no other.
        assert not any(chip.open or chip.requests for chip in self.chips)
        self.chips.append(FakeChip(self.wires))
        self.chips[-1].strangers = self.strangers
        return self.chips[-1]

    def pull(self):
        self.chips[-1].unplug()

    def plug(self):
        """It is back, and every line of it is an input that nobody pulls."""
        self.wires.broken = False
        for pin in range(len(self.wires.lines)):
            self.wires.configure(pin, output=False, pull="down")


class FakeRequest:
    """One requested line."""

    def __init__(self, chip: FakeChip, number: int, room: int) -> None:
        self._chip = chip
        self._number = number
        self._settings = None
        self._events = collections.deque(maxlen=room)
        self._count = 0
        self._lock = threading.Lock()
        # Readable = edges wait; the other end closed = the line is gone.
        self.fd, self._far = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def reconfigure_lines(self, config):
        self._chip.check()
        settings = self._settings = config[self._number]
        if settings.direction is Direction.AS_IS:
            return
        output = settings.direction is Direction.OUTPUT
        self._chip.wires.configure(
            self._number,
            output=output,
            driven=int(settings.output_value is Value.ACTIVE),
            pull=_PULLS.get(settings.bias, "floating"),
        )

    def get_value(self, number):
        self._chip.check()
        return Value(self._chip.wires.read(number))

    def set_value(self, number, value):
        self._chip.check()
        self._chip.wires.drive(number, int(value is Value.ACTIVE))

    def note(self, level, nanoseconds):
        edge = Edge.NONE if self._settings is None else self._settings.edge_detection
        if edge not in (Edge.BOTH, Edge.RISING if level else Edge.FALLING):
            return
        with self._lock:
            self._count += 1
            kind = _RISING if level else _FALLING
            event = EdgeEvent(kind.value, nanoseconds, self._number, self._count, self._count)
            # As in the kernel, the event is there before its descriptor can be read.
            self._events.append(event)
            if len(self._events) == 1 and self._far >= 0:
                os.write(self._far, b"e")

    def wait_edge_events(self, timeout):
        assert timeout == 0, "nobody waits here"
        self._chip.check()
        return bool(self._events)

    def read_edge_events(self):
        self._chip.check()
        with self._lock:
            events = list(self._events)
            assert events, "the kernel waits for an edge here"
            self._events.clear()
            os.read(self.fd, 1)
        return events

    def hang_up(self):
        # The factory may be letting go of it at this moment.
        with self._lock:
            far, self._far = self._far, -1
        if far >= 0:
            os.close(far)

    def release(self):
        del self._chip.requests[self._number]
        os.close(self.fd)
        self.hang_up()
        if not (self._chip.gone or self._chip.wires.broken):
            self._chip.wires.configure(self._number, output=False)
