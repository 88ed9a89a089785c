"""Cuts a byte stream into SIP messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §4.4.1).

It looks at nothing but the empty line and Content-Length. When a length cannot be told, where the
next message begins cannot be told either: the headers so far are handed out, so that they can be
answered, and the stream is `broken`.
"""

import re
from typing import Final

from msgspec import Struct

MOST_OCTETS: Final = 65_535
"""The longest message."""
_LONGEST_START_LINE: Final = 8_192

_LENGTH: Final = re.compile(
    rb"\r\n(?:Content-Length|l)[ \t]*+:[ \t]*+(?:\r\n[ \t]++)*+([^\r\n]*+)", re.IGNORECASE
)
_LINE_BREAKS: Final = re.compile(rb"(?:\r\n)++")
_DIGITS: Final = re.compile(rb"[0-9]{1,11}")
# The first letters of every method and of "SIP/2.0" are token characters.
_TOKEN_START: Final = re.compile(rb"[A-Za-z0-9\-.!%*_+`'~]")


class Ping(Struct, frozen=True):
    """The far end sent CRLF CRLF and expects a CRLF."""


class Pong(Struct, frozen=True):
    """The far end sent a single CRLF: the answer to a ping of ours."""


class StreamFramer:
    """The receiving side of one connection."""

    __slots__ = ("_broken", "_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._broken: str | None = None

    @property
    def broken(self) -> str | None:
        """Why the stream cannot be cut any more, or None."""
        return self._broken

    @property
    def pending(self) -> int:
        """How many octets of an unfinished message wait."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes | Ping | Pong]:
        """Take what arrived; returns what is complete, in order. A broken stream gives nothing."""
        found: list[bytes | Ping | Pong] = []
        if self._broken is None:
            self._buffer += data
            while (piece := self._next()) is not None:
                found.append(piece)
        if self._broken is not None:
            self._buffer.clear()
        return found

    def _next(self) -> bytes | Ping | Pong | None:
        buffer = self._buffer
        if not buffer or self._broken is not None:
            return None
        if buffer[0] == 0x0D:
            return self._keep_alive()
        if self._searched == 0 and _TOKEN_START.match(buffer) is None:
            self._broken = "not SIP"
            return None
        # An empty line may straddle two arrivals; search from three octets before the new ones.
        end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0:
            self._searched = len(buffer)
            self._check_unfinished()
            return None
        return self._message(end)

    def _keep_alive(self) -> Ping | Pong | None:
        buffer = self._buffer
        run = _LINE_BREAKS.match(buffer)
        if run is None:
            # Half of a line break may still become a whole one.
            if len(buffer) > 1:
                self._broken = "not SIP"
            return None
        single = run.end() == 2
        if single and buffer == b"\r\n\r":
            return None
        # However many stand in a row, they are one ping: a flood gets one answer, not thousands.
        del buffer[: run.end()]
        return Pong() if single else Ping()

    def _check_unfinished(self) -> None:
        if len(self._buffer) > MOST_OCTETS:
            self._broken = "headers too long"
        elif len(self._buffer) > _LONGEST_START_LINE and b"\r\n" not in self._buffer[:8194]:
            self._broken = "not SIP"

    def _message(self, end: int) -> bytes | None:
        buffer = self._buffer
        length = self._content_length(end)
        total = end + 4 + (length or 0)
        if self._broken is None and total > MOST_OCTETS:
            self._broken = "message too long"
        if self._broken is not None:
            total = end + 4
        elif total > len(buffer):
            self._searched = end + 3
            return None
        message = bytes(buffer[:total])
        del buffer[:total]
        self._searched = 0
        return message

    def _content_length(self, end: int) -> int | None:
        rows = {row.strip(b" \t") for row in _LENGTH.findall(self._buffer, 0, end)}
        if not rows:
            # RFC 3261 §20.14: over a stream the header must be there.
            self._broken = "no Content-Length"
            return None
        text = rows.pop()
        if rows or _DIGITS.fullmatch(text) is None:
            self._broken = "bad Content-Length"
            return None
        return int(text)
