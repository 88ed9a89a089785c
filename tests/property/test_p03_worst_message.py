"""P3: the dearest message that can be made is read, judged and answered within 5 ms.

Hypothesis builds messages out of the pieces that readers have to look at twice (quotes, commas,
escapes, folds, brackets) and is told to look for the dearest one. CPU time is measured, the best
of three; on a machine slower than the one the promise is about, the limit grows with it.
"""

import time

import pytest
from hypothesis import example, given, settings, target
from hypothesis import strategies as st

from firmware.sip.flow import Endpoint, Flow, Transport
from tests.support.sip_link import Desk, World

PROMISED = 0.005
HERE = Endpoint("192.0.2.1", 5060)
SERVER = Endpoint("192.0.2.9", 5060)
FLOW = Flow(Transport.UDP, HERE, SERVER)
LOOPS = 40_000
LOOPS_SECONDS = 0.0015
"""What counting so far takes on the machine of the promise."""

methods = st.sampled_from(["INVITE", "OPTIONS", "BYE", "NOTIFY", "REFER", "ACK", "CANCEL", "FOO"])
names = st.sampled_from(
    [
        *("Via", "Contact", "Route", "Record-Route", "To", "Supported", "Require", "X"),
        *("Authorization", "Proxy-Authorization", "Reason", "Call-Info", "Alert-Info", "Accept"),
        *("Content-Type", "Replaces", "Refer-To", "Event", "P-Asserted-Identity", "v", "m"),
    ]
)
pieces = st.sampled_from(
    [
        *(",", ";", '"', '"\\', "\\", "<", "<>,", " ", "\t", "%41", "\\\0", "[", ":", "=", "?&"),
        *("a=b,", ";a", ';a="b"', "<sip:a@b>,", "<sip:a%41@b;c=d?e=f>,", '"a"<sip:[::1]>,'),
        *("<sip:" + "%41" * 40 + "@b>,", "SIP/2.0/UDP a,", "SIP/2.0/UDP a;branch=z9hG4bKy,"),
        *("SIP/2.0/UDP [1::2]:5060;rport;received=[1::2];branch=z9hG4bKy,", 'Digest a="b",'),
        *("\r\n ", "\r\n \t a", " " * 3000 + "x\r\n ", "\udcff", "é", "a" * 60 + ",", "x"),
    ]
)
heads = st.sampled_from(["", '"', "<", "<sip:a@b>;x", "Digest ", "SIP/2.0/UDP a;x", "sip:a@b"])
hostile = st.tuples(names, heads, pieces, st.integers(1, 8200), st.integers(1, 256))


def message(method: str, rows: list[tuple[str, str, str, int, int]], blanks: int) -> bytes:
    """A message of at most one datagram in which some rows are hostile and the others right."""
    head = (
        f"{method} sip:101@192.0.2.1 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nFrom: <sip:9@b>;tag=1\r\n"
        f"To: <sip:101@b>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContact: <sip:9@192.0.2.9>\r\n"
    )
    for name, begin, piece, length, times in rows:
        value = (begin + piece * (length // len(piece) + 1)).strip(",")
        row = f"{name}: {value}\r\n"
        room = max(0, 65_000 - len(head) - blanks)
        head += row * min(times, room // len(row))
    return head.encode("utf-8", "surrogateescape") + b" " * blanks + b"\r\n\r\n"


def phone() -> Desk:
    """A desk that trusts the sender: a stranger's message is not even read."""
    desk = Desk(World(), HERE.host)
    desk.line(SERVER.host, register=False)
    return desk


def seconds(data: bytes) -> float:
    best = float("inf")
    for _ in range(3):
        desk = phone()
        begin = time.process_time()
        desk.agent.receive(data, FLOW, 1000.0)
        desk.agent.take_effects()
        best = min(best, time.process_time() - begin)
    return best


@pytest.fixture(scope="module")
def limit() -> float:
    def count() -> float:
        begin, number = time.process_time(), 0
        while number < LOOPS:
            number += 1
        return time.process_time() - begin

    slower = min(count() for _ in range(5)) / LOOPS_SECONDS
    return PROMISED * max(1.0, slower)


def test_the_sender_of_the_messages_below_is_trusted():
    desk = phone()
    desk.agent.receive(message("OPTIONS", [], 0), FLOW, 1000.0)
    assert b"SIP/2.0 200" in b"".join(each.data for each in desk.agent.take_effects())


@settings(max_examples=250)
@given(methods, st.lists(hostile, min_size=1, max_size=3), st.sampled_from([0, 0, 0, 30_000]))
@example("INVITE", [("X", "", "\r\n ", 60_000, 1)], 0)
@example("INVITE", [("X", "", "\\\0", 8100, 256)], 0)
@example("OPTIONS", [("Contact", "", "<sip:" + "%41" * 40 + "@b>,", 8100, 1)], 0)
@example("OPTIONS", [("Route", "", "<sip:a%41@b;c=d?e=f>,", 2600, 1)], 0)
@example("BYE", [("Record-Route", "<sip:a@b>;x", ';a="b"', 8100, 8)], 0)
@example("INVITE", [("Via", "", "SIP/2.0/UDP [1::2]:5060;branch=z9hG4bKy,", 2700, 1)], 0)
def test_p03_the_dearest_message_costs_less_than_five_milliseconds(limit, method, rows, blanks):
    spent = seconds(message(method, rows, blanks))
    target(spent * 1000, label="milliseconds")
    assert spent < limit
