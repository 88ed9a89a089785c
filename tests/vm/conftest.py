"""The virtual Pi of a run: one machine, started once, with the phone installed and running."""

import pytest

from tests.vm.drive import PLACE, make_drive
from tests.vm.machine import PYTHON, Machine
from tests.vm.root import RootError, cached, missing_tools, ready

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


@pytest.fixture(scope="session")
def bare_pi(tmp_path_factory):
    """A virtual Pi with Debian on it and the clock of a Pi: 1970."""
    lacks = missing_tools("qemu-system-x86_64") if cached() else missing_tools()
    if lacks:
        pytest.skip(f"no virtual Pi: {lacks}")
    try:
        root = ready()
    except RootError as error:
        pytest.skip(f"no virtual Pi: {error}")
    with Machine(root, make_drive(tmp_path_factory.mktemp("drive")), "1970-01-01") as machine:
        machine.run(f"mkdir -p {PLACE} && tar xf /dev/vdb -C {PLACE}")
        yield machine


@pytest.fixture(scope="session")
def pi(bare_pi):
    """The same with the phone on it, installed as a user would and started by systemd."""
    install(bare_pi)
    bare_pi.run("systemctl start deskphone-clock deskphone deskphone-web", seconds=90)
    return bare_pi


def install(machine):
    """The wheel, the units and what they need, verbatim; nothing is started."""
    units = f"{PLACE}/systemd"
    machine.run(
        f"{PYTHON} -m pip install -q --no-index --no-deps --disable-pip-version-check "
        f"--root-user-action=ignore {PLACE}/deskphone-*.whl",
        seconds=180,
    )
    machine.run(
        "ln -sf /opt/deskphone/bin/deskphone /usr/bin/deskphone\n"
        f"install -m 644 -t /usr/lib/systemd/system {units}/*.service {units}/*.timer\n"
        f"install -m 644 -t /usr/lib/udev/rules.d {units}/udev/*.rules\n"
        f"install -m 644 -t /usr/lib/sysusers.d {units}/sysusers.d/*.conf\n"
        f"install -m 644 -t /usr/lib/tmpfiles.d {units}/tmpfiles.d/*.conf\n"  # noqa: S108
        f"install -m 644 -D -t /etc/systemd/journald.conf.d {units}/journald.conf.d/*.conf\n"
        "systemd-sysusers && systemd-tmpfiles --create deskphone.conf\n"
        "udevadm control --reload && systemctl daemon-reload"
    )
    machine.put("/etc/deskphone/deskphone.toml", CONFIG.encode())
    machine.run(
        "systemd-tmpfiles --create deskphone.conf\n"
        "modprobe -a snd-aloop\n"
        "systemctl enable deskphone-clock.service deskphone-clock-save.timer deskphone.service "
        "deskphone-web.service",
        seconds=60,
    )
