"""The one door to audioop."""

import subprocess
import sys

from firmware.base.pcm import SAMPLE_BYTES, audioop


def test_samples_are_sixteen_bit():
    assert SAMPLE_BYTES == 2
    assert audioop.rms(b"\x00\x40" * 10, SAMPLE_BYTES) == 0x4000


def test_importing_it_warns_nobody():
    command = [sys.executable, "-W", "error", "-c", "import firmware.base.pcm"]
    assert subprocess.run(command, check=False, timeout=30).returncode == 0
