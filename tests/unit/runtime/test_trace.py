import pytest

from firmware.runtime.trace import Trace, ladder
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


def test_a_ladder_shows_who_said_what_and_when(trace):
    trace.note(SENT, INVITE, FLOW, 10.0)
    trace.note(RECEIVED, message("SIP/2.0 180 Ringing"), FLOW, 10.25)
    trace.note(RECEIVED, message("SIP/2.0 200 OK"), FLOW, 12.0)
    trace.note(SENT, message("ACK sip:204@pbx SIP/2.0", cseq="1 ACK"), FLOW, 12.001)
    rows = ladder(trace.messages("abc@pbx")).splitlines()
    assert len(rows) == 5
    assert rows[1].split() == ["0.000s", f"|--{'INVITE':-<24}->|", "192.0.2.9:5070", "UDP"]
    assert "0.250s" in rows[2]
    assert "|<-180 Ringing (INVITE)" in rows[2]
    assert rows[4].strip().startswith("2.001s  |--ACK")


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


def test_a24_neither_bodies_nor_credentials_are_shown(trace):
    trace.note(SENT, INVITE, FLOW, 0.0)
    shown = ladder(trace.messages()) + repr(trace.messages())
    assert "secret words" not in shown
    assert "0123" not in shown


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00\x1b[2J garbage", b"x" * 65_000, b"\r\n\r\n\r\n\r\nfoo"]
)
def test_garbage_is_shown_harmlessly(trace, data):
    trace.note(RECEIVED, data, FLOW, 0.0)
    shown = ladder(trace.messages())
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


def test_a_week_of_messages_keeps_the_last_few_hundred(trace):
    for number in range(10_000):
        trace.note(SENT, INVITE + b"x" * 5000, FLOW, float(number))
    assert len(trace) == 400
    assert trace.messages()[0].at == 9600.0
