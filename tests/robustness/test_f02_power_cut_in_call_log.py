"""F2, P5: the call list after a power cut, a torn file, or a foreign one; no call is held up."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.storage.call_log import CallLog, CallRow

ADD_FOR_EVER = """
import sys
from pathlib import Path
from firmware.storage.call_log import CallLog, CallRow
log = CallLog(Path(sys.argv[1]))
for number in range(100_000):
    log.add(CallRow(float(number), "l", True, "", str(number), "failed", 0.0))
    print(number, flush=True)
"""


def row(number: int) -> CallRow:
    return CallRow(float(number), "l", outgoing=True, name="", user=str(number), outcome="failed",
                   seconds=0.0)  # fmt: skip


def filled(path: Path, count: int = 200) -> None:
    log = CallLog(path)
    log._base.execute("PRAGMA synchronous=OFF")  # the file matters here, not when it is there
    for number in range(count):
        log.add(row(number))
    log.close()


@pytest.mark.parametrize("told", [1, 7, 30])
def test_f02_every_call_that_was_noted_is_there_after_the_program_was_killed(tmp_path, told):
    path = tmp_path / "calls.db"
    command = [sys.executable, "-c", ADD_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        for _ in range(told):
            last = int(program.stdout.readline())
        os.kill(program.pid, signal.SIGKILL)

    log = CallLog(path)
    numbers = [int(one.user) for one in log.rows(limit=1000)]
    log.close()
    assert log.trouble is None
    assert numbers == list(range(len(numbers)))[::-1]
    assert len(numbers) > last


def test_f02_a_log_that_was_cut_off_anywhere_still_takes_calls(tmp_path):
    path = tmp_path / "calls.db"
    log = CallLog(path)
    for number in range(50):
        log.add(row(number))
    main = path.read_bytes()
    wal = path.with_name("calls.db-wal").read_bytes()
    log.close()
    lengths = range(1, len(wal), len(wal) // 25)

    for number, length in enumerate(lengths):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "calls.db").write_bytes(main)
        (folder / "calls.db-wal").write_bytes(wal[:length])
        survivor = CallLog(folder / "calls.db")
        numbers = [int(one.user) for one in survivor.rows(limit=100)]
        assert numbers == list(range(len(numbers)))[::-1]
        survivor.add(row(99))
        assert survivor.rows(limit=1) == (row(99),)
        survivor.close()


DAMAGE = {
    "zeros at the start": lambda data: bytes(100) + data[100:],
    "no database": lambda _data: b"this is a letter to a friend" * 100,
    "torn in the middle": lambda data: data[:5000],
    "a page of noise in the middle": lambda data: (
        data[: len(data) // 8192 * 4096]
        + hashlib.shake_256(b"noise").digest(4096)
        + data[len(data) // 8192 * 4096 + 4096 :]
    ),
    "a page of noise": lambda data: (
        data[:4096] + hashlib.shake_256(b"noise").digest(4096) + data[8192:]
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_f02_a_damaged_list_is_set_aside_and_a_new_one_begun(tmp_path, damage):
    path = tmp_path / "calls.db"
    filled(path, 1000)
    path.write_bytes(DAMAGE[damage](path.read_bytes()))

    log = CallLog(path)
    log.add(row(1))

    assert log.rows() == (row(1),)
    assert log.trouble is None
    assert (tmp_path / "calls.db.broken").exists()
    log.close()
    again = CallLog(path)
    assert len(again) == 1
    again.close()


def test_f02_an_empty_file_is_simply_a_new_list(tmp_path):
    (tmp_path / "calls.db").write_bytes(b"")

    log = CallLog(tmp_path / "calls.db")
    log.add(row(1))

    assert len(log) == 1
    log.close()


def test_f02_a_list_of_a_later_version_is_set_aside_not_misread(tmp_path):
    path = tmp_path / "calls.db"
    filled(path)
    log = CallLog(path)
    log._base.execute("PRAGMA user_version=7")
    log.close()

    log = CallLog(path)

    assert len(log) == 0
    assert (tmp_path / "calls.db.broken").exists()
    log.close()
