import os
import socket

import pytest

from firmware.net.systemd_notify import notify


@pytest.fixture
def systemd():
    """A datagram socket such as systemd listens on; `at(address)` binds it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.settimeout(20)

        def at(address):
            link.bind(address)
            return link

        yield at


def test_systemd_learns_that_the_phone_is_ready(systemd, tmp_path):
    link = systemd(str(tmp_path / "notify"))
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    assert notify("READY=1", "STATUS=registered", environment=environment)
    assert link.recv(1000) == b"READY=1\nSTATUS=registered"


def test_the_abstract_namespace_is_reached_too(systemd):
    name = f"deskphone-test-{os.getpid()}-{os.urandom(8).hex()}"
    link = systemd("\0" + name)
    assert notify("WATCHDOG=1", environment={"NOTIFY_SOCKET": "@" + name})
    assert link.recv(1000) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens():
    assert not notify("READY=1", environment={})


def test_a_systemd_that_does_not_listen_does_not_stop_the_phone(tmp_path, caplog):
    assert not notify("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "gone")})
    assert "systemd was not told READY=1" in caplog.text


def test_a_systemd_that_does_not_read_does_not_block_the_phone(systemd, tmp_path):
    systemd(str(tmp_path / "notify"))
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    for _ in range(10_000):
        if not notify("WATCHDOG=1", environment=environment):
            return
    pytest.fail("the socket took ten thousand messages that nobody read")


@pytest.mark.parametrize("wrong", ["READY", "STATUS=one\nREADY=1"])
def test_an_assignment_must_be_one_line(wrong):
    with pytest.raises(ValueError, match="NAME=value"):
        notify(wrong, environment={})
