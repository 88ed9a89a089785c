"""All transactions together: finding, timing, forgetting."""

import pytest

from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.transaction.layer import TransactionLayer
from firmware.sip.transaction.tables import State
from firmware.sip.transaction.timing import Timing


@pytest.fixture
def layer(recorder):
    return TransactionLayer(recorder.transmit, Timing())


def test_a_response_reaches_its_transaction(layer, recorder, telephony):
    layer.send(telephony.request(), "z9hG4bKone", telephony.udp, recorder, 0.0)
    assert layer.receive_response(telephony.response(180), telephony.udp, 0.1)
    assert recorder.done[-1] == "told 180"


def test_a07_a_response_from_somewhere_else_is_dropped(layer, recorder, telephony):
    layer.send(telephony.request(), "z9hG4bKone", telephony.udp, recorder, 0.0)
    elsewhere = Flow(Transport.UDP, telephony.udp.local, Endpoint("203.0.113.66", 5060))
    assert not layer.receive_response(telephony.response(200), elsewhere, 0.1)
    assert not layer.receive_response(telephony.response(200), telephony.tcp, 0.1)
    foreign = telephony.response(200)
    foreign.headers.set("Via", "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKone")
    assert not layer.receive_response(foreign, telephony.udp, 0.1)
    assert not layer.receive_response(
        telephony.response(200, branch="z9hG4bKguess"), telephony.udp, 0.1
    )
    assert "told 200" not in recorder.done


def test_on_a_stream_only_the_same_connection_may_answer(layer, recorder, telephony):
    """RFC 5626 §2: of a stream each connection is a flow."""
    layer.send(telephony.request(), "z9hG4bKone", telephony.tcp, recorder, 0.0)
    other = Flow(Transport.TCP, telephony.tcp.local, telephony.tcp.remote, 8)
    assert not layer.receive_response(telephony.response(200), other, 0.1)
    assert layer.receive_response(telephony.response(200), telephony.tcp, 0.1)


def test_a_repeated_request_is_absorbed_and_a_copy_by_another_way_is_noticed(layer, telephony):
    """RFC 3261 §8.2.2.2."""
    assert not layer.absorb(telephony.arrival(), 0.0)
    layer.open(telephony.arrival())
    assert layer.absorb(telephony.arrival(), 0.1)
    copy = telephony.arrival(branch="z9hG4bKother")
    assert not layer.absorb(copy, 0.2)
    assert layer.merged(copy)
    assert not layer.merged(telephony.arrival(branch="z9hG4bKother", cseq=2))


def test_a_cancel_finds_its_invite(layer, telephony):
    invite = layer.open(telephony.arrival())
    assert layer.invite_of(telephony.arrival("CANCEL")) is invite
    assert layer.invite_of(telephony.arrival("CANCEL", branch="z9hG4bKother")) is None


def test_it_is_full_when_it_is_full(recorder, telephony):
    layer = TransactionLayer(recorder.transmit, Timing(), most_servers=2)
    for number in range(2):
        assert not layer.full
        layer.open(telephony.arrival("OPTIONS", branch=f"z9hG4bK{number}"))
    assert layer.full


def test_a_lost_connection_ends_what_was_sent_on_it(layer, recorder, telephony):
    layer.send(telephony.request("OPTIONS"), "z9hG4bKone", telephony.tcp, recorder, 0.0)
    assert layer.waiting
    layer.flow_failed(telephony.tcp, 0.5)
    assert recorder.done[-1] == "told transport failed"
    assert not layer.waiting
    assert len(layer) == 0


def test_a_silent_invite_can_be_killed(layer, recorder, telephony):
    transaction = layer.send(telephony.request(), "z9hG4bKone", telephony.udp, recorder, 0.0)
    layer.kill(transaction)
    assert transaction.state is State.TERMINATED
    assert len(layer) == 0
    assert layer.next_deadline is None


def test_ten_thousand_transactions_leave_nothing(layer, recorder, telephony):
    now = 0.0
    for number in range(5000):
        now = number * 0.01
        branch = f"z9hG4bK{number}"
        layer.send(telephony.request("OPTIONS", branch), branch, telephony.udp, recorder, now)
        answer = telephony.response(200, "OPTIONS", branch)
        assert layer.receive_response(answer, telephony.udp, now)
        server = layer.open(telephony.arrival("OPTIONS", f"z9hG4bKs{number}", cseq=number))
        server.respond(answer, now)
        layer.fire_timers(now)
    layer.fire_timers(now + 33)
    assert len(layer) == 0
    assert layer.next_deadline is None
    assert not layer.ignored
