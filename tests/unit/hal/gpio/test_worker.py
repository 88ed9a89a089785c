"""The one thread: what is due is done, what fails rests, and closing waits."""

import queue
import re
import threading
import time

import pytest

from hal.errors import DeviceError
from hal.events import DeviceFailed, DeviceRecovered, HookLifted
from hal.gpio.worker import Worker
from tests.support.left_open import running_now, started_since

PATIENCE = 15.0


class Clock:
    """Time that moves when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Chore:
    """A task that does what the test says."""

    name = "chore"

    def __init__(self):
        self.deadline = 0.0
        self.ran = queue.SimpleQueue()
        self.answer = lambda _now: ()

    def run(self, now):
        # Before it is told: whoever hears of it may have another answer ready for the next time.
        self.deadline, answer = None, self.answer
        self.ran.put(now)
        yield from answer(now)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def worker(clock):
    return Worker(clock)


@pytest.fixture
def chore(worker):
    chore, released = Chore(), threading.Event()
    yield chore
    worker.leave(chore, released.set)


def ask_again(worker, chore):
    worker.tell(lambda: setattr(chore, "deadline", 0.0))


def test_what_is_due_is_done_and_told(worker, chore):
    told = queue.SimpleQueue()
    chore.answer = lambda now: (HookLifted(now),)
    worker.join(chore, told.put)
    assert told.get(timeout=PATIENCE) == HookLifted(100.0)


def test_a_task_without_a_deadline_costs_nothing(worker, chore):
    worker.join(chore, lambda _event: None)
    chore.ran.get(timeout=PATIENCE)
    for _ in range(20):
        worker.wake()
    done = threading.Event()
    worker.tell(done.set)
    assert done.wait(PATIENCE)
    assert chore.ran.empty()


def test_a_failure_is_told_once_rests_and_recovers(worker, chore, clock):
    told = queue.SimpleQueue()

    def fail(_now):
        raise DeviceError("hook: GPIO 17 does not answer: No such device")

    chore.answer = fail
    worker.join(chore, told.put)
    reason = "hook: GPIO 17 does not answer: No such device"
    assert told.get(timeout=PATIENCE) == DeviceFailed("chore", reason, 100.0)
    chore.ran.get(timeout=PATIENCE)
    ask_again(worker, chore)
    done = threading.Event()
    worker.tell(done.set)
    done.wait(PATIENCE)
    assert chore.ran.empty(), "it rests for a second"
    clock.now += 1.1
    worker.wake()
    chore.ran.get(timeout=PATIENCE)
    chore.answer = lambda _now: ()
    clock.now += 10
    ask_again(worker, chore)
    assert told.get(timeout=PATIENCE) == DeviceRecovered("chore", 111.1)


def test_a_mistake_of_ours_costs_its_task_only(worker, chore):
    told, other = queue.SimpleQueue(), Chore()

    def trip(_now):
        raise ZeroDivisionError("oops")

    chore.answer = trip
    worker.join(chore, told.put)
    failed = told.get(timeout=PATIENCE)
    assert failed.device == "chore"
    assert re.fullmatch(r"ZeroDivisionError: oops \(trip, line \d+\)", failed.reason)
    worker.join(other, told.put)
    assert other.ran.get(timeout=PATIENCE) == 100.0
    worker.tell(lambda: 1 / 0)
    other_again = threading.Event()
    worker.tell(other_again.set)
    assert other_again.wait(PATIENCE)
    assert worker.faults == 2
    worker.leave(other, lambda: None)


def test_a_listener_that_is_gone_does_not_end_the_thread(worker, chore):
    def post(_event):
        raise RuntimeError("the loop is closed")

    chore.answer = lambda now: (HookLifted(now),)
    worker.join(chore, post)
    chore.ran.get(timeout=PATIENCE)
    done = threading.Event()
    worker.tell(done.set)
    assert done.wait(PATIENCE)


def test_leaving_releases_once_and_the_last_one_ends_the_thread(worker):
    before = running_now()
    one, other, released = Chore(), Chore(), []
    for task in (one, other):
        worker.join(task, lambda _event: None)
        task.ran.get(timeout=PATIENCE)
    worker.leave(one, lambda: released.append("one"))
    worker.leave(one, lambda: released.append("one again"))
    assert len(worker) == 1
    assert len(started_since(before)) == 1
    worker.leave(other, lambda: released.append("other"))
    worker.leave(other, lambda: released.append("other again"))
    assert released == ["one", "other"]
    assert started_since(before) == []


def test_a_release_that_fails_still_ends_it(worker):
    task = Chore()
    worker.join(task, lambda _event: None)
    task.ran.get(timeout=PATIENCE)
    worker.leave(task, lambda: 1 / 0)
    assert len(worker) == 0
    assert worker.faults == 1


def test_a_task_may_come_after_the_last_one_left(worker):
    """A wiring test opens and closes the same board again and again."""
    for _ in range(3):
        task = Chore()
        worker.join(task, lambda _event: None)
        task.ran.get(timeout=PATIENCE)
        worker.leave(task, lambda: None)
        assert len(worker) == 0


def test_a_listener_that_is_gone_when_it_is_told_of_the_recovery_does_not_end_it(
    worker, chore, clock
):
    told = queue.SimpleQueue()

    def post(event):
        told.put(event)
        if isinstance(event, DeviceRecovered):
            raise RuntimeError("the loop is closed")  # noqa: TRY004 - as a loop says it

    def fail(_now):
        raise DeviceError("gone")

    chore.answer = fail
    worker.join(chore, post)
    assert type(told.get(timeout=PATIENCE)) is DeviceFailed
    chore.answer = lambda _now: ()
    clock.now += 10
    ask_again(worker, chore)
    assert type(told.get(timeout=PATIENCE)) is DeviceRecovered
    done = threading.Event()
    worker.tell(done.set)
    assert done.wait(PATIENCE)


def test_a_device_that_hangs_is_waited_for_once(worker, monkeypatch):
    """A board has a dozen parts; systemd kills a phone that takes too long to stop."""
    monkeypatch.setattr("hal.gpio.worker._PATIENCE", 0.5)
    tasks, hanging = [Chore() for _ in range(12)], threading.Event()
    for task in tasks:
        worker.join(task, lambda _event: None)
        task.ran.get(timeout=PATIENCE)
    worker.tell(lambda: hanging.wait(60))
    began = time.monotonic()
    for task in tasks:
        worker.leave(task, lambda: None)
    assert time.monotonic() - began < 12 * 0.5 / 2
    thread = worker._thread
    hanging.set()
    thread.join(PATIENCE)


def test_an_order_that_comes_while_others_are_carried_out_is_not_slept_over(worker, chore):
    """The wake-up of one that comes at the very end must not be taken for that of the others."""
    worker.join(chore, lambda _event: None)
    chore.ran.get(timeout=PATIENCE)
    obey, done = worker._obey, threading.Event()

    def obeying():
        obey()
        worker._obey = obey
        worker.tell(done.set)

    worker._obey = obeying
    worker.wake()
    assert done.wait(PATIENCE)


def looked_round(worker):
    """Wait until the thread has done all that was due, and has begun anew."""
    for _ in range(2):
        done = threading.Event()
        worker.tell(done.set)
        assert done.wait(PATIENCE)


def missing(_now):
    """There is no chip."""
    raise DeviceError("there is no chip")


@pytest.fixture
def first(worker):
    """A task that all others wait for."""
    first = Chore()
    first.run = lambda now: (first.ran.put(now), first.answer(now))[1]
    first.answer = missing
    return first


def test_what_comes_first_is_tried_at_once_then_rarely_and_the_others_wait(
    worker, first, chore, clock
):
    told = queue.SimpleQueue()
    worker.begin_with(first, told.put)
    assert told.get_nowait() == DeviceFailed("chore", "there is no chip", 100.0)
    worker.join(chore, told.put)
    for pause in (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
        first.ran.get(timeout=PATIENCE)
        clock.now += pause - 0.1
        looked_round(worker)
        assert first.ran.empty()
        assert 0 < worker._pause() <= 0.2, "it sleeps, whatever the others would want to do"
        clock.now += 0.2
        worker.wake()
    assert chore.ran.empty()
    assert told.empty()


def test_when_what_comes_first_has_been_done_it_is_over(worker, first, chore, clock):
    told = queue.SimpleQueue()
    worker.begin_with(first, told.put)
    assert type(told.get_nowait()) is DeviceFailed
    worker.join(chore, told.put)
    first.answer = lambda _now: ()
    clock.now += 1.1
    worker.wake()
    assert told.get(timeout=PATIENCE) == DeviceRecovered("chore", 101.1)
    assert chore.ran.get(timeout=PATIENCE) == 101.1
    for _ in range(3):
        ask_again(worker, chore)
        chore.ran.get(timeout=PATIENCE)
    assert len([first.ran.get_nowait() for _ in range(first.ran.qsize())]) == 2


def test_what_succeeds_at_once_holds_nobody_up(worker, first, chore):
    first.answer = lambda _now: ()
    worker.begin_with(first, lambda _event: None)
    worker.join(chore, lambda _event: None)
    chore.ran.get(timeout=PATIENCE)
    assert first.ran.qsize() == 1


def test_who_leaves_while_he_waits_is_released_and_nobody_looks_any_more(worker, first, clock):
    before, released = running_now(), []
    worker.begin_with(first, lambda _event: None)
    task = Chore()
    worker.join(task, lambda _event: None)
    looked_round(worker)
    clock.now += 1.1  # it is due at the very moment when the last one leaves
    worker.leave(task, lambda: released.append(first.ran.qsize()))
    assert released
    assert first.ran.qsize() == released[0], "whatever it would have found would be left behind"
    assert started_since(before) == []
    assert task.ran.empty()
