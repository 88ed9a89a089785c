"""What a message belongs to (RFC 3261 §17.1.3, §17.2.3, §18.2; RFC 3581)."""

import pytest

from firmware.sip.errors import ParseError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.transaction.keys import read_arrival, response_flow, response_key

NAT = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("203.0.113.9", 40123))


def test_an_ack_has_the_key_of_its_invite_and_a_cancel_points_to_it(telephony):
    invite = telephony.arrival()
    assert telephony.arrival("ACK").key == invite.key
    cancel = telephony.arrival("CANCEL")
    assert cancel.key != invite.key
    assert cancel.invite_key == invite.key


def test_branch_sent_by_and_method_make_the_key(telephony):
    invite = telephony.arrival()
    assert telephony.arrival(branch="z9hG4bKtwo").key != invite.key
    assert telephony.arrival(via="192.0.2.1:5062").key != invite.key
    assert telephony.arrival("OPTIONS").key != invite.key
    assert telephony.arrival(cseq=2).key == invite.key


def test_the_default_port_and_the_case_of_a_host_make_no_difference(telephony):
    assert telephony.arrival(via="PBX.example").key == telephony.arrival(via="pbx.example:5060").key


def test_without_the_magic_cookie_the_old_fields_decide(telephony):
    """An element of RFC 2543 has no cookie."""
    invite = telephony.arrival(branch="1")
    assert telephony.arrival("ACK", branch="1", to_tag="ours").key == invite.key
    assert telephony.arrival(branch="1", cseq=2).key != invite.key
    assert telephony.arrival(branch="z9hG4bK").key != telephony.arrival(branch="1").key


def test_rport_and_received_are_filled_in(telephony):
    arrival = telephony.arrival(flow=NAT)
    via = arrival.request.headers.get("Via")
    assert "rport=40123" in via
    assert "received=203.0.113.9" in via
    assert response_flow(arrival) == NAT


def test_without_rport_the_answer_goes_to_the_port_of_the_via(telephony):
    """RFC 3261 §18.2.1: received."""
    request = telephony.request()
    request.headers.set("Via", "SIP/2.0/UDP 10.1.1.1:5070;branch=z9hG4bKx;maddr=198.51.100.7")
    arrival = read_arrival(request, NAT)
    assert response_flow(arrival).remote == Endpoint("203.0.113.9", 5070)
    assert arrival.request.headers.get("Via").endswith("received=203.0.113.9")


def test_further_vias_of_a_row_and_further_rows_stay(telephony):
    request = telephony.request()
    top = "SIP/2.0/UDP 10.1.1.1;rport;branch=z9hG4bKx, SIP/2.0/TCP b;branch=z9hG4bKy"
    request.headers.set("Via", top)
    request.headers.add("Via", "SIP/2.0/UDP c;branch=z9hG4bKz")
    row = read_arrival(request, NAT).request.headers.get("Via")
    assert row.endswith("SIP/2.0/TCP b;branch=z9hG4bKy, SIP/2.0/UDP c;branch=z9hG4bKz")


def test_a_stream_is_answered_on_itself(telephony):
    arrival = telephony.arrival(flow=telephony.tcp)
    assert response_flow(arrival) is telephony.tcp


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_request_without_the_headers_of_a_transaction_is_refused(telephony, name):
    request = telephony.request()
    request.headers.remove(name)
    with pytest.raises(ParseError, match=name):
        read_arrival(request, NAT)


def test_a_response_is_found_by_branch_and_method(telephony):
    key, via = response_key(telephony.response(200))
    assert key == ("z9hG4bKone", "INVITE")
    assert (via.host, via.port) == ("192.0.2.1", 5060)


@pytest.mark.parametrize(("name", "value"), [("Via", "rubbish"), ("CSeq", "x"), ("CSeq", "")])
def test_a_response_that_cannot_be_matched_is_nobodys(telephony, name, value):
    response = telephony.response(200)
    response.headers.set(name, value)
    assert response_key(response) is None
