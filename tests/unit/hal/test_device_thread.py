"""The thread of a device: woken, never ended by a fault, ended by the phone."""

import os
import queue
import threading
import time

import pytest

from hal.device_thread import DeviceThread
from hal.errors import DeviceGoneError
from hal.events import DeviceFailed
from hal.health import Health
from tests.support.left_open import open_now, opened_since


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
            assert self.thread.wait((), 10) == set()
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


def test_a_descriptor_beyond_a_thousand_is_waited_for(desk):
    """`select` knows the first 1,024; a phone whose page is crowded may have more."""
    import fcntl  # noqa: PLC0415 - here only
    import resource  # noqa: PLC0415 - likewise

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("this machine allows no 2,000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    read, write = os.pipe()
    high = fcntl.fcntl(read, fcntl.F_DUPFD, 1500)
    os.write(write, b"x")
    try:
        assert desk.thread.wait((high,), 10) == {high}
    finally:
        for descriptor in (read, write, high):
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_descriptor_that_is_broken_is_told_so_that_somebody_reads_it(desk):
    read, write = os.pipe()
    os.close(write)
    assert desk.thread.wait((read,), 10) == {read}
    os.close(read)


def test_a_pause_shorter_than_the_clock_is_no_busy_loop(desk):
    """Less than a millisecond is one: nobody turns round and round until a deadline."""
    began = time.monotonic()
    assert desk.thread.wait((), 0.0001) == set()
    assert time.monotonic() - began >= 0.0001


def test_a_listener_that_is_gone_is_not_asked_again_and_again_without_a_pause(desk):
    def post(_event):
        raise RuntimeError("the loop is closed")

    desk.faults = [DeviceGoneError("it was unplugged")]
    desk.thread.start(post, Health("a device", post, lambda: 0.0))
    assert desk.met.get(timeout=10) == "served"
    with pytest.raises(queue.Empty):
        desk.met.get(timeout=0.03)


def test_it_leaves_no_descriptor_behind(desk):
    before = open_now()
    for _ in range(20):
        other = Desk()
        other.start()
        assert other.met.get(timeout=10) == "served"
        other.thread.close()
    assert opened_since(before) == []


def test_a_listener_that_is_gone_does_not_end_it(desk, monkeypatch):
    monkeypatch.setattr("hal.device_thread._PATIENCE", 0.01)

    def post(_event):
        raise RuntimeError("the loop is closed")

    desk.faults = [DeviceGoneError("it was unplugged")]
    desk.thread.start(post, Health("a device", post, lambda: 0.0))
    assert [desk.met.get(timeout=10) for _ in range(2)] == ["served"] * 2


def test_a_wish_that_comes_while_it_closes_goes_into_no_file_of_somebody_else(desk, monkeypatch):
    """The number of the pipe is given to the next file that is opened."""
    written, close = [], os.close
    wishing = threading.Thread(target=desk.thread.wake)
    monkeypatch.setattr(os, "write", lambda descriptor, _octets: written.append(descriptor))

    def closing(descriptor):
        if not wishing.ident:
            wishing.start()
            wishing.join(0.05)
        close(descriptor)
        assert not [each for each in written[1:] if each == descriptor]

    monkeypatch.setattr(os, "close", closing)
    desk.thread.close()
    wishing.join(10)
    monkeypatch.undo()
    assert len(written) == 1, "it was woken once, to end"
