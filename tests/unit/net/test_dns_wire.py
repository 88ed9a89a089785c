"""Questions and answers as octets, judged by another library: dnspython."""

import contextlib
import struct
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.net.dns_wire import KINDS, NO_SUCH_NAME, Answer, WireError, answer_to, question

ROWS = {
    "A": ["192.0.2.1", "198.51.100.255"],
    "AAAA": ["2001:db8::1", "::", "fe80::5054:ff:fe12:3456"],
    "SRV": ["10 0 5060 sip1.example.com.", "65535 1 1 a.b.c.pbx.example.", "0 0 0 ."],
    "NAPTR": [
        '50 60 "s" "SIPS+D2T" "" _sips._tcp.pbx.example.',
        r'10 10 "u" "E2U+sip" "!^.*$!sip:\\1@pbx.example!" .',
        r'1 2 "" "a\"b\007" "" x.',
    ],
}


def answered(query, *rrsets, **more):
    """An answer as a name server would write it, names compressed."""
    reply = dns.message.make_response(dns.message.from_wire(query))
    for name, ttl, kind, rows in rrsets:
        reply.answer.append(dns.rrset.from_text_list(name, ttl, "IN", kind, rows))
    if "code" in more:
        reply.set_rcode(dns.rcode.from_text(more["code"]))
    return bytearray(reply.to_wire())


@pytest.mark.parametrize("kind", ROWS)
def test_a_question_is_read_by_others_as_it_is_meant(kind):
    """RFC 1035 §4.1.1 and §4.1.2, RFC 3596 §2.1."""
    read = dns.message.from_wire(question(4711, "_sip._udp.pbx.example", kind))
    assert read.id == 4711
    assert read.flags == dns.flags.RD
    assert str(read.question[0]) == f"_sip._udp.pbx.example. IN {kind}"


@pytest.mark.parametrize("kind", ROWS)
def test_rows_are_read_as_others_write_them(kind):
    """RFC 2782, RFC 3403 §4.1, RFC 1035 §5.1."""
    query = question(1, "pbx.example", kind)
    rrset = dns.rrset.from_text_list("pbx.example.", 60, "IN", kind, ROWS[kind])
    read = answer_to(query, answered(query, ("pbx.example.", 60, kind, ROWS[kind])))
    assert set(read.rows) == {row.to_text() for row in rrset}
    assert (read.code, read.truncated, read.ttl) == (0, False, 60.0)


def test_an_alias_leads_to_the_rows_and_the_shortest_life_counts():
    """RFC 1034 §3.6.2."""
    query = question(1, "PBX.example", "A")
    chain = (
        ("two.example.", 40, "A", ["192.0.2.7"]),
        ("pbx.EXAMPLE.", 300, "CNAME", ["one.example."]),
        ("one.example.", 20, "CNAME", ["Two.example."]),
        ("other.example.", 5, "A", ["192.0.2.66"]),
    )
    assert answer_to(query, answered(query, *chain)) == Answer(
        0, truncated=False, rows=("192.0.2.7",), ttl=20.0
    )


def test_names_that_lead_in_a_circle_are_no_answer():
    query = question(1, "a.example", "A")
    circle = (
        ("a.example.", 60, "CNAME", ["b.example."]),
        ("b.example.", 60, "CNAME", ["a.example."]),
    )
    with pytest.raises(WireError, match="without end"):
        answer_to(query, answered(query, *circle))


def test_no_such_name_and_an_empty_answer_differ():
    query = question(1, "pbx.example", "A")
    assert answer_to(query, answered(query)).rows == ()
    assert answer_to(query, answered(query, code="NXDOMAIN")).code == NO_SUCH_NAME


def test_an_error_need_not_say_which_question_it_means():
    query = question(1, "pbx.example", "A")
    said = struct.pack("!6H", 1, 0x8005, 0, 0, 0, 0)
    assert answer_to(query, said) == Answer(5, truncated=False)
    assert answer_to(query, struct.pack("!6H", 1, 0x8000, 0, 0, 0, 0)) is None


def test_a_long_answer_says_that_there_is_more():
    query = question(1, "pbx.example", "A")
    said = answered(query)
    said[2] |= 0x02
    assert answer_to(query, said).truncated


