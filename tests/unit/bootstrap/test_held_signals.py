"""Signals that come before anybody can take them, each in a process of its own."""

import subprocess
import sys

import pytest

CASES = {
    "one that should end us is taken off": (
        "with held(): send(SIGTERM); print(has_come(), has_come())",
        "True False",
        0,
    ),
    "none has come": ("with held(): print(has_come())", "False", 0),
    "a hang-up does not end a phone that starts": (
        "with held(): send(SIGHUP); print(has_come()); sigtimedwait({SIGHUP}, 0)",
        "False",
        0,
    ),
    "whoever is handed them hears of those that waited": (
        "with held(): send(SIGINT); hand_to(add, lambda: print('heard'))",
        "heard",
        0,
    ),
    "a hang-up waits until it is released": (
        (
            "add(SIGHUP, lambda: print('heard'))\n"
            "with held(): send(SIGHUP); hand_to(add, print); print('first'); release()"
        ),
        "first heard",
        0,
    ),
    "what nobody took ends us after all": ("with held(): send(SIGTERM)", "", -15),
}
SETTING = """
import os
from signal import *
from firmware.bootstrap.held_signals import hand_to, has_come, held, release
send = lambda number: os.kill(os.getpid(), number)
add = lambda number, stop: signal(number, lambda _number, _frame: stop())
"""


@pytest.mark.parametrize("case", CASES)
def test_a_signal_waits_for_somebody_to_take_it(case):
    script, said, code = CASES[case]
    done = subprocess.run(
        [sys.executable, "-c", SETTING + script], capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.returncode, done.stderr) == (said.split(), code, "")
