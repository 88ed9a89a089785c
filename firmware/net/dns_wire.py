"""A question to a name server and what it answers, as octets (RFC 1035 §4). Pure.

It knows the records that lead to a SIP server and no others; a row of an answer is written as zone
files write it. Not here: sockets (`dns_client`), and what to ask (`firmware.sip.route.target`).
"""

import re
import socket
import struct
from collections.abc import Callable
from typing import Final

from msgspec import Struct

KINDS: Final = {"A": 1, "CNAME": 5, "AAAA": 28, "SRV": 33, "NAPTR": 35}
"""RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 2782, RFC 3403 §4."""
NO_ERROR, NO_SUCH_NAME = 0, 3

_INTERNET = 1
_HEAD = struct.Struct("!6H")
_RECORD = struct.Struct("!HHIH")
_IS_ANSWER, _OPCODE, _TRUNCATED, _RECURSE, _CODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x000F
_LABEL = re.compile(rb"[A-Za-z0-9_-]{1,63}")
_LONGEST_NAME = 255
_POINTER = 0xC0
_MOST_RECORDS = 256
"""What a domain may tell us at once; the rest of a longer answer is not read."""
_MOST_ALIASES = 16
_LARGEST_TTL = 1 << 31


class WireError(ValueError):
    """These octets are no answer, or this name cannot be asked for."""


class Answer(Struct, frozen=True):
    """What a server said: rows of the kind that was asked for, and for how many seconds.

    `code` is the RCODE; `truncated` means that the rest is to be had by TCP.
    """

    code: int
    truncated: bool
    rows: tuple[str, ...] = ()
    ttl: float = 0.0


def question(number: int, name: str, kind: str) -> bytes:
    """A query for one kind of record, to be answered with this number.

    Raises:
        WireError: there can be no such name.
    """
    labels = [label.encode("ascii", "replace") for label in name.rstrip(".").split(".")]
    if not all(map(_LABEL.fullmatch, labels)) or sum(map(len, labels)) + len(labels) >= 255:
        raise WireError(f"{name} is no name")
    packed = b"".join(bytes((len(label),)) + label for label in labels)
    head = _HEAD.pack(number, _RECURSE, 1, 0, 0, 0)
    return head + packed + b"\0" + struct.pack("!HH", KINDS[kind], _INTERNET)


def answer_to(query: bytes, data: bytes) -> Answer | None:
    """What `data` says to this query; None if it is no answer to it.

    Raises:
        WireError: it is one, and is damaged.
    """
    if len(data) < _HEAD.size or data[:2] != query[:2]:
        return None
    _, flags, questions, answers, *_ = _HEAD.unpack_from(data)
    code, asked = flags & _CODE, query[_HEAD.size :]
    if not flags & _IS_ANSWER or flags & _OPCODE:
        return None
    if questions == 0 and code not in (NO_ERROR, NO_SUCH_NAME):
        return Answer(code, truncated=False)
    end = _HEAD.size + len(asked)
    # Names are alike whatever their case (RFC 4343 §3); lengths and numbers have none.
    if questions != 1 or data[_HEAD.size : end].lower() != asked.lower():
        return None
    if flags & _TRUNCATED or code != NO_ERROR:
        return Answer(code, truncated=bool(flags & _TRUNCATED))
    return _read(data, end, min(answers, _MOST_RECORDS))


Found = dict[tuple[str, int], list[tuple[int, str]]]


def _read(data: bytes, at: int, count: int) -> Answer:
    name, start = _name(data, _HEAD.size)
    (kind,) = struct.unpack_from("!H", data, start)
    found: Found = {}
    for _ in range(count):
        at = _record(data, at, found)
    shortest = _LARGEST_TTL
    for _ in range(_MOST_ALIASES):
        rows = found.get((name.lower(), kind))
        alias = found.get((name.lower(), KINDS["CNAME"]))
        if rows is None and alias is not None:  # RFC 1034 §3.6.2
            ttl, name = alias[0]
            shortest = min(shortest, ttl)
            continue
        shortest = min([shortest, *(ttl for ttl, _ in rows or ())])
        return Answer(NO_ERROR, truncated=False, rows=_texts(rows), ttl=float(shortest))
    raise WireError("names lead to names without end")


