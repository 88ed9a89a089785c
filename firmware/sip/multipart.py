"""Bodies of several parts: taken apart within bounds, and the parts that are ours picked out.

A server may wrap a session description together with things a phone does not know: where the
caller is, what a telephone exchange said. RFC 2046 §5.1 is the syntax, RFC 5621 says what parts
mean in SIP. Everything is bounded (A14, A15): parts, depth, header rows; the body itself is no
larger than a message may be.
"""

import re
from collections.abc import Container, Iterator
from typing import Final

from msgspec import Struct, field

from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_params, unquote
from firmware.sip.message import Headers

MOST_PARTS: Final = 32
MOST_DEPTH: Final = 4
_MOST_ROWS: Final = 32
_LONGEST_HEAD: Final = 2048
_LONGEST_BOUNDARY: Final = 70
_READABLE: Final = frozenset({"", "7bit", "8bit", "binary"})
_HEAD: Final = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")


class Part(Struct, frozen=True):
    """One part; `media_type` is in lower case without parameters, `params` are those."""

    media_type: str
    body: bytes
    params: dict[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=Headers)

    @property
    def content_id(self) -> str:
        """What a `cid:` URI calls it (RFC 2392), "" if it has no name."""
        return (self.headers.get("Content-ID") or "").strip().strip("<>")

    @property
    def required(self) -> bool:
        """Whether it says itself that it must be understood (RFC 3261 §20.11)."""
        disposition = (self.headers.get("Content-Disposition") or "").replace(" ", "").lower()
        return "handling=required" in disposition

    @property
    def readable(self) -> bool:
        """Whether its octets are what they mean: SIP carries eight bits, nothing is encoded."""
        return (self.headers.get("Content-Transfer-Encoding") or "").strip().lower() in _READABLE


def understood(headers: Headers, body: bytes, known: Container[str]) -> tuple[Part, ...]:
    """The parts of a message whose types are `known`, in their order; nested ones too.

    Of alternatives only the last known one counts, for it is the best (RFC 2046 §5.1.4). A body
    that is no multipart is one part.

    Raises:
        ParseError: it is malformed or too much (400, 413), or a part that is not known must be
            understood (415).
    """
    whole = _part(headers, body)
    if whole is None:
        return ()
    budget = _Budget()
    return tuple(_pick(whole, known, budget, 0))


def parts_of(part: Part) -> Iterator[Part]:
    """The parts of a multipart, unread inside.

    Raises:
        ParseError: it has no boundary, or no part (RFC 2046 §5.1.1).
    """
    boundary = part.params.get("boundary", "")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise ParseError("multipart without a usable boundary")
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    # With a line feed before it every mark begins alike, and is found without looking at the rest.
    body = b"\n" + part.body
    # What stands before the first mark and after the last is for nobody.
    begin: int | None = None
    for found in re.finditer(rb"\n--" + mark + rb"(--)?[ \t]*+(?=\r?\n|\Z)", body):
        if begin is not None:
            end = found.start()
            yield _read(body[begin : end - body.endswith(b"\r", begin, end)])
        begin = found.end()
        if found[1]:
            return
    if begin is None:
        raise ParseError("multipart without parts")
    yield _read(body[begin:])


class _Budget:
    """How many parts may still come."""

    def __init__(self) -> None:
        self._left = MOST_PARTS

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise ParseError("too many body parts", 413)


def _pick(part: Part, known: Container[str], budget: _Budget, depth: int) -> Iterator[Part]:
    budget.spend()
    kind, _, subtype = part.media_type.partition("/")
    if kind == "multipart":
        if depth >= MOST_DEPTH:
            raise ParseError("body parts within body parts without end", 413)
        picked = [list(_pick(each, known, budget, depth + 1)) for each in parts_of(part)]
        # RFC 5621 §4.2: a subtype nobody knows is as mixed.
        yield from _choose(picked, subtype)
    elif part.media_type in known and part.readable:
        yield part
    elif part.required:
        # RFC 5621 §8.4. What does not say so itself is passed over: the default would be
        # "required", but gateways leave the word out of things that no phone can read.
        raise ParseError(f"{part.media_type} is not understood", 415)


def _choose(picked: list[list[Part]], subtype: str) -> list[Part]:
    if subtype == "alternative":
        return next((parts for parts in reversed(picked) if parts), [])
    return [part for parts in picked for part in parts]


def _read(text: bytes) -> Part:
    # The line end after the mark is the mark's.
    text = text[2:] if text.startswith(b"\r\n") else text[1:] if text.startswith(b"\n") else text
    end = _HEAD.search(text, 0, _LONGEST_HEAD)
    if end is None:
        if len(text) > _LONGEST_HEAD:
            raise ParseError("headers of a body part without end", 413)
        return Part("text/plain", text)
    head = _FOLD.sub(" ", text[: end.start()].decode("utf-8", "surrogateescape"))
    rows = head.splitlines()
    if len(rows) > _MOST_ROWS:
        raise ParseError("too many headers in a body part", 413)
    headers = Headers()
    for row in rows:
        name, colon, value = row.partition(":")
        if colon:
            headers.add(name.strip(), value.strip())
    found = _part(headers, text[end.end() :])
    # RFC 2046 §5.1: a part without a type is plain text.
    return found or Part("text/plain", text[end.end() :], headers=headers)


def _part(headers: Headers, body: bytes) -> Part | None:
    row = headers.get("Content-Type") or headers.get("c")
    if not row:
        return None
    kind, semicolon, rest = row.partition(";")
    params = parse_params(semicolon + rest)
    texts = {name.lower(): unquote(value or "") for name, value in params}
    return Part(kind.strip().lower(), body, texts, headers)