@pytest.mark.parametrize(
    "forge",
    [
        lambda said: said.__setitem__(1, 2),
        lambda said: said.__setitem__(2, 0x01),
        lambda said: said.__setitem__(2, 0x91),
        lambda said: said.__setitem__(5, 2),
        lambda said: said.__setitem__(13, ord("q")),
        lambda said: said.__setitem__(12 + 13 + 1, 28),
        lambda said: said.__delitem__(slice(11, None)),
    ],
    ids=["number", "a question", "opcode", "two questions", "name", "kind", "short"],
)
def test_a22_an_answer_to_something_else_is_none(forge):
    """RFC 5452 §9: number and question must be those that were asked."""
    query = question(1, "pbx.example", "A")
    said = answered(query, ("pbx.example.", 60, "A", ["192.0.2.66"]))
    assert answer_to(query, said).rows
    forge(said)
    assert answer_to(query, said) is None


def test_the_case_of_a_name_does_not_matter():
    """RFC 4343 §3."""
    query = question(1, "PBX.Example", "A")
    said = answered(query, ("pbx.example.", 60, "A", ["192.0.2.1"]))
    said[12:25] = said[12:25].lower()
    assert answer_to(query, said).rows == ("192.0.2.1",)


@pytest.mark.parametrize(
    "rest",
    [
        b"\xc0\x1d",
        b"\xc0\xff",
        b"\x3fa",
        b"\x40a",
        b"",
        b"\0\0\1",
        b"\0\0\1\0\1\0\0\0\0\0\5abcd",
        b"\x3f" + bytes(63) + (b"\x3f" + bytes(63)) * 4 + b"\0",
    ],
    ids=["itself", "forward", "cut", "reserved", "nothing", "head", "body", "long"],
)
def test_p01_a_damaged_record_is_said_to_be_one(rest):
    """RFC 1035 §4.1.4: a name refers only to what stands before it."""
    query = question(1, "pbx.example", "A")
    said = answered(query) + rest
    said[7] = 1
    with pytest.raises(WireError):
        answer_to(query, said)


def test_a_record_that_makes_no_sense_leaves_the_others():
    query = question(1, "pbx.example", "SRV")
    said = answered(query, ("pbx.example.", 60, "SRV", ["1 1 5060 good.example.", "1 1 1 b.a."]))
    bad = said.index(b"\1b\1a\0")
    said[bad + 1] = ord(" ")
    assert answer_to(query, said).rows == ("1 1 5060 good.example.",)


def test_a_life_that_is_negative_is_none():
    """RFC 2181 §8."""
    query = question(1, "pbx.example", "A")
    said = answered(query, ("pbx.example.", 60, "A", ["192.0.2.1"]))
    said[-10:-6] = b"\x80\0\0\1"
    assert answer_to(query, said).ttl == 0.0


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", "l" * 64, "a b", "ä", ".".join(["abcdefg"] * 32)]
)
def test_a_name_that_cannot_be_is_not_asked_for(name):
    with pytest.raises(WireError):
        question(1, name, "A")


def test_the_longest_name_can_be_asked_for():
    name = ".".join(["abcdefg"] * 31 + ["abcd"])
    assert (
        dns.message.from_wire(question(1, name, "A")).question[0].name.to_text(omit_final_dot=True)
        == name
    )


@given(data=st.binary(max_size=200), kind=st.sampled_from(sorted(KINDS)), count=st.integers(0, 9))
def test_p01_no_octets_raise_anything_else(data, kind, count):
    query = question(1, "pbx.example", kind)
    said = query[:2] + struct.pack("!5H", 0x8180, 1, count, 0, 0) + query[12:] + data
    with contextlib.suppress(WireError):
        answer_to(query, said)


def test_p02_an_answer_made_to_cost_time_costs_little():
    """RFC 1035 §4.1.4: each name goes on in the one before it, as long as a name may be."""
    query = question(1, "pbx.example", "A")
    said = bytearray(query[:2] + struct.pack("!5H", 0x8180, 1, 0xFFFF, 0, 0) + query[12:])
    earlier = 12
    while len(said) < 65000:
        name = b"\1a" + struct.pack("!H", 0xC000 | earlier)
        earlier = len(said) if len(said) < 110 * 18 else earlier
        said += name + b"\0\1\0\1\0\0\0\0\0\4" + bytes(4)
    began = time.process_time()
    assert answer_to(query, bytes(said)).rows == ()
    assert time.process_time() - began < 0.2
