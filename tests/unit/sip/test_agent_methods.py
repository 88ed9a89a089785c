"""Requests outside calls: each method has its right answer (RFC 3261 §8.2, §11, §21)."""

import re

import pytest

from firmware.sip.core import ALLOW
from firmware.sip.errors import LocalError
from firmware.sip.headers import parse_name_addr, parse_via
from firmware.sip.message import Headers, Response
from firmware.sip.notifications import CallRef, IncomingCall, RequestReceived

URI = "sip:101@192.0.2.1"


@pytest.fixture
def ask(world, desk, pbx, sip):
    """Send a request from the PBX; gives the last answer, None if there is none."""

    def ask(method, *rows, uri=URI, **more):
        pbx.inbox.clear()
        pbx.tell(sip.request(method, uri, *rows, **more), desk)
        world.run(0.02)
        return pbx.inbox[-1] if pbx.inbox else None

    return ask


def test_options_says_what_we_can(ask):
    """RFC 3261 §11.2: as a 2xx to an INVITE would."""
    answer = ask("OPTIONS")
    assert "100rel" in answer.headers.get("Supported")
    assert answer.status == 200
    assert answer.headers.get("Allow") == ALLOW
    assert answer.headers.get("Accept") == "application/sdp"
    assert ";tag=" in answer.headers.get("To")


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("REGISTER", 405),
        ("SUBSCRIBE", 489),
        ("PUBLISH", 405),
        ("REFER", 403),
        ("MESSAGE", 200),
        ("BYE", 481),
        ("INFO", 481),
        ("UPDATE", 481),
        ("PRACK", 481),
        ("NOTIFY", 489),
        ("CANCEL", 481),
        ("DANCE", 501),
        ("options", 501),
    ],
)
def test_any_other_method(ask, method, status):
    """RFC 3261 §7.1: in other letters it is another method; RFC 3261 §8.2.1, §21.5.2."""
    answer = ask(method)
    assert answer.status == status
    if status in (405, 501):
        assert answer.headers.get("Allow") == ALLOW


def test_an_answer_says_what_it_answers(ask):
    """RFC 3261 §8.2.6: all Vias, From, Call-ID and CSeq as they came, To with a tag of ours."""
    behind = ("Via", "SIP/2.0/TCP behind;branch=z9hG4bKold")
    answer = ask("OPTIONS", behind, ("Record-Route", "<sip:p;lr>"), call_id="this one")
    ours = [answer.headers.get(name) for name in ("From", "Call-ID", "CSeq")]
    assert ours == ['"Alice" <sip:alice@pbx.example>;tag=alice', "this one", "1 OPTIONS"]
    assert answer.headers.all("Via")[-1].endswith(behind[1])
    assert re.fullmatch("<.*>;tag=[a-z0-9]{7,}", answer.headers.get("To"))


def test_what_every_request_of_ours_carries(world, desk, pbx, sip):
    """RFC 3261 §8.1.1, §8.1.1.6, §8.1.1.7, §19.3."""
    for number in range(3):
        call = CallRef(str(number))
        desk.agent.invite(call, sip.LINE, "600", world.now)
        world.run(0.1)
        desk.agent.offer(call, sip.OFFER, world.now)
        world.run(0.1)
    invites = [each.headers for each in pbx.requests("INVITE")]
    branches = {parse_via(headers.get("Via")).branch for headers in invites}
    tags = {parse_name_addr(headers.get("From")).tag for headers in invites}
    assert all(branch.startswith("z9hG4bK") and len(branch) > 20 for branch in branches)
    assert all(len(tag) >= 7 for tag in tags), "32 bits, five a letter"
    assert len(branches) == len(tags) == len({each.get("Call-ID") for each in invites}) == 3
    for headers in invites:
        assert headers.get("Max-Forwards") == "70"
        assert headers.get("CSeq").endswith(" INVITE")
        assert ";tag=" not in headers.get("To")


def test_an_ack_is_never_answered(ask):
    assert ask("ACK") is None
    assert ask("ACK", tag="x") is None
    assert ask("ACK", ("CSeq", "rubbish")) is None


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "NOTIFY", "DANCE"])
def test_a_request_of_a_call_we_do_not_know_is_481(ask, method):
    assert ask(method, tag="old").status == 481


def test_what_is_required_and_unknown_is_420(ask):
    answer = ask("OPTIONS", ("Require", "foo"))
    assert (answer.status, answer.headers.get("Unsupported")) == (420, "foo")


def test_a_foreign_scheme_is_416(ask):
    assert ask("INVITE", uri="nobody:knows").status == 416


def test_a_repeated_request_gets_the_same_answer(ask):
    first = ask("OPTIONS")
    assert ask("OPTIONS") == first


@pytest.mark.parametrize(
    "rows",
    [
        (("Contact", "<sip:a@b>, <sip:c@d>"),),
        (("Record-Route", "sip:no.brackets"),),
    ],
)
def test_an_invite_that_breaks_the_rules_is_400(ask, desk, rows):
    assert ask("INVITE", *rows).status == 400
    assert not desk.of(IncomingCall)


