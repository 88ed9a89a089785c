"""Cutting a stream at its Content-Lengths (RFC 3261 §18.3, §20.14)."""

import pytest

from firmware.sip.parser import MOST_OCTETS, Ping, Pong, StreamFramer

BYE = b"BYE sip:a@b SIP/2.0\r\nX: y\r\nContent-Length: 4\r\n\r\nbody"
OK = b"SIP/2.0 200 OK\r\nl : 0\r\n\r\n"


def test_messages_come_out_one_by_one():
    framer = StreamFramer()
    assert framer.feed(BYE + OK + BYE) == [BYE, OK, BYE]
    assert (framer.pending, framer.broken) == (0, None)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64])
def test_it_does_not_matter_how_the_octets_arrive(size):
    framer = StreamFramer()
    data = (BYE + OK) * 3
    found = [
        piece for at in range(0, len(data), size) for piece in framer.feed(data[at : at + size])
    ]
    assert found == [BYE, OK] * 3
    assert framer.pending == 0


def test_f21_a_half_message_waits():
    framer = StreamFramer()
    assert framer.feed(BYE[:-1]) == []
    assert framer.pending == len(BYE) - 1
    assert framer.feed(BYE[-1:]) == [BYE]


def test_keep_alives_are_told_from_messages():
    framer = StreamFramer()
    assert framer.feed(b"\r\n\r\n") == [Ping()]
    assert framer.feed(b"\r\n") == [Pong()]
    assert framer.feed(b"\r\n\r\n" + BYE + b"\r\n" + OK) == [Ping(), BYE, Pong(), OK]


def test_a_ping_in_pieces_is_still_a_ping_unless_cut_in_the_middle():
    framer = StreamFramer()
    assert framer.feed(b"\r") == []
    assert framer.feed(b"\n\r") == []
    assert framer.feed(b"\n") == [Ping()]


def test_a_flood_of_line_breaks_is_one_ping():
    framer = StreamFramer()
    assert framer.feed(b"\r\n" * 30_000) == [Ping()]
    assert framer.feed(b"\r\n" * 7 + OK) == [Ping(), OK]
    assert framer.pending == 0


def test_a_folded_length_counts():
    folded = b"BYE sip:a@b SIP/2.0\r\nContent-Length:\r\n  4 \r\n\r\nbody"
    assert StreamFramer().feed(folded + OK) == [folded, OK]


@pytest.mark.parametrize(
    "row", [b"X: y", b"l: -1", b"l: five", b"l:", b"l: 4\r\nl: 5", b"l: 4,4", b"l: 999999999999999"]
)
def test_f21_without_a_length_the_head_is_given_and_the_stream_is_broken(row):
    framer = StreamFramer()
    head = b"BYE sip:a@b SIP/2.0\r\n" + row + b"\r\n\r\n"
    assert framer.feed(head + b"body") == [head]
    assert framer.broken
    assert framer.pending == 0
    assert framer.feed(BYE) == []


def test_the_same_length_twice_is_one_length():
    twice = BYE.replace(b"X: y", b"l: 4")
    assert StreamFramer().feed(twice) == [twice]


def test_a14_a_message_too_long_breaks_the_stream():
    framer = StreamFramer()
    head = b"BYE sip:a@b SIP/2.0\r\nl: 65536\r\n\r\n"
    assert framer.feed(head) == [head]
    assert framer.broken == "message too long"


def test_a14_headers_too_long_break_the_stream():
    framer = StreamFramer()
    assert framer.feed(b"BYE sip:a@b SIP/2.0\r\n" + b"X: y\r\n" * (MOST_OCTETS // 6)) == []
    assert framer.broken == "headers too long"
    assert framer.pending == 0


@pytest.mark.parametrize("data", [b"\x16\x03\x01", b"\0", b"\n", b"\rx", b" x", b"A" * 9000])
def test_f21_noise_breaks_the_stream_at_once(data):
    framer = StreamFramer()
    assert framer.feed(data) == []
    assert framer.broken == "not SIP"


def test_dribbling_costs_no_second_look_at_what_was_seen():
    class Counting(bytearray):
        looked = 0

        def find(self, sub, start=0):
            Counting.looked += len(self) - start
            return super().find(sub, start)

    framer = StreamFramer()
    framer._buffer = Counting()
    data = b"BYE sip:a@b SIP/2.0\r\n" + b"X: y\r\n" * 1000
    for octet in data:
        framer.feed(bytes([octet]))
    assert Counting.looked < 5 * len(data)
