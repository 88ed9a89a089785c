"""What the audio process must not carry: each would be megabytes of locked memory."""

import subprocess
import sys

HEAVY = ("asyncio", "ssl", "_hashlib", "tomllib", "sqlite3", "PIL", "numpy", "hal.boards.loader")
ON_DEMAND = ("firmware.codec.opus", "firmware.codec.g722", "G722", "pylibsrtp")
"""What only a call that speaks it brings."""


def test_the_audio_process_leaves_the_phones_libraries_alone():
    code = "import sys, firmware.media.host; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert {*HEAVY, *ON_DEMAND}.isdisjoint(done.stdout.split())