def test_garbage_from_a_friend_is_answered_if_it_says_whom(world, desk, pbx):
    def say(data):
        pbx.inbox.clear()
        pbx.tell(data, desk)
        world.run(0.02)
        return [message.status for message in pbx.inbox]

    head = (
        b"OPTIONS sip:101@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKg\r\n"
        b"From: <sip:a@b>;tag=1\r\nTo: <sip:101@b>\r\nCall-ID: g\r\nCSeq: 1 OPTIONS\r\n"
    )
    assert say(head + b"Content-Length: 50\r\n\r\nshort") == [400]
    assert say(head.replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia") + b"\r\n") == [505]
    assert say(head.replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE") + b"\r\n") == [400]
    assert say(b"hello") == []
    assert say(b"\x00" * 100) == []
    assert say(b"") == []
    assert say(b"\r\n\r\n") == []
    assert say(b"SIP/2.0 200 OK\r\n\r\n") == []


def test_a_response_to_nothing_is_dropped(world, desk, pbx):
    rows = [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnobody"),
        ("From", "<sip:a@b>;tag=1"),
        ("To", "<sip:b@c>;tag=2"),
        ("Call-ID", "x"),
        ("CSeq", "1 INVITE"),
    ]
    pbx.tell(Response(200, "OK", Headers(rows)), desk)
    world.run(0.02)
    assert len(desk.agent) == 0
    assert not desk.heard


def test_when_all_places_are_taken_the_answer_is_503(world, pbx, sip):
    """RFC 3261 §8.2.7: and nothing is kept of those."""
    desk = sip.Desk(world, "192.0.2.1", most_transactions=3)
    desk.line(sip.PBX)

    def ask(number):
        pbx.tell(sip.request("OPTIONS", URI, branch=f"z9hG4bK{number}", call_id=f"{number}"), desk)
        world.run(0.02)
        return len(desk.agent)

    kept = [ask(number) for number in range(5)]
    assert len(pbx.responses(200)) == 3
    assert len(pbx.responses(503)) == 2
    assert kept[2] == kept[3] == kept[4]


def test_methods_may_be_handed_up_whole(world, pbx, sip):
    lab = sip.Desk(world, "192.0.2.1", hand_up=frozenset({"REGISTER"}), open_house=True)
    lab.line("192.0.2.1", register=False)
    pbx.tell(sip.request("REGISTER", "sip:192.0.2.1", ("Contact", "<sip:x@y>")), lab)
    world.run(0.02)
    received = lab.last(RequestReceived)
    assert received.request.headers.get("Contact") == "<sip:x@y>"
    with pytest.raises(LocalError, match="final"):
        lab.agent.respond(received.key, 100, world.now)
    lab.agent.respond(received.key, 200, world.now, [("Contact", "<sip:x@y>;expires=60")])
    lab.agent.respond(received.key, 500, world.now)
    lab.agent.respond("never heard of", 500, world.now)
    world.run(0.02)
    assert pbx.responses(200)[0].headers.get("Contact") == "<sip:x@y>;expires=60"
    assert not pbx.responses(500)
    world.run(40.0)
    assert len(lab.agent) == 0


def test_a_request_that_waits_long_hears_100_and_never_408(world, pbx, sip):
    """RFC 4320 §4.1, RFC 4320 §4.2; RFC 4321 tells why."""
    lab = sip.Desk(world, "192.0.2.1", hand_up=frozenset({"REGISTER"}), open_house=True)
    lab.line("192.0.2.1", register=False)
    pbx.tell(sip.request("OPTIONS", "sip:192.0.2.1", call_id="quick"), lab)
    pbx.tell(sip.request("REGISTER", "sip:192.0.2.1"), lab)
    world.run(3.4)
    assert not pbx.responses(100)
    world.run(0.2)
    (said,) = pbx.responses(100)
    assert said.headers.get("CSeq") == "1 REGISTER"
    lab.agent.respond(lab.last(RequestReceived).key, 200, world.now)
    world.run(60.0)
    statuses = [each.status for each in pbx.inbox if isinstance(each, Response)]
    assert statuses == [200, 100, 200]
    assert len(lab.agent) == 0


def test_a_handed_up_request_that_is_forgotten_is_500(world, pbx, sip):
    lab = sip.Desk(world, "192.0.2.1", hand_up=frozenset({"REGISTER"}), open_house=True)
    lab.line("192.0.2.1", register=False)
    pbx.tell(sip.request("REGISTER", "sip:192.0.2.1"), lab)
    world.run(60.0)
    assert pbx.responses(500)
    assert len(lab.agent) == 0


def test_a_laboratory_may_ask_callers_for_a_password(world, sip):
    lab = sip.Desk(world, sip.PBX, open_house=True, realm="lab", passwords={"101": "secret"})
    lab.line(sip.PBX, register=False)
    desk = sip.Desk(world, "192.0.2.1")
    for password, calls in (("wrong", 0), ("secret", 1)):
        desk.line(sip.PBX, password=password)
        call = CallRef(password)
        desk.agent.invite(call, sip.LINE, "600", world.now)
        world.run(0.1)
        desk.agent.offer(call, sip.OFFER, world.now)
        world.run(0.1)
        assert len(lab.of(IncomingCall)) == calls
