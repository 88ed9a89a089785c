"""The virtual Pi of a run: a machine, started once, with the phone installed and running."""

import fcntl
import json
import os
import time

import pytest

from tests.bench.machine import describe
from tests.vm.drive import PLACE, make_drive
from tests.vm.machine import PYTHON, Machine
from tests.vm.root import PROJECT, LackingError, cached, missing_tools, ready

collect_ignore = ["inside"]
_PATIENCE = 900
"""Seconds a test may take: the first one starts the machine, and may have to make its disk."""

CONFIG = """\
[[line]]
user = "101"
password = "101"
server = "127.0.0.1:5080"
[board]
name = "mock"
[audio]
codecs = ["pcmu"]
[audio.handset]
card = "id:Loopback"
"""


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.timeout(_PATIENCE))


PBX = """\
[Service]
ExecStart=/usr/bin/deskphone pbx
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="session")
def pi(tmp_path_factory):
    """A virtual Pi with the clock of a Pi (1970), the phone installed and started by systemd."""
    lacks = missing_tools("qemu-system-x86_64") if cached() else missing_tools()
    if lacks:
        _lacking(lacks)
    try:
        root = ready()
    except LackingError as error:
        _lacking(str(error))
        raise
    with Machine(root, _drive(tmp_path_factory), "1970-01-01") as machine:
        machine.run(f"mkdir -p {PLACE} && tar xf /dev/vdb -C {PLACE}")
        install(machine)
        machine.run(
            "systemctl start pbx deskphone-clock deskphone-clock-save.timer deskphone",
            seconds=200,
        )
        yield machine


def _drive(tmp_path_factory):
    """Each machine has its own; the wheel is built by one at a time."""
    with (PROJECT / "pyproject.toml").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        return make_drive(tmp_path_factory.mktemp("drive"))


def _lacking(reason):
    """No virtual Pi is a skip on a developer's machine and a failure where all must be there."""
    fail = pytest.fail if os.environ.get("DESKPHONE_NO_SKIP") else pytest.skip
    fail(f"no virtual Pi: {reason}")


def install(machine):
    """The wheel, and systemd/install; the phone is not started."""
    units = f"{PLACE}/systemd"
    machine.run(
        f"{PYTHON} -m pip install -q --no-index --no-deps --disable-pip-version-check "
        f"--root-user-action=ignore {PLACE}/deskphone-*.whl",
        seconds=180,
    )
    machine.run("date +%s >/srv/installed")
    machine.put("/etc/systemd/system/pbx.service", PBX.encode())
    machine.put("/etc/modules-load.d/sound.conf", b"snd-aloop\n")
    machine.put("/etc/deskphone/deskphone.toml", CONFIG.encode())
    machine.run(
        f"install -m 644 -D -t /etc/systemd/journald.conf.d {units}/journald.conf.d/*.conf\n"
        "systemctl restart systemd-journald\n"
        "systemctl enable -q --no-reload pbx\n"
        f"sh {units}/install",
        seconds=120,
    )


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """The figures that were measured, each with its name; kept for docs/figures.md where asked."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    figures = dict(sorted(pair for report in reports for pair in report.user_properties))
    if figures:
        terminalreporter.section("measured in the virtual Pi")
    for name, value in figures.items():
        terminalreporter.line(f"{value:>10}  {name}")
    if os.environ.get("SAVE") and not terminalreporter.getreports("failed"):
        name = f"vm-{time.strftime('%Y-%m-%d-%H%M')}.json"
        record = {**describe(PROJECT), "figures": figures}
        (PROJECT / "tests/bench/results" / name).write_text(json.dumps(record, indent=2) + "\n")
