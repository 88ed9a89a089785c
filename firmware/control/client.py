"""A blocking client for the control socket: what `deskphone ctl` and tests use."""

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from firmware.control.errors import (
    NoPhoneError,
    RefusalKind,
    RefusedError,
    SocketPathError,
)
from firmware.control.schema import (
    AnyEvent,
    AnyRequest,
    AnyResult,
    Events,
    Topic,
    decode_event,
    encode,
)

TIMEOUT = 10.0
PATIENT = 330.0
"""Seconds for what is answered only when people have done something (a transfer)."""
Result = TypeVar("Result", bound=AnyResult)


class ReplyHead(msgspec.Struct, frozen=True):
    """A reply before its result is read; an event has no `ok`."""

    id: int = 0
    ok: bool | None = None
    error: str = ""
    kind: RefusalKind = RefusalKind.FAILED
    result: msgspec.Raw = msgspec.Raw(b"null")


class Client:
    """One connection; use it in a `with` block.

    Raises:
        NoPhoneError: nobody listens at the path, or the phone went away.
        SocketPathError: the path cannot be used (rights, length).
    """

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            self._socket.close()
            raise NoPhoneError(f"no phone is running at {path}") from error
        except OSError as error:
            self._socket.close()
            raise SocketPathError(f"{path}: {error.strerror or error}") from error
        self._lines = self._socket.makefile("rb")
        self._ids = itertools.count(1)
        self._early: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def be_patient(self) -> None:
        """Wait longer for the next reply."""
        self._socket.settimeout(PATIENT)

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def ask(self, request: AnyRequest, result: type[Result]) -> Result:
        """Send a request and wait for its result of the given type (`type(None)` for none).

        Raises:
            RefusedError: the phone says no.
            NoPhoneError: the phone went away or does not answer in time.
        """
        return msgspec.json.decode(self.ask_raw(request), type=result)

    def ask_raw(self, request: AnyRequest) -> bytes:
        """Like `ask`, but the result as the JSON that came."""
        number = next(self._ids)
        request = msgspec.structs.replace(request, id=number)
        try:
            self._socket.sendall(encode(request))
        except OSError as error:
            raise NoPhoneError(f"the phone at {self._path} went away") from error
        while True:
            line = self._line()
            head = msgspec.json.decode(line, type=ReplyHead)
            if head.ok is None:
                self._early.append(line)
            elif not head.ok:
                raise RefusedError(head.error, head.kind)
            elif head.id == number:
                return bytes(head.result)

    def events(self, topics: tuple[Topic, ...] = ()) -> Iterator[AnyEvent]:
        """Subscribe and give events until the phone ends."""
        return map(decode_event, self.event_lines(topics))

    def event_lines(self, topics: tuple[Topic, ...] = ()) -> Iterator[bytes]:
        """Subscribe and give events as the lines that come, without line feed."""
        self.ask_raw(Events(topics=topics))
        self._socket.settimeout(None)
        return self._event_lines()

    def _event_lines(self) -> Iterator[bytes]:
        while self._early:
            yield self._early.pop(0).rstrip(b"\n")
        while line := self._lines.readline():
            yield line.rstrip(b"\n")

    def _line(self) -> bytes:
        try:
            line = self._lines.readline()
        except TimeoutError as error:
            raise NoPhoneError(f"the phone at {self._path} does not answer") from error
        except OSError as error:
            raise NoPhoneError(f"the phone at {self._path} went away") from error
        if not line.endswith(b"\n"):
            raise NoPhoneError(f"the phone at {self._path} went away")
        return line
