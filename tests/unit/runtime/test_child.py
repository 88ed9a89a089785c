import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from firmware.runtime import child as module
from firmware.runtime.child import Child
from tests.support.own_time import own_time

SLEEPER = "import signal; signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); signal.pause()"


@pytest.fixture
async def make():
    """Children by their Python text; all are stopped after the test."""
    made = []

    def start(text, **more):
        child = Child("the page", (sys.executable, "-S", "-c", text), {**os.environ, **more})
        made.append(child)
        child.start()
        return child

    yield start
    for child in made:
        await child.stop()


async def another(child, before):
    """The next process id."""
    async with asyncio.timeout(20):
        while child.pid in (None, before):  # noqa: ASYNC110 - it sets no event of ours
            await asyncio.sleep(0.005)
    return child.pid


def lives(pid):
    return Path(f"/proc/{pid}").exists()


async def test_p12_a_child_that_is_killed_is_back_within_a_second(make, caplog):
    child = make(SLEEPER)
    first = await another(child, None)
    os.kill(first, signal.SIGKILL)
    began = own_time()
    second = await another(child, first)
    assert own_time() - began < 1
    assert child.starts == 2
    assert lives(second)
    assert "the page" in caplog.text
    assert "-9" in caplog.text


async def test_a_child_that_dies_at_once_is_not_started_in_a_storm(until):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)
        await asyncio.sleep(0)

    child = Child("the page", ("/nowhere/deskphone",), {}, sleep)
    child.start()
    await until(lambda: len(waits) >= 10)
    await child.stop()
    assert waits[:4] == [0.4, 0.8, 1.6, 3.2]
    assert set(waits[8:]) == {30.0}


async def test_a_long_life_is_followed_by_a_quick_start(make, monkeypatch, until):
    monkeypatch.setattr(module, "_LIVED_LONG", 0.0)
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.01)
    child = make("pass")
    await until(lambda: child.starts >= 5)


async def test_a_program_that_is_not_there_is_said_and_tried_again(caplog, until):
    child = Child("the page", ("/nowhere/deskphone",), {})
    child.start()
    await until(lambda: "the page" in caplog.text and "No such file" in caplog.text)
    await child.stop()
    assert child.starts == 0
    assert child.pid is None


async def test_stopping_ends_it_for_good(make):
    child = make(SLEEPER)
    pid = await another(child, None)
    await child.stop()
    assert not lives(pid)
    await child.stop()
    assert child._task.done()  # nobody is left to start another
    assert child.starts == 1


async def test_one_that_does_not_listen_is_killed(make, monkeypatch, tmp_path, until):
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.1)
    ready = tmp_path / "ready"
    child = make(STUBBORN.replace("print()", f"open({str(ready)!r}, 'w').close()"))
    pid = await another(child, None)
    await until(ready.exists)
    await child.stop()
    assert not lives(pid)


async def test_the_environment_is_handed_over(make, tmp_path, until):
    path = tmp_path / "said"
    make("import os; open(os.environ['WHERE'], 'w').write('here')", WHERE=str(path))
    await until(lambda: path.exists() and path.read_text() == "here")


PARENT = """
import asyncio, os, sys
from firmware.runtime.child import Child
async def main():
    command = (sys.executable, "-S", "-c", "import os; os.read(0, 1)")
    child = Child("the page", command, os.environ)
    child.start()
    while child.pid is None:
        await asyncio.sleep(0.01)
    print(child.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_p12_a_child_does_not_outlive_a_phone_that_is_killed(until):
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    pid = int(await parent.stdout.readline())
    assert lives(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: is_over(pid))


def is_over(pid):
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
