"""The parts of a multipart body (RFC 2046 §5.1), as notifications of lists have them."""

import re
from dataclasses import dataclass
from typing import Final

from firmware.sip.errors import ParseError
from firmware.sip.event.package import BodyError, kind_of
from firmware.sip.headers import parse_params, unquote

_MOST_PARTS: Final = 300
_MOST_OCTETS: Final = 262_144
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: the headers that matter as they came, empty where there is none."""

    content_type: str
    content_id: str
    body: bytes


def split_multipart(content_type: str, body: bytes) -> list[Part]:
    """The parts in their order; nested multiparts stay whole.

    Raises:
        BodyError: it is not multipart, has no usable boundary, or too many parts.
    """
    boundary = parameter(content_type, "boundary")
    if not kind_of(content_type).startswith("multipart/") or not _BOUNDARY.fullmatch(boundary):
        raise BodyError("no boundary")
    if len(body) > _MOST_OCTETS:
        raise BodyError("too long")
    # The line break before a boundary belongs to the boundary (RFC 2046 §5.1.1).
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) > _MOST_PARTS:
        raise BodyError("too many parts")
    parts: list[Part] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return parts
        parts.append(_part(piece))
    raise BodyError("no last boundary")


def parameter(content_type: str, name: str) -> str:
    """A parameter of a Content-Type without quotes; empty if there is none."""
    _, semicolon, rest = content_type.partition(";")
    try:
        params = parse_params(semicolon + rest)
    except ParseError:
        return ""
    return next((unquote(value or "") for key, value in params if key.lower() == name), "")


def _part(piece: bytes) -> Part:
    _, _, piece = piece.partition(b"\r\n")  # blanks may follow the boundary
    if piece.startswith(b"\r\n"):
        return Part("text/plain", "", piece[2:])  # no headers at all (RFC 2046 §5.1)
    head, _, body = piece.partition(b"\r\n\r\n")
    rows: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        rows.setdefault(name.strip().lower(), value.strip())
    mark = rows.get("content-id", "")
    return Part(rows.get("content-type", "text/plain"), mark.strip("<>"), body)
