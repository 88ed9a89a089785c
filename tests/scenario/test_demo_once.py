"""`deskphone demo --once`: the phone registers, calls the echo, speaks, hears itself, measures.

None of these tests is ever tried twice: a figure that is out of bounds once is a fault.
"""

import os
import signal
import time

import pytest

from firmware.codec import available
from tests.support.demo import Demo

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(90)]

FIELDS = {
    *("registered", "answered", "codec", "sent", "received", "lost"),
    *("echo_delay_ms", "level_out_dbov", "level_in_dbov", "tone_hz", "seconds"),
}


@pytest.fixture
def once():
    demo = Demo("--once")
    yield demo
    demo.close()


def test_the_tone_comes_back_as_it_went(once):
    for words in ("firmware pbx", "firmware.media.host"):
        once.child(words)
    code, found, errors = once.measured()
    assert code == 0, errors
    assert set(found) == FIELDS
    assert found["registered"] is True
    assert found["answered"] is True
    assert found["codec"] == available(("opus", "g722"))[0].encoding
    assert found["tone_hz"] == pytest.approx(1000, rel=0.01)
    assert found["level_in_dbov"] == pytest.approx(found["level_out_dbov"], abs=6)
    assert found["level_out_dbov"] == pytest.approx(-14.2, abs=0.2)
    assert 60 < found["echo_delay_ms"] < 400
    assert 50 * found["seconds"] - 60 < found["sent"] <= 50 * found["seconds"] + 15
    assert found["received"] > 0.8 * found["sent"]
    assert once.left_behind() == []


def test_a_dead_practice_pbx_is_a_failure_not_a_wait(once):
    pbx = once.child("firmware pbx")
    once.child("firmware.media.host")
    os.kill(pbx, signal.SIGKILL)
    began = time.monotonic()
    code, found, errors = once.measured()
    assert time.monotonic() - began < 25
    assert code == 1
    assert set(found) == FIELDS
    assert errors.splitlines()[-1].startswith("deskphone: ")
    assert once.left_behind() == []


@pytest.mark.slow
def test_a_practice_pbx_that_hangs_is_a_failure_not_a_wait(once):
    pbx = once.child("firmware pbx")
    once.child("firmware.media.host")
    os.kill(pbx, signal.SIGSTOP)
    began = time.monotonic()
    code, _, errors = once.measured(60)
    assert time.monotonic() - began < 40
    assert code == 1
    assert errors.splitlines()[-1].startswith("deskphone: ")
    assert once.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped_while_it_measures(once, number):
    once.child("firmware.media.host")
    once.tell(number)
    code, _, _ = once.measured()
    assert code == 1
    assert once.left_behind() == []


def test_if_it_is_killed_its_children_end_by_themselves(once):
    once.child("firmware pbx")
    once.child("firmware.media.host")
    once.tell(signal.SIGKILL)
    once.process.wait(20)
    running = [each for each in once.left_behind() if "firmware" in each and "/dp-" not in each]
    assert running == []
