"""P3: no message is expensive, however it was made.

Each hostile shape is read at one size and at four times that size. Linear work takes four times as
long, quadratic work sixteen times; the line is drawn in between and CPU time is measured, so that
a busy machine does not matter.
"""

import contextlib
import time
from itertools import product

import pytest

from firmware.sip.auth.digest import parse_challenges
from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_name_addr, parse_via, split_list
from firmware.sip.parser import StreamFramer, parse, validate
from firmware.sip.uri import parse_uri
from firmware.sip.writer import write

SMALL = 15_000
START = (
    b"INVITE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\n"
    b"CSeq: 1 INVITE\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\n"
)
NAMES = [b"Via", b"Contact", b"Record-Route", b"WWW-Authenticate"]
PIECES = [
    b",",
    b";",
    b'"',
    b'"\\',
    b'a="\\',
    b"<",
    b"<>",
    b"<>,",
    b" \t",
    b"%41",
    b"\\\0",
    b"\\",
    b"[",
    b":",
    b"=",
    b"a=b,",
    b";a",
    b"<sip:a@b>,",
    b"SIP/2.0/UDP a,",
    b"Digest a=b,",
    b"\r\n ",
    b" " * 3000 + b"x\r\n ",
    b"\xff",
]


def rows_of(name: bytes, piece: bytes, size: int) -> bytes:
    if b"\r" in piece:
        return START + name + b": " + piece * (size // len(piece)) + b"\r\n\r\n"
    row = name + b": " + (piece * 8000)[:7500] + b"\r\n"
    return START + row * (size // len(row)) + b"\r\n"


def short_rows(size: int) -> bytes:
    return START + b"a:\r\n" * (size // 4) + b"\r\n"


def handle(data: bytes) -> None:
    try:
        message = parse(data)
    except ParseError:
        return
    if validate(message) is None:
        write(message)
    parse_challenges(message.headers.all("WWW-Authenticate"))


def dribble(data: bytes) -> None:
    framer = StreamFramer()
    for at in range(0, len(data), 100):
        framer.feed(data[at : at + 100])


def seconds(work, data) -> float:
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        with contextlib.suppress(ParseError):
            work(data)
        best = min(best, time.process_time() - begin)
    return best


def stays_linear(work, small, large) -> None:
    # Half a millisecond is forgiven: below it the clock says little.
    assert seconds(work, large) < 10 * seconds(work, small) + 0.0005


@pytest.mark.parametrize(("name", "piece"), list(product(NAMES, PIECES)))
def test_p03_hostile_headers_cost_no_more_than_their_length(name, piece):
    small, large = (rows_of(name, piece, size) for size in (SMALL, 4 * SMALL))
    stays_linear(handle, small, large)
    assert seconds(handle, large) < 0.05


def test_p03_ten_thousand_headers_cost_no_more_than_their_length():
    stays_linear(handle, short_rows(SMALL), short_rows(4 * SMALL))


def test_p03_blanks_that_might_have_been_a_fold_cost_no_more_than_their_length():
    small, large = (
        START + b"X: a\r\n b\r\nY: " + b" " * size + b"c\r\n\r\n" for size in (SMALL, 4 * SMALL)
    )
    stays_linear(handle, small, large)


@pytest.mark.parametrize("piece", [b"\r\n", b"A", b"A\r\n", b"\r\n ", b"l: 0\r\n", b"a:\r\n"])
def test_p03_a_dribbling_stream_costs_no_more_than_its_length(piece):
    small, large = (START + piece * (size // len(piece)) for size in (SMALL, 4 * SMALL))
    stays_linear(dribble, small, large)


@pytest.mark.parametrize(
    ("reader", "piece"), list(product([parse_uri, parse_name_addr, parse_via, split_list], PIECES))
)
def test_p03_no_reader_is_slow_on_a_long_value(reader, piece):
    text = piece.decode("utf-8", "surrogateescape")
    for prefix in ("", '"', "<sip:a", "sip:a", "SIP/2.0/UDP a;x"):
        small, large = (prefix + text * (size // len(text)) for size in (SMALL, 4 * SMALL))
        stays_linear(reader, small, large)
