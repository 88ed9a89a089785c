"""`deskphone pbx` as a program: its port, its ready line, its end."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from firmware.lab.app import emergency_numbers, loopback
from tests.support.waiting import wait_for

COMMAND = (sys.executable, "-m", "firmware", "pbx", "--port")
pytestmark = pytest.mark.realtime


@pytest.fixture
def pbx():
    """Starts practice PBXs; those that still run at the end are killed."""
    started = []

    def start(port=0):
        process = subprocess.Popen(
            [*COMMAND, str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ready_port(process):
    line = process.stdout.readline()
    assert line.startswith("practice PBX at 127.0.0.1:")
    return int(line.partition(";")[0].rpartition(":")[2])


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 - procfs
        return [int(each) for each in file.read().split()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_with_its_engine(pbx, number):
    process = pbx()
    ready_port(process)
    (engine,) = children(process.pid)
    process.send_signal(number)
    assert process.wait(10) == 0
    assert not os.path.exists(f"/proc/{engine}")  # noqa: PTH110 - procfs


def test_it_listens_on_every_loopback_address_by_udp_and_tcp(pbx):
    port = ready_port(pbx())
    for host in loopback():
        socket.create_connection((host, port), 5).close()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as phone:
            phone.settimeout(5)
            phone.connect((host, port))
            here = f"[{host}]" if ":" in host else host
            via = f"SIP/2.0/UDP {here}:{phone.getsockname()[1]};branch=z9hG4bKa;rport"
            phone.send(
                f"OPTIONS sip:pbx@{here}:{port} SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@b>;tag=1\r\n"
                f"To: <sip:pbx@b>\r\nCall-ID: {host}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                "Content-Length: 0\r\n\r\n".encode()
            )
            assert phone.recv(4096).startswith(b"SIP/2.0 200")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_taken_port_is_named_with_its_holder(pbx, kind):
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        port = holder.getsockname()[1]
        process = pbx(port)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 3
    assert f"port {port} is taken by" in errors
    assert f"(pid {os.getpid()})" in errors


def test_it_ends_when_its_starter_has_gone(pbx):
    process = pbx()
    ready_port(process)
    process.stdout.close()
    wait_for("the practice PBX to end", lambda: process.poll() is not None, 10)
    assert process.returncode == 0
    process.stdout = None


def test_every_country_can_practise_its_emergency_numbers():
    assert {"112", "911", "999", "000"} <= emergency_numbers()
