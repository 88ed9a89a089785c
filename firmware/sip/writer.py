"""A SIP message to octets, with the right Content-Length and nothing smuggled in.

Whatever the parser let in can be written again. A line break, or a NUL that no backslash escapes,
in a name, value, URI or phrase is our own bug and raises `LocalError` before it reaches a wire.
"""

import re
from typing import Final

from firmware.sip.errors import LocalError
from firmware.sip.headers import TOKEN
from firmware.sip.message import Message, Request

_BARE_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\x00")


def write(message: Message) -> bytes:
    """The message as it goes on the wire.

    Raises:
        LocalError: a part of it would break the message.
    """
    rows = [_start_line(message)]
    length = f"Content-Length: {len(message.body)}"
    placed = False
    for name, value in message.headers:
        if name != "Content-Length" and name.lower() != "content-length":
            rows.append(f"{name}: {value}")
            _check_name(name)
        elif not placed:
            rows.append(length)
            placed = True
    if not placed:
        rows.append(length)
    head = "\r\n".join(rows)
    breaks = len(rows) - 1
    if head.count("\n") != breaks or head.count("\r") != breaks:
        raise LocalError("line break inside a header")
    if "\0" in head and _BARE_NUL.search(head):
        raise LocalError("NUL inside a header")
    try:
        return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + message.body
    except UnicodeEncodeError as error:
        raise LocalError("text that is not Unicode inside a header") from error


def _check_name(name: str) -> None:
    if TOKEN.fullmatch(name) is None:
        raise LocalError(f"bad header name {name!r}")


def _start_line(message: Message) -> str:
    if isinstance(message, Request):
        if TOKEN.fullmatch(message.method) is None:
            raise LocalError(f"bad method {message.method!r}")
        if not message.uri or " " in message.uri:
            raise LocalError(f"bad Request-URI {message.uri!r}")
        return f"{message.method} {message.uri} SIP/2.0"
    if not 100 <= message.status <= 699:
        raise LocalError(f"bad status {message.status}")
    return f"SIP/2.0 {message.status} {message.phrase}"
