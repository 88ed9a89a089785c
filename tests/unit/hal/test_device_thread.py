"""The thread of a device: woken, never ended by a fault, ended by the phone."""

import queue
import select

import pytest

from hal.device_thread import DeviceThread
from hal.errors import DeviceGoneError
from hal.events import DeviceFailed
from hal.health import Health


class Desk:
    """A device that does what the test says; `met` is each time the thread came to it."""

    def __init__(self):
        self.told, self.met, self.faults = queue.Queue(), queue.Queue(), []
        self.thread = DeviceThread("a device", self._serve, lambda _post, _seconds: None)

    def start(self):
        self.thread.start(self.told.put, Health("a device", self.told.put, lambda: 0.0))

    def _serve(self, _post, _health):
        self.met.put("served")
        if self.faults:
            raise self.faults.pop(0)
        while not self.thread.closing:
            select.select((self.thread.fileno(),), (), (), 10)
            self.thread.woken()
            self.met.put("woken")


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.thread.close()


def test_who_wants_something_wakes_it(desk):
    desk.start()
    assert desk.met.get(timeout=10) == "served"
    desk.thread.wake()
    assert desk.met.get(timeout=10) == "woken"


def test_no_fault_ends_it_and_each_is_told(desk):
    desk.faults = [DeviceGoneError("it was unplugged"), KeyError("a table")]
    desk.start()
    assert [desk.met.get(timeout=10) for _ in range(3)] == ["served"] * 3
    told = [desk.told.get(timeout=10) for _ in range(2)]
    assert all(type(each) is DeviceFailed for each in told)
    assert [each.reason for each in told] == ["it was unplugged", "KeyError: 'a table'"]


def test_a_heap_of_wishes_blocks_nobody(desk):
    for _ in range(100_000):  # more than a pipe holds
        desk.thread.wake()


def test_once_it_is_closed_a_wish_does_no_harm(desk):
    desk.start()
    desk.thread.close()
    desk.thread.close()
    desk.thread.wake()
    assert desk.thread.closing
