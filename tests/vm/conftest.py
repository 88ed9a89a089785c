"""The virtual Pi of a run: one machine, started once, with the phone installed and running."""

import os

import pytest

from tests.vm.drive import PLACE, make_drive
from tests.vm.machine import PYTHON, Machine
from tests.vm.root import LackingError, cached, missing_tools, ready

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
    with Machine(root, make_drive(tmp_path_factory.mktemp("drive")), "1970-01-01") as machine:
        machine.run(f"mkdir -p {PLACE} && tar xf /dev/vdb -C {PLACE}")
        install(machine)
        machine.run(
            "systemctl start pbx deskphone-clock deskphone-clock-save.timer deskphone "
            "deskphone-web",
            seconds=200,
        )
        yield machine


def _lacking(reason):
    """No virtual Pi is a skip on a developer's machine and a failure where all must be there."""
    fail = pytest.fail if os.environ.get("DESKPHONE_NO_SKIP") else pytest.skip
    fail(f"no virtual Pi: {reason}")


def install(machine):
    """The wheel, the units and what they need, verbatim; nothing is started."""
    units = f"{PLACE}/systemd"
    machine.run(
        f"{PYTHON} -m pip install -q --no-index --no-deps --disable-pip-version-check "
        f"--root-user-action=ignore {PLACE}/deskphone-*.whl",
        seconds=180,
    )
    machine.put("/etc/systemd/system/pbx.service", PBX.encode())
    machine.put("/etc/modules-load.d/sound.conf", b"snd-aloop\n")
    machine.put("/etc/deskphone/deskphone.toml", CONFIG.encode())
    machine.run(
        "ln -sf /opt/deskphone/bin/deskphone /usr/bin/deskphone\n"
        f"install -m 644 -t /usr/lib/systemd/system {units}/*.service {units}/*.timer\n"
        f"install -m 644 -t /usr/lib/udev/rules.d {units}/udev/*.rules\n"
        f"install -m 644 -t /usr/lib/sysusers.d {units}/sysusers.d/*.conf\n"
        f"install -m 644 -t /usr/lib/tmpfiles.d {units}/tmpfiles.d/*.conf\n"  # noqa: S108
        f"install -m 644 -D -t /etc/systemd/journald.conf.d {units}/journald.conf.d/*.conf\n"
        "systemd-sysusers && systemd-tmpfiles --create deskphone.conf\n"
        "udevadm control --reload && systemctl daemon-reload\n"
        "systemctl restart systemd-modules-load systemd-journald\n"
        "systemctl enable pbx deskphone-clock deskphone-clock-save.timer deskphone deskphone-web",
        seconds=60,
    )


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """The figures that were measured, each with its name."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    figures = [pair for report in reports for pair in report.user_properties]
    if figures:
        terminalreporter.section("measured in the virtual Pi")
    for name, value in figures:
        terminalreporter.line(f"{value:>10}  {name}")