def _texts(rows: list[tuple[int, str]] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for _, text in rows or ()))


def _record(data: bytes, at: int, found: Found) -> int:
    """Note one record; returns where the next begins."""
    name, at = _name(data, at)
    size: int
    try:
        kind, family, ttl, size = _RECORD.unpack_from(data, at)
    except struct.error as error:
        raise WireError("a record ends before its head does") from error
    at += _RECORD.size
    if at + size > len(data):
        raise WireError("a record is longer than the answer")
    reader = _READERS.get(kind)
    if reader is not None and family == _INTERNET:
        try:
            row = reader(data, at, at + size)
        except (struct.error, IndexError, ValueError):
            row = ""  # one record that makes no sense; there may be others
        if row:
            # RFC 2181 §8: a negative one is none.
            found.setdefault((name.lower(), kind), []).append(
                (ttl if ttl < _LARGEST_TTL else 0, row)
            )
    return at + size


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The name at a place, with its dot at the end, and what comes behind it."""
    labels: list[str] = []
    behind, lowest, length = 0, at, 0
    while (size := _octet(data, at)) != 0:
        if size >= _POINTER:
            # RFC 1035 §4.1.4: to an earlier place; only backwards there is no loop.
            place = (size & ~_POINTER) << 8 | _octet(data, at + 1)
            behind = behind or at + 2
            if place >= lowest:
                raise WireError("a name refers to itself")
            at = lowest = place
            continue
        length += size + 1
        if size > 63 or length >= _LONGEST_NAME or at + size >= len(data):
            raise WireError("a name is too long")
        labels.append(data[at + 1 : at + 1 + size].decode("latin-1"))
        at += size + 1
    return ".".join(labels) + ".", behind or at + 1


def _octet(data: bytes, at: int) -> int:
    if at >= len(data):
        raise WireError("a name ends before its end")
    return data[at]


def _host(data: bytes, at: int) -> str:
    """The name at a place if a host or service can have it.

    Raises:
        ValueError: it has letters that no host has.
    """
    name, _ = _name(data, at)
    labels = name.rstrip(".").encode("latin-1").split(b".")
    if name != "." and not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(name)
    return name


def _a(data: bytes, at: int, end: int) -> str:
    return socket.inet_ntop(socket.AF_INET, data[at:end])


def _aaaa(data: bytes, at: int, end: int) -> str:
    return socket.inet_ntop(socket.AF_INET6, data[at:end])


def _cname(data: bytes, at: int, _end: int) -> str:
    return _host(data, at)


def _srv(data: bytes, at: int, _end: int) -> str:
    """RFC 2782: priority, weight, port, target."""
    numbers = struct.unpack_from("!3H", data, at)
    return " ".join([*map(str, numbers), _host(data, at + 6)])


def _naptr(data: bytes, at: int, end: int) -> str:
    """RFC 3403 §4.1: order, preference, three texts, replacement."""
    numbers = struct.unpack_from("!2H", data, at)
    at += 4
    texts = []
    for _ in range(3):
        size = data[at]
        texts.append(_quoted(data[at + 1 : min(at + 1 + size, end)]))
        at += 1 + size
    return " ".join([*map(str, numbers), *texts, _host(data, at)])


def _quoted(text: bytes) -> str:
    """A text as zone files write it (RFC 1035 §5.1)."""
    marks = (f"\\{chr(octet)}" if octet in b'"\\' else _plain(octet) for octet in text)
    return f'"{"".join(marks)}"'


def _plain(octet: int) -> str:
    return chr(octet) if 32 <= octet < 127 else f"\\{octet:03d}"


_READERS: Final[dict[int, Callable[[bytes, int, int], str]]] = {
    KINDS["A"]: _a,
    KINDS["AAAA"]: _aaaa,
    KINDS["CNAME"]: _cname,
    KINDS["SRV"]: _srv,
    KINDS["NAPTR"]: _naptr,
}
