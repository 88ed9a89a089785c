"""What the demonstration decides for itself: the page's port, the command it shows."""

import os
import socket
import sys

import pytest

from firmware.bootstrap import demonstration
from firmware.bootstrap.demonstration import PAGE_PORT, page_port
from firmware.net.errors import PortTakenError
from tests.support.free_port import free_port


def test_a_port_that_was_asked_for_is_used_if_it_is_free():
    port = free_port()
    assert page_port(port) == port


def test_a_taken_port_is_named_with_its_holder():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port} .*\(pid {os.getpid()}\)"):
            page_port(port)


def test_without_a_wish_it_is_the_usual_port_or_any():
    try:
        holder = socket.create_server(("127.0.0.1", PAGE_PORT))
    except OSError:
        assert page_port(None) not in (0, PAGE_PORT)  # somebody else has it
        return
    with holder:
        assert page_port(None) not in (0, PAGE_PORT)


@pytest.mark.parametrize("typed", [".venv/bin/deskphone", "/usr/bin/deskphone"])
def test_the_command_it_shows_is_the_one_that_was_typed(monkeypatch, typed):
    monkeypatch.setattr(sys, "argv", [typed, "demo"])
    assert demonstration._command() == typed


def test_run_as_a_module_it_shows_that(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/src/firmware/__main__.py", "demo"])
    assert demonstration._command() == f"{sys.executable} -m firmware"
