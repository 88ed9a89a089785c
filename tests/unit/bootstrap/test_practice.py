"""The practice PBX as a child of the demonstration."""

import os
import signal
import sys

import pytest

from firmware.bootstrap.practice import PracticeError, PracticeProcess

pytestmark = pytest.mark.realtime


def python(script):
    """A program in place of the practice PBX; the port is its argument."""
    return (sys.executable, "-c", script)


READY = "import sys, time; print('practice PBX at 127.0.0.1:5999; x', flush=True); time.sleep(60)"
ECHO_PORT = (
    "import sys, time; print(f'x at 127.0.0.1:{int(sys.argv[1]) or 5999};', flush=True)\n"
    "time.sleep(60)"
)
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"


@pytest.fixture
async def child():
    """Makes children and ends them."""
    made = []

    def make(script, **more):
        made.append(PracticeProcess(python(script), **more))
        return made[-1]

    yield make
    for each in made:
        await each.stop()


async def test_it_is_known_by_its_ready_line(child):
    pbx = child(READY)
    await pbx.start()
    assert pbx.server == "127.0.0.1:5999"
    await pbx.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pbx.pid, 0)


@pytest.mark.parametrize("script", ["", "print('taken')", "raise SystemExit(3)"])
async def test_one_that_does_not_come_up_is_said_so(child, script):
    with pytest.raises(PracticeError):
        await child(script).start()


async def test_one_that_says_nothing_is_not_waited_for(child):
    pbx = child("import time; time.sleep(60)", patience=0.3)
    with pytest.raises(PracticeError):
        await pbx.start()
    with pytest.raises(ProcessLookupError):
        os.kill(pbx.pid, 0)


async def test_it_comes_back_on_the_same_port(child):
    pbx = child(ECHO_PORT)
    await pbx.start()
    first, server = pbx.pid, pbx.server
    os.kill(first, signal.SIGKILL)
    await pbx.ended()
    await pbx.start()
    assert pbx.pid != first
    assert pbx.server == server


async def test_it_is_out_of_reach_of_ctrl_c(child):
    pbx = child(READY)
    await pbx.start()
    assert os.getpgid(pbx.pid) == pbx.pid


async def test_one_that_will_not_end_is_killed(child, monkeypatch):
    monkeypatch.setattr("firmware.bootstrap.practice._STOP_SECONDS", 0.2)
    pbx = child(STUBBORN)
    await pbx.start()
    await pbx.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pbx.pid, 0)


async def test_one_that_never_ran_has_ended():
    pbx = PracticeProcess()
    await pbx.ended()
    await pbx.stop()
    assert pbx.pid is None
