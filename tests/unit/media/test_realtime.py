"""Rights are asked for and never needed."""

import gc
import os

import pytest

from firmware.media import realtime


@pytest.fixture
def refused(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.sched_setscheduler", refuse)


@pytest.fixture
def collector():
    """The tests' own collector, as it was."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("refused")
def test_without_rights_the_reason_is_told_and_nothing_fails():
    assert realtime.begin().startswith("not permitted (RLIMIT_RTPRIO is ")


def test_the_right_goes_to_no_child(monkeypatch):
    asked = []
    monkeypatch.setattr("os.sched_setscheduler", lambda *order: asked.append(order))
    assert realtime.begin() == ""
    ((_, policy, parameters),) = asked
    assert policy == os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    assert 0 < parameters.sched_priority < 50, "below the kernel's own threads"


def test_memory_is_not_locked_under_a_limit_that_later_allocations_could_hit(
    monkeypatch, collector
):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("resource.getrlimit", lambda _which: (8 << 20, 8 << 20))
    assert not realtime.keep_memory()
    assert not gc.isenabled()
