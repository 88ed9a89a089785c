"""Phone, `ctl` and page agree on where the socket is."""

import os
import socket
from pathlib import Path

import pytest

from firmware.control.errors import SocketPathError
from firmware.control.place import default_socket, find_socket, make_private, runtime_folder


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        (
            {"RUNTIME_DIRECTORY": "/run/deskphone", "XDG_RUNTIME_DIR": "/run/user/1"},
            "/run/deskphone",
        ),
        ({"RUNTIME_DIRECTORY": "/run/deskphone:/run/other"}, "/run/deskphone"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, "/run/user/1/deskphone"),
    ],
)
def test_systemd_comes_before_the_user(environment, folder):
    assert runtime_folder(environment) == Path(folder)
    assert default_socket(environment) == Path(folder) / "control.sock"


def test_without_either_it_is_a_folder_of_the_users_own():
    assert runtime_folder({}).name == f"deskphone-{os.getuid()}"


def test_ctl_finds_the_systems_phone_if_the_user_has_none(tmp_path):
    service = tmp_path / "service"
    service.mkdir()
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert find_socket(environment, service) == tmp_path / "deskphone" / "control.sock"

    with socket.socket(socket.AF_UNIX) as system:
        system.bind(str(service / "control.sock"))
        assert find_socket(environment, service) == service / "control.sock"


def test_the_users_own_phone_comes_first(tmp_path):
    with socket.socket(socket.AF_UNIX) as own, socket.socket(socket.AF_UNIX) as system:
        (tmp_path / "deskphone").mkdir()
        own.bind(str(tmp_path / "deskphone" / "control.sock"))
        system.bind(str(tmp_path / "control.sock"))

        found = find_socket({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path)

    assert found == tmp_path / "deskphone" / "control.sock"


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "deskphone").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SocketPathError, match="not a folder"):
        make_private(tmp_path / "deskphone")


def test_a_folder_open_to_everybody_is_refused(tmp_path):
    (tmp_path / "deskphone").mkdir()
    (tmp_path / "deskphone").chmod(0o777)

    with pytest.raises(SocketPathError, match="everybody"):
        make_private(tmp_path / "deskphone")


def test_a_service_that_this_user_may_not_see_is_there(tmp_path, monkeypatch):
    """Its folder is for its group alone; connecting then says that we may not."""

    def refuse(path):
        if path.parent.name == "service":
            raise PermissionError(13, "Permission denied")
        return False

    monkeypatch.setattr(Path, "is_socket", refuse)
    found = find_socket({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path / "service")
    assert found == tmp_path / "service" / "control.sock"
