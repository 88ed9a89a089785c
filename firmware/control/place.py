"""Where the control socket is: the same answer for the phone, `ctl` and the page.

The order is: the directory systemd made for us, the user's run-time directory, a 0700 folder of
the user's own under the temporary directory. `ctl` also looks where the system's service has it.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from firmware.control.errors import SocketPathError

SOCKET_NAME = "control.sock"
ENDS_WITH_INPUT = "DESKPHONE_ENDS_WITH_INPUT"
"""The environment variable that tells a client of the phone's own to end when its input does."""
_SERVICE_FOLDER = Path("/run/deskphone")


def runtime_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for sockets and what need not outlive a restart; not made yet."""
    if systemd := environment.get("RUNTIME_DIRECTORY"):
        return Path(systemd.split(":")[0])
    if user := environment.get("XDG_RUNTIME_DIR"):
        return Path(user) / "deskphone"
    import tempfile  # noqa: PLC0415 - the last resort; it brings every archive format along

    return Path(tempfile.gettempdir()) / f"deskphone-{os.getuid()}"


def default_socket(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a phone makes its control socket if nothing else is configured."""
    return runtime_folder(environment) / SOCKET_NAME


def find_socket(
    environment: Mapping[str, str] = os.environ, service: Path = _SERVICE_FOLDER
) -> Path:
    """Where a client looks: the first place that has a socket, else the default place."""
    default = default_socket(environment)
    places = (default, service / SOCKET_NAME)
    return next((place for place in places if _may_be(place)), default)


def _may_be(place: Path) -> bool:
    """Whether there is a socket; one that we may not see is there, and connecting says the rest."""
    try:
        return place.is_socket()
    except PermissionError:
        return True


def make_private(folder: Path) -> None:
    """Make a folder only this user may enter; one that exists must not be someone else's.

    Raises:
        SocketPathError: it cannot be made, is a link, or belongs to another user.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise SocketPathError(f"{folder} cannot be made: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise SocketPathError(f"{folder} is not a folder")
    theirs = found.st_uid not in (os.getuid(), 0)
    # A folder under /tmp that anybody may write to could be swapped under our feet.
    if theirs or (found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX):
        raise SocketPathError(f"{folder} belongs to somebody else or is open to everybody")
