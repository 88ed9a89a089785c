"""Our requests: repeated, acknowledged, given up (RFC 3261 §17.1)."""

import pytest

from firmware.sip.transaction.client import ClientTransaction, ack_for, cancel_for
from firmware.sip.transaction.tables import (
    INVITE_CLIENT,
    NON_INVITE_CLIENT,
    TIMER_EVENT,
    Event,
    State,
)
from firmware.sip.transaction.timing import Timer


@pytest.fixture
def begin(recorder, telephony):
    def start(method="INVITE", flow=None):
        request = telephony.request(method)
        transaction = ClientTransaction(
            recorder, ("z9hG4bKone", method), request, flow or telephony.udp, recorder
        )
        transaction.start(0.0)
        return transaction

    return start


def test_an_invite_that_nobody_answers_is_sent_seven_times_in_32_seconds(begin, recorder):
    transaction = begin()
    sent_at, now = [0.0], 0.0
    while transaction.state is State.CALLING:
        timer, now = min(recorder.armed.items(), key=lambda item: item[1])
        del recorder.armed[timer]
        recorder.take()
        transaction.on_alarm(timer, now)
        if "send INVITE sip:600@pbx.example" in recorder.done:
            sent_at.append(now)
    assert sent_at == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert now == 32
    assert recorder.take() == ["told no answer", "gone"]


def test_a_register_that_nobody_answers_is_sent_eleven_times(begin, recorder):
    transaction = begin("REGISTER")
    sent, now = 1, 0.0
    while transaction.state is State.TRYING:
        timer, now = min(recorder.armed.items(), key=lambda item: item[1])
        del recorder.armed[timer]
        recorder.take()
        transaction.on_alarm(timer, now)
        sent += recorder.done.count("send REGISTER sip:600@pbx.example")
    assert (sent, now) == (11, 32)


def test_nothing_is_repeated_on_a_stream(begin, recorder, telephony):
    """RFC 3261 §17.1.1.1: a reliable transport."""
    begin(flow=telephony.tcp)
    assert recorder.take() == ["send INVITE sip:600@pbx.example", "B 32"]


def test_busy_is_acknowledged_each_time_it_is_heard_but_told_once(begin, recorder, telephony):
    transaction = begin()
    recorder.take()
    transaction.receive(telephony.response(486), 1.0)
    assert recorder.take() == [
        "stop A",
        "stop B",
        "send ACK sip:600@pbx.example",
        "D 33",
        "told 486",
    ]
    transaction.receive(telephony.response(486), 2.0)
    assert recorder.take() == ["send ACK sip:600@pbx.example"]
    transaction.on_alarm(Timer.D, 33.0)
    assert recorder.take() == ["gone"]


def test_every_2xx_of_a_fork_is_told(begin, recorder, telephony):
    transaction = begin()
    transaction.receive(telephony.response(180), 1.0)
    transaction.receive(telephony.response(200), 2.0)
    recorder.take()
    transaction.receive(telephony.response(200), 3.0)
    assert recorder.take() == ["told 200"]


def test_after_a_provisional_answer_a_register_is_repeated_every_four_seconds(
    begin, recorder, telephony
):
    transaction = begin("REGISTER")
    transaction.receive(telephony.response(100, "REGISTER"), 0.1)
    recorder.take()
    transaction.on_alarm(Timer.E, 0.5)
    assert recorder.take() == ["send REGISTER sip:600@pbx.example", "E 4.5"]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_any_event_in_any_state_does_what_the_table_says_and_raises_nothing(
    begin, recorder, telephony, method, state, event
):
    transaction = begin(method)
    transaction.state = state
    transaction._interval = dict.fromkeys(Timer, 0.5)
    recorder.take()
    status = {Event.PROVISIONAL: 180, Event.SUCCESS: 200}.get(event, 500)
    transaction.handle(event, 1.0, telephony.response(status, method))
    table = INVITE_CLIENT if method == "INVITE" else NON_INVITE_CLIENT
    row = table.get((state, event))
    if row is None:
        assert recorder.take() == [f"ignored {event.value}"]
        assert transaction.state is state
    else:
        assert transaction.state is row.next
        assert ("gone" in recorder.take()) == (row.next is State.TERMINATED)


def test_the_ack_to_a_failure_belongs_to_the_invite(telephony):
    ack = ack_for(telephony.request(), telephony.response(486))
    assert (ack.method, ack.uri) == ("ACK", "sip:600@pbx.example")
    assert list(ack.headers) == [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKone"),
        ("Max-Forwards", "70"),
        ("Route", "<sip:proxy.example;lr>"),
        ("From", "<sip:101@pbx.example>;tag=ours"),
        ("To", "<sip:600@pbx.example>;tag=theirs"),
        ("Call-ID", "call"),
        ("CSeq", "1 ACK"),
    ]


def test_a_cancel_is_a_twin_of_its_invite_without_body(telephony):
    invite = telephony.request()
    invite.body = b"v=0"
    cancel = cancel_for(invite)
    assert cancel.headers.get("CSeq") == "1 CANCEL"
    assert cancel.headers.get("To") == invite.headers.get("To")
    assert cancel.headers.get("Via") == invite.headers.get("Via")
    assert (cancel.uri, cancel.body) == (invite.uri, b"")


def test_timer_events_are_complete():
    assert {TIMER_EVENT[timer].value for timer in Timer} == {f"timer {t.value}" for t in Timer}
