"""`deskphone pbx` as a program: its port, its ready line, its end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.lab.app import doors_of, emergency_numbers, loopback
from firmware.sip.flow import Transport
from tests.support.agent_phone import LINE, AgentPhone
from tests.support.certificates import Authority
from tests.support.ground import Ground
from tests.support.waiting import wait_for

COMMAND = (sys.executable, "-m", "firmware", "pbx", "--port")
pytestmark = pytest.mark.realtime


@pytest.fixture
def pbx():
    """Starts practice PBXs; those that still run at the end are killed."""
    started = []

    def start(port=0, *more):
        process = subprocess.Popen(
            [*COMMAND, str(port), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
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
    assert process.wait(20) == 0
    assert not os.path.exists(f"/proc/{engine}")  # noqa: PTH110 - procfs


def test_it_listens_on_every_loopback_address_by_udp_and_tcp(pbx):
    port = ready_port(pbx())
    for host in loopback():
        socket.create_connection((host, port), 5).close()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as phone:
            phone.settimeout(20)
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
    wait_for("the practice PBX to end", lambda: process.poll() is not None, 20)
    assert process.returncode == 0
    process.stdout = None


def test_every_country_can_practise_its_emergency_numbers():
    assert {"112", "911", "999", "000"} <= emergency_numbers()


def test_it_says_who_is_registered(pbx):
    process = pbx()
    port = ready_port(process)
    with (
        Ground() as ground,
        AgentPhone(ground.address(), f"127.0.0.1:{port}", user="201", password="201") as phone,
    ):
        phone.do(lambda agent, now: agent.register(LINE, now))
        assert process.stdout.readline() == f"registered: 201 udp {phone.address}:5060\n"
        phone.do(lambda agent, now: agent.unregister(LINE, now))
        assert process.stdout.readline() == "registered: nobody\n"


def test_its_other_doors(pbx, tmp_path):
    own = Authority(tmp_path).issue("DNS:localhost")
    files = [str(own.cert), str(own.key)]
    process = pbx(0, "--tls", *files, "--ws", "--wss", *files)
    ready_port(process)
    rows = [process.stdout.readline().split() for _ in range(3)]
    assert [row[2] for row in rows] == ["tls", "ws", "wss"]
    for row in rows:
        host, _, port = row[-1].rpartition(":")
        socket.create_connection((host, int(port)), 5).close()


def test_a_certificate_that_is_none(pbx, tmp_path):
    process = pbx(0, "--tls", str(tmp_path / "no.pem"), str(tmp_path / "no.key"))
    assert process.wait(20) == 1
    (words,) = process.stderr.read().splitlines()
    assert words.startswith("deskphone pbx: ")


def test_the_ports_of_the_doors():
    files = (Path("c"), Path("k"))
    found = doors_of(5080, tls=files, ws=True, wss=files)
    assert [(door.transport, door.port) for door in found] == [
        (Transport.TLS, 5081),
        (Transport.WS, 5082),
        (Transport.WSS, 5083),
    ]
    assert [door.port for door in doors_of(0, tls=files, ws=True, wss=None)] == [0, 0]
