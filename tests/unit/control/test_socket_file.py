"""A dead phone's socket is replaced, a live one and other people's files are not."""

import os
import socket
import stat

import pytest

from firmware.control.errors import SocketPathError, SocketTakenError
from firmware.control.socket_file import listen, peer_of


def test_a_dead_phones_socket_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    file = listen(path)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    file.remove()
    assert not path.exists()


def test_a_live_phone_keeps_its_socket_and_is_named(path):
    live = listen(path)

    with pytest.raises(SocketTakenError, match=rf"pid {os.getpid()}"):
        listen(path)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    live.remove()


def test_a_phone_with_a_full_queue_is_alive_too(path):
    live = listen(path)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for client in clients:
        client.settimeout(0)
        client.connect_ex(str(path))

    with pytest.raises(SocketTakenError):
        listen(path)

    for client in clients:
        client.close()
    live.remove()


def test_something_that_is_no_socket_stays(path):
    path.write_text("a letter")

    with pytest.raises(SocketPathError, match="no socket"):
        listen(path)

    assert path.read_text() == "a letter"


def test_a_path_that_is_too_long_says_so(tmp_path):
    with pytest.raises(SocketPathError, match="too long"):
        listen(tmp_path / ("x" * 120))


def test_a_missing_folder_is_made_private(tmp_path):
    file = listen(tmp_path / "run" / "control.sock")

    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    file.remove()


def test_the_socket_is_for_owner_and_group_only(path):
    file = listen(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    file.remove()


def test_the_mask_of_the_process_is_as_before(path):
    before = os.umask(0o022)
    file = listen(path)

    assert os.umask(before) == 0o022
    file.remove()


def test_a_replaced_socket_is_not_removed_by_its_old_owner(path):
    first = listen(path)
    first.listener.close()
    second = listen(path)

    first.remove()

    assert path.is_socket()
    second.remove()


def test_the_kernel_tells_who_is_there():
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert (peer_of(here).pid, peer_of(here).uid) == (os.getpid(), os.getuid())
