"""Errors of the control socket, in sentences for the one line on stderr."""

import enum

from firmware.base.phrase import Phrase


class RefusalKind(enum.Enum):
    """Why a request was not carried out; `exit_code` is what `deskphone ctl` ends with."""

    FAILED = "failed"
    BAD_REQUEST = "bad_request"
    CONFIG = "config"
    NOT_ALLOWED = "not_allowed"

    @property
    def exit_code(self) -> int:
        """1 the thing asked for failed, 2 bad usage or configuration."""
        return 2 if self in (RefusalKind.BAD_REQUEST, RefusalKind.CONFIG) else 1


class ControlError(Exception):
    """Root of the control socket's errors."""


class RefusedError(ControlError):
    """The phone understood and says no; `reason` is a sentence, or a phrase without words yet."""

    def __init__(self, reason: str | Phrase, kind: RefusalKind = RefusalKind.FAILED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class NoPhoneError(ControlError, ConnectionError):
    """Nobody answers on the control socket."""


class SocketTakenError(ControlError, OSError):
    """A running phone has this control socket already."""


class SocketPathError(ControlError, OSError):
    """The control socket cannot be made at this path."""
