"""A12: nobody gets more out of the phone than they put in, and nobody else gets anything."""

import random

import pytest

from firmware.sip.effects import Transmit
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.writer import write

URI = "sip:101@192.0.2.1"
VICTIM = Endpoint("203.0.113.66", 5060)


@pytest.fixture
def sent(world, desk):
    """What the phone sends because of one datagram from somewhere, within the life of timers."""

    def ask(data, remote):
        flow = Flow(Transport.UDP, desk.endpoint, remote)
        out = []
        desk.agent.receive(data, flow, world.now)
        for _ in range(80):
            out += [each for each in desk.agent.take_effects() if isinstance(each, Transmit)]
            desk.agent.take_notifications()
            world.now += 0.5
            desk.agent.fire_timers(world.now)
        return out

    return ask


METHODS = ("INVITE", "OPTIONS", "REGISTER", "SUBSCRIBE", "MESSAGE", "REFER", "BYE", "ACK", "DANCE")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tag", ["", "x"])
def test_a12_a_forged_request_of_a_stranger_gets_nothing(sent, sip, method, tag):
    small = write(sip.request(method, URI, tag=tag))
    assert sent(small, VICTIM) == []


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"\r\n",
        b"\0",
        b"",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\n\r\n",
        bytes.fromhex("000100002112a442") + bytes(12),  # a STUN binding request
    ],
)
def test_a12_nor_does_anything_that_is_no_request(sent, data):
    assert sum(len(each.data) for each in sent(data, VICTIM)) <= len(data)


def test_a12_nor_do_ten_thousand_pieces_of_requests(sent, sip):
    dice = random.Random(12)  # noqa: S311 - a test wants to be repeated
    whole = write(sip.request("INVITE", URI, body=b"v=0"))
    for _ in range(300):
        piece = bytearray(whole[: dice.randrange(len(whole))])
        for _ in range(dice.randrange(4)):
            if piece:
                piece[dice.randrange(len(piece))] = dice.randrange(256)
        assert sent(bytes(piece), VICTIM) == []


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "DANCE"])
@pytest.mark.parametrize("aim", ["host", "maddr", "received"])
def test_a12_a_friends_via_cannot_aim_the_answer_at_a_victim(sent, sip, method, aim):
    # RFC 3261 §18.2.2 would follow maddr: see `response_flow`.
    friend = Endpoint(sip.PBX, 5060)
    via = {
        "host": f"SIP/2.0/UDP {VICTIM};branch=z9hG4bKaim",
        "maddr": f"SIP/2.0/UDP {friend};maddr={VICTIM.host};branch=z9hG4bKaim",
        "received": f"SIP/2.0/UDP {friend};received={VICTIM.host};branch=z9hG4bKaim;rport",
    }[aim]
    request = sip.request(method, URI)
    request.headers.set("Via", via)
    answers = sent(write(request), friend)
    assert answers
    assert {each.flow.remote.host for each in answers} == {friend.host}
