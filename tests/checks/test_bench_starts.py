"""The benchmarks take an hour; that they begin at all is known in a second."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_rows_can_be_named():
    """Every module of theirs is loaded; which rows there are is asked for."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--rounds", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert told.returncode == 0, told.stderr
    assert "median of 0 rounds" in told.stdout
