import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.uart.framing import LONGEST, LineReader, Message, checksum, decode, encode
from tests.support.front_panel import load_sketch

DOCUMENT = Path(__file__).parents[4] / "docs/serial-panel.md"
WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=8)
ARGS = st.text([chr(code) for code in range(0x21, 0x7E)], min_size=1, max_size=40)
MESSAGES = st.builds(Message, st.integers(0, 255), WORDS, st.lists(ARGS, max_size=5).map(tuple))


def test_the_checksum_is_the_one_of_the_document():
    assert checksum(b"123456789") == 0x29B1
    assert "`29B1`" in DOCUMENT.read_text(encoding="utf-8")


def test_the_line_in_the_document_is_one():
    (line,) = re.findall(r"^~(.*)⏎$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert decode(line.encode()) == Message(7, "KEY", ("5", "down"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"*",
        b"07 KEY 5 down",
        b"07 KEY 5 down*0000",
        b"07 KEY 5 down*e9e7",
        b"07 KEY 5 down*E9E7*",
        b"07  KEY*0000",
        b"\xff\x00\x80*1234",
    ],
)
def test_what_is_no_line_is_no_message(line):
    assert decode(line) is None


@pytest.mark.parametrize(
    "body", [b"7 KEY", b"07 key", b"07 K", b"07 KEY ", b"07 KEY  a", b"GG KEY"]
)
def test_a_right_sum_under_a_wrong_line_is_no_message(body):
    assert decode(b"%s*%04X" % (body, checksum(body))) is None


def test_a_carriage_return_is_allowed():
    assert LineReader().feed(encode(Message(1, "PING")).replace(b"\n", b"\r\n")) == [
        Message(1, "PING")
    ]


@given(MESSAGES)
def test_what_is_written_is_read(message):
    assert LineReader().feed(encode(message)) == [message]


@given(MESSAGES)
def test_the_reference_firmware_writes_and_reads_the_same_lines(message):
    sketch = SKETCH
    text = " ".join((message.word, *message.args))
    assert sketch.encode(message.seq, text) == encode(message)
    line = encode(message)[1:-1]
    assert sketch.decode(line) == (message.seq, text.split(" "))


SKETCH = load_sketch()


@given(st.binary(max_size=600))
def test_whatever_comes_is_taken(noise):
    reader = LineReader()
    reader.feed(noise)
    assert len(reader) <= LONGEST
    SKETCH.decode(noise)


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=8), MESSAGES)
def test_noise_before_a_line_costs_nothing_but_itself(noise, message):
    reader = LineReader()
    for piece in noise:
        reader.feed(piece)
    assert reader.feed(encode(message)) == [message]
    assert len(reader) == 0


@given(MESSAGES, st.data())
def test_a_line_with_one_wrong_byte_is_never_another_message(message, data):
    line = bytearray(encode(message))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    # A byte may have become the end of a line or the beginning of one; the sum still knows.
    assert all(found == message for found in LineReader().feed(bytes(line)))


@given(st.lists(MESSAGES, max_size=6), st.integers(1, 7))
def test_lines_may_come_in_pieces(messages, size):
    reader = LineReader()
    stream = b"".join(map(encode, messages))
    found = []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert (found, reader.bad, len(reader)) == (messages, 0, 0)


def test_a_line_without_end_keeps_no_memory():
    reader = LineReader()
    reader.feed(b"~")
    for _ in range(10_000):
        reader.feed(b"x" * 100)
    assert (len(reader), reader.bad) == (0, 1)
    assert reader.feed(encode(Message(1, "PING"))) == [Message(1, "PING")]


def test_a_line_may_be_as_long_as_it_is_written_and_no_longer():
    for more, bad in ((0, 0), (1, 1)):
        reader = LineReader()
        text = "x" * (LONGEST - len("00 TEXT *0000") + more)
        found = reader.feed(encode(Message(0, "TEXT", (text,))))
        assert (len(found), reader.bad) == (1 - bad, bad)


def test_a_line_that_another_one_cuts_off_is_counted():
    reader = LineReader()
    assert reader.feed(b"~07 KEY 5" + encode(Message(1, "PING"))) == [Message(1, "PING")]
    assert reader.bad == 1
