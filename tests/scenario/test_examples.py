"""The examples under docs/examples do what they say, as programs beside the practice PBX."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(60)


@contextlib.contextmanager
def listening_to_ctrl_c():
    """What is started hears SIGINT, also where a script runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Program:
    """A program whose output can be read while it runs."""

    def __init__(self, log: Path, *command: str) -> None:
        self._log = log
        with log.open("wb") as output, listening_to_ctrl_c():
            self.process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_said(self, words: str) -> str:
        try:
            wait_for(repr(words), lambda: words in self.said)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said}") from None
        return self.said

    def stop(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        return self.said


@pytest.fixture
def start(tmp_path):
    programs = []

    def begin(*command: str) -> Program:
        programs.append(Program(tmp_path / f"{len(programs)}.log", *command))
        return programs[-1]

    yield begin
    for program in reversed(programs):
        if program.process.poll() is None:
            program.process.kill()
        program.process.wait(10)


@pytest.fixture
def pbx(start):
    """Where the practice PBX is."""
    program = start("-m", "firmware", "pbx", "--port", "0")
    said = program.wait_said("password = user name")
    return next(row for row in said.splitlines() if "practice PBX at" in row).split()[3].rstrip(";")


def example(name: str) -> str:
    return f"docs/examples/{name}.py"


def test_register_and_answer_hears_the_digits_that_call_and_send_dtmf_sends(start, pbx):
    answering = start(example("register_and_answer"), pbx, "201", "201")
    answering.wait_said("registration: registered")
    calling = start(example("call_and_send_dtmf"), pbx, "202", "202", "201", "19#")
    assert calling.process.wait(20) == 0
    assert [row for row in calling.said.splitlines() if not row.startswith("180")] == [
        "answered",
        *("sent 1", "sent 9", "sent #"),
        "ended",
    ]
    answering.wait_said("ended by them")
    said = answering.stop().splitlines()
    assert said[said.index("call from 202") :] == [
        *("call from 202", "talking", "digit 1", "digit 9", "digit #"),
        *("ended by them", "stopped"),
    ]


def test_call_and_send_dtmf_says_why_nobody_answers(start, pbx):
    calling = start(example("call_and_send_dtmf"), pbx, "202", "202", "602", "1")
    assert calling.process.wait(20) == 1
    assert calling.said.splitlines()[-1] == "ended 486 busy"


def test_own_loop_needs_no_more_than_firmware_sip(start, pbx):
    calling = start(example("own_loop"), pbx, "202", "202", "600")
    assert calling.process.wait(20) == 0
    assert calling.said.splitlines()[0] == "OfferWanted"
    assert {"CallAnswered", "CallEnded"} < set(calling.said.splitlines())
    busy = start(example("own_loop"), pbx, "202", "202", "602")
    assert busy.process.wait(20) == 1
    assert "CallAnswered" not in busy.said.splitlines()


def test_watch_message_waiting_says_how_many_messages_wait(start, pbx):
    watching = start(example("watch_message_waiting"), pbx, "201", "201")
    watching.wait_said("waiting: True, new 2, old 1")
    assert "subscription: active" in watching.said
    assert watching.stop().splitlines()[-1] == "stopped"
