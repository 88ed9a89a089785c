"""Requests that arrive: answered, answered again, confirmed (RFC 3261 §17.2)."""

import pytest

from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.transaction.tables import INVITE_SERVER, NON_INVITE_SERVER, Event, State
from firmware.sip.transaction.timing import Timer


@pytest.fixture
def begin(recorder, telephony):
    def start(method="INVITE", flow=None):
        flow = flow or telephony.udp
        arrival = telephony.arrival(method, flow=flow)
        return ServerTransaction(recorder, arrival.key, arrival, flow, recorder)

    return start


def test_a_repeated_invite_gets_the_last_answer_again(begin, recorder, telephony):
    transaction = begin()
    transaction.receive(telephony.arrival(), 0.0)
    assert recorder.take() == []
    transaction.respond(telephony.response(180), 0.1)
    transaction.receive(telephony.arrival(), 0.5)
    assert recorder.take() == ["send SIP/2.0 180 Phrase"] * 2


def test_busy_is_repeated_until_its_ack(begin, recorder, telephony):
    transaction = begin()
    transaction.respond(telephony.response(486), 0.0)
    assert recorder.take() == ["send SIP/2.0 486 Phrase", "G 0.5", "H 32"]
    transaction.on_alarm(Timer.G, 0.5)
    assert recorder.take() == ["send SIP/2.0 486 Phrase", "G 1.5"]
    recorder.armed = {Timer.G: 1.5, Timer.H: 32.0}
    transaction.receive(telephony.arrival("ACK"), 1.0)
    assert recorder.take() == ["stop G", "stop H", "I 6"]
    transaction.receive(telephony.arrival("ACK"), 1.1)
    transaction.on_alarm(Timer.I, 6.0)
    assert recorder.take() == ["gone"]


def test_g_slows_down_to_t2(begin, recorder, telephony):
    transaction = begin()
    transaction.respond(telephony.response(486), 0.0)
    intervals, now = [], 0.0
    while transaction.state is State.COMPLETED and now < 20:
        at = recorder.armed.pop(Timer.G)
        intervals.append(at - now)
        now = at
        transaction.on_alarm(Timer.G, now)
    assert intervals == [0.5, 1, 2, 4, 4, 4, 4, 4][: len(intervals)]


def test_without_an_ack_the_user_is_told_after_32_seconds(begin, recorder, telephony):
    transaction = begin()
    transaction.respond(telephony.response(486), 0.0)
    recorder.take()
    transaction.on_alarm(Timer.H, 32.0)
    assert recorder.take() == ["told no answer", "gone"]


def test_on_a_stream_busy_is_said_once(begin, recorder, telephony):
    transaction = begin(flow=telephony.tcp)
    transaction.respond(telephony.response(486), 0.0)
    assert recorder.take() == ["send SIP/2.0 486 Phrase", "H 32"]


def test_after_200_a_repeated_invite_is_absorbed_and_only_the_user_repeats(
    begin, recorder, telephony
):
    transaction = begin()
    transaction.respond(telephony.response(200), 0.0)
    assert recorder.take() == ["send SIP/2.0 200 Phrase", "L 32"]
    transaction.receive(telephony.arrival(), 0.5)
    assert recorder.take() == []
    transaction.repeat_success(0.5)
    assert recorder.take() == ["send SIP/2.0 200 Phrase"]
    transaction.respond(telephony.response(486), 0.6)
    assert recorder.take() == ["ignored send 3xx-6xx"]
    transaction.repeat_success(0.7)
    assert recorder.take() == ["send SIP/2.0 200 Phrase"]


def test_options_is_answered_once_and_again_when_asked_again(begin, recorder, telephony):
    transaction = begin("OPTIONS")
    assert not transaction.answered
    transaction.respond(telephony.response(200, "OPTIONS"), 0.0)
    assert transaction.answered
    transaction.receive(telephony.arrival("OPTIONS"), 1.0)
    transaction.on_alarm(Timer.J, 32.0)
    assert recorder.take() == [
        "send SIP/2.0 200 Phrase",
        "J 32",
        "send SIP/2.0 200 Phrase",
        "gone",
    ]


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_any_event_in_any_state_does_what_the_table_says_and_raises_nothing(
    begin, recorder, telephony, method, state, event
):
    transaction = begin(method)
    transaction.state = state
    transaction._interval = dict.fromkeys(Timer, 0.5)
    transaction.handle(event, 1.0, telephony.arrival("ACK"))
    table = INVITE_SERVER if method == "INVITE" else NON_INVITE_SERVER
    row = table.get((state, event))
    if row is None:
        assert recorder.take() == [f"ignored {event.value}"]
        assert transaction.state is state
    else:
        assert transaction.state is row.next
        assert ("gone" in recorder.take()) == (row.next is State.TERMINATED)


def test_a_transaction_without_a_user_tells_nobody(recorder, telephony):
    arrival = telephony.arrival()
    transaction = ServerTransaction(recorder, arrival.key, arrival, telephony.udp, None)
    transaction.respond(telephony.response(486), 0.0)
    transaction.handle(Event.TRANSPORT_ERROR, 1.0)
    transaction.on_alarm(Timer.H, 32.0)
    assert recorder.take() == ["send SIP/2.0 486 Phrase", "G 0.5", "H 32", "gone"]
