import pytest

from firmware.runtime.trace import Trace
from firmware.sip.flow import Endpoint, Flow, Transport

FLOW = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5070))
SENT, RECEIVED = True, False


def message(first, call_id="abc@pbx", cseq="1 INVITE", body="secret words", name="Call-ID"):
    return (
        f"{first}\r\n{name}: {call_id}\r\nCSeq: {cseq}\r\n"
        f'Authorization: Digest response="0123"\r\n\r\n{body}'
    ).encode()


INVITE = message("INVITE sip:204@pbx SIP/2.0")


@pytest.fixture
def trace():
    return Trace()


def test_calls_are_told_apart_and_the_newest_is_known(trace):
    for number, call in enumerate(("one", "two", "one")):
        trace.note(SENT, message("INVITE sip:a SIP/2.0", call), FLOW, float(number))
    trace.note(SENT, message("REGISTER sip:pbx SIP/2.0", "reg", "7 REGISTER"), FLOW, 4.0)
    assert trace.last_call_id() == "one"
    assert [seen.at for seen in trace.messages("one")] == [0.0, 2.0]
    assert len(trace.messages()) == 4


def test_compact_headers_are_read_too(trace):
    trace.note(RECEIVED, message("BYE sip:a SIP/2.0", cseq="2 BYE", name="i"), FLOW, 0.0)
    assert trace.messages()[0].call_id == "abc@pbx"


def test_keep_alives_are_left_out(trace):
    for data in (b"\r\n\r\n", b"\r\n", b""):
        trace.note(SENT, data, FLOW, 0.0)
    assert len(trace) == 0
    assert trace.last_call_id() == ""


def test_what_is_longer_than_is_kept_says_so(trace):
    trace.note(SENT, INVITE, FLOW, 0.0)
    trace.note(SENT, INVITE + b"x" * 5000, FLOW, 0.0)
    assert [seen.cut for seen in trace.messages()] == [False, True]


def test_the_last_registration_of_a_line_is_found(trace):
    def register(user, call_id):
        first = f"REGISTER sip:pbx.example SIP/2.0\r\nTo: <sip:{user}@pbx.example>"
        trace.note(SENT, message(first, call_id, "1 REGISTER"), FLOW, 0.0)

    register("101", "one")
    register("102", "two")
    register("101", "three")
    assert trace.last_registration("101", "pbx.example") == "three"
    assert trace.last_registration("102", "PBX.example:5070") == "two"
    assert trace.last_registration("103", "pbx.example") == ""


def test_repr_shows_neither_bodies_nor_credentials(trace):
    trace.note(SENT, INVITE, FLOW, 0.0)
    assert "secret words" not in repr(trace.messages())
    assert "0123" not in repr(trace.messages())


def test_a_call_of_a_week_keeps_its_beginning_and_its_end(trace):
    for number in range(10_000):
        trace.note(SENT, INVITE + b"x" * 5000, FLOW, float(number))
    assert len(trace) == 120
    moments = [seen.at for seen in trace.messages("abc@pbx")]
    assert moments == [*map(float, range(40)), *map(float, range(9920, 10_000))]
    assert trace.lost("abc@pbx") == 9880
    assert trace.gap("abc@pbx") == 40


def test_the_last_fifty_calls_are_whole_whatever_else_is_said(trace):
    for number in range(60):
        for first in ("INVITE sip:a SIP/2.0", "SIP/2.0 200 OK", "ACK sip:a SIP/2.0"):
            trace.note(SENT, message(first, f"call-{number}"), FLOW, float(number))
    for _ in range(10_000):
        trace.note(SENT, message("REGISTER sip:pbx SIP/2.0", "reg", "7 REGISTER"), FLOW, 99.0)
    assert [len(trace.messages(f"call-{number}")) for number in range(60)] == [0] * 10 + [3] * 50
    assert len(trace) == 150 + 150


def test_many_long_calls_do_not_fill_the_memory(trace):
    for number in range(50):
        for _ in range(100):
            trace.note(
                SENT, message("INVITE sip:a SIP/2.0", f"{number}", body="x" * 5000), FLOW, 0.0
            )
    kept = sum(len(seen.data) + 400 for seen in trace.messages())
    assert 500_000 < kept <= 1_000_000
    assert trace._octets == kept
    assert len(trace.messages("49")) == 100


def test_that_messages_are_gone_is_remembered_of_the_last_hundred_dialogs(trace):
    for number in range(1000):
        text = message("BYE sip:a SIP/2.0", f"call-{number}", "1 BYE")
        trace.note(SENT, text, FLOW, float(number))
    assert len(trace._lost) == 100
    assert (trace.lost("call-849"), trace.lost("call-850"), trace.lost("call-1")) == (1, 0, 0)
