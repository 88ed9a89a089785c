"""The storage thread: in order, one write for many turns of a knob, errors to whoever asked."""

import threading

import pytest

from firmware.base.phrase import phrase
from firmware.storage.errors import DiskFullError
from firmware.storage.writer import JOB_LIMIT, Writer


class Desk:
    """Collects what the writer tells; `post` runs things on the writer's thread at once."""

    def __init__(self):
        self.errors = []
        self.results = []

    def post(self, call):
        call()


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def writer(desk):
    opened = Writer(desk.post, desk.errors.append)
    yield opened
    assert opened.close()


@pytest.fixture
def gate(writer):
    """Keeps the thread busy until it is set."""
    gate, begun = threading.Event(), threading.Event()

    def wait():
        begun.set()
        gate.wait(5)

    writer.submit(wait)
    assert begun.wait(5)
    yield gate
    gate.set()


def test_jobs_run_in_the_order_they_came(writer, desk):
    for number in range(100):
        assert writer.submit(lambda number=number: number, desk.results.append)

    assert writer.close()
    assert desk.results == list(range(100))


def test_ten_turns_of_the_volume_are_one_write(writer, desk, gate):
    for volume in range(10):
        writer.submit(lambda volume=volume: volume, desk.results.append, key="volumes")
    writer.submit(lambda: "call", desk.results.append)
    assert len(writer) == 2
    gate.set()

    assert writer.close()
    assert desk.results == [9, "call"]
    assert len(writer) == 0


def _full():
    raise DiskFullError(phrase("storage.full", what="it"))


def test_an_error_goes_to_the_common_ear(writer, desk):
    writer.submit(_full)

    writer.close()
    assert [error.phrase.text for error in desk.errors] == ["storage.full"]


def test_an_error_goes_to_its_own_ear_if_it_has_one(writer, desk):
    own = []
    writer.submit(_full, failed=own.append)

    writer.close()
    assert (len(own), desk.errors) == (1, [])


def test_a_job_with_a_bug_does_not_end_the_thread(writer, desk):
    writer.submit(lambda: 1 // 0)
    writer.submit(lambda: "next", desk.results.append)

    writer.close()
    assert desk.results == ["next"]
    assert "division" in str(desk.errors[0])


def test_the_queue_is_bounded(writer, gate):
    taken = [writer.submit(int) for _ in range(JOB_LIMIT + 5)]

    assert taken.count(False) == 5
    gate.set()


def test_after_the_end_nothing_is_taken(writer):
    writer.close()

    assert not writer.submit(int)


def test_a_closed_loop_does_no_harm(desk):
    def post(_call):
        raise RuntimeError("Event loop is closed")

    writer = Writer(post, desk.errors.append)
    writer.submit(int, desk.results.append)

    assert writer.close()
    assert desk.results == []


def test_close_tells_if_the_disk_hangs(desk):
    gate = threading.Event()
    writer = Writer(desk.post, desk.errors.append)
    writer.submit(lambda: gate.wait(5))

    assert not writer.close(timeout=0.01)
    gate.set()
    assert writer.close()
