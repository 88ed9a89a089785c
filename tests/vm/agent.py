"""Runs inside the virtual Pi, as root: takes orders from the tests through a serial port.

One JSON object a line, in order: `{"id", "command", "input", "seconds"}` is answered by `{"id",
"code", "output", "error"}`. The first line after each start is `{"hello": BOOT_ID}`. The standard
library is all it needs, so that it runs whatever becomes of the phone.
"""

import json
import subprocess
import sys
from pathlib import Path

TIMED_OUT = 124


def main(port: str) -> None:
    """Take orders for ever."""
    with open(port, "r+b", buffering=0) as line:  # noqa: PTH123 - unbuffered both ways
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        _say(line, {"hello": boot})
        for order in _lines(line):
            _say(line, _carry_out(order))


def _lines(line):
    held = b""
    while True:
        held += line.read(65536) or b""
        *whole, held = held.split(b"\n")
        for each in whole:
            try:
                yield json.loads(each)
            except ValueError:
                continue


def _say(line, what) -> None:
    data = json.dumps(what).encode() + b"\n"
    while data:
        data = data[line.write(data) :]


def _carry_out(order):
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", order["command"]],
            input=order.get("input", "").encode(),
            capture_output=True,
            timeout=order["seconds"],
            check=False,
            cwd="/",
        )
    except subprocess.TimeoutExpired as late:
        output, error = late.stdout or b"", late.stderr or b""
        return _answer(order, TIMED_OUT, output, error)
    return _answer(order, done.returncode, done.stdout, done.stderr)


def _answer(order, code, output, error):
    return {
        "id": order["id"],
        "code": code,
        "output": output.decode(errors="replace"),
        "error": error.decode(errors="replace"),
    }


if __name__ == "__main__":
    main(sys.argv[1])
