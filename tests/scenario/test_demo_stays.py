"""`deskphone demo`: stays until Ctrl-C, whatever becomes of its practice PBX."""

import os
import signal
import socket
import urllib.request

import pytest

from firmware.control import schema as s
from firmware.control.client import Client
from tests.support.demo import Demo
from tests.support.free_port import free_port
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(90)]


@pytest.fixture
def port():
    """A port that is free."""
    return free_port()


@pytest.fixture
def start():
    """Starts demonstrations and ends them."""
    started = []

    def start(*arguments):
        started.append(Demo(*arguments))
        return started[-1]

    yield start
    for demo in started:
        demo.close()


def address_of(demo):
    """The page's address, which is the last thing it says."""
    for line in demo.process.stdout:
        if line.startswith("http://"):
            return line.strip()
    raise AssertionError("it ended without naming its page")


def registered(demo):
    (control,) = demo.folder.glob("deskphone-*/control.sock")
    with Client(control) as client:
        status = client.ask(s.Status(), s.StatusReply)
    return all(line.registered for line in status.lines)


def test_it_names_its_page_and_ctrl_c_ends_everything(start, port):
    demo = start("--port", str(port))
    address = address_of(demo)
    assert address.startswith(f"http://127.0.0.1:{port}/?token=")
    with urllib.request.urlopen(address, timeout=10) as page:  # noqa: S310 - our own address
        assert page.status == 200
    wait_for("registration", lambda: registered(demo))
    demo.tell(signal.SIGINT)
    code, _, errors = demo.end()
    assert (code, errors) == (0, "")
    assert demo.left_behind() == []


def test_a_taken_port_is_named_with_its_holder(start):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        demo = start("--port", str(port))
        code, output, errors = demo.end()
    assert code == 3
    assert output == ""
    assert f"port {port} for the page is taken by" in errors
    assert f"(pid {os.getpid()})" in errors
    assert demo.left_behind() == []


def test_a_dead_practice_pbx_comes_back_and_knows_the_phone_again(start, port):
    demo = start("--port", str(port))
    address_of(demo)
    wait_for("registration", lambda: registered(demo))
    first = demo.child("firmware pbx")
    os.kill(first, signal.SIGKILL)
    second = wait_for("another practice PBX", lambda: _another(demo, first), 20)
    assert second != first
    wait_for("the page's phone to be registered again", lambda: _binding(demo), 20)
    demo.tell(signal.SIGTERM)
    code, _, errors = demo.end()
    assert code == 0
    assert "another one is started" in errors
    assert demo.left_behind() == []


def _another(demo, first):
    found = demo._child("firmware pbx")
    return found if found != first else None


def _binding(demo):
    """605 refuses who is not registered with it: ask the new PBX itself."""
    (control,) = demo.folder.glob("deskphone-*/control.sock")
    with Client(control) as client:
        status = client.ask(s.Status(), s.StatusReply)
        return status.lines[0].registered and status.lines[0].expires_in > 3590
