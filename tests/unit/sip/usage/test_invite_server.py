"""Calls that arrive: rung, answered, refused, withdrawn (RFC 3261 §13.3, §9.2)."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.facts import CallFacts, RingKind
from firmware.sip.flow import Target, Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallRef,
    FailureCause,
    IncomingCall,
    Party,
)
from tests.support.lives import LIVES


@pytest.fixture
def invited(world, desk, pbx, sip):
    """An INVITE for 101 has arrived from the PBX; gives its CallRef."""

    def invite(*rows, uri="sip:101@192.0.2.1", body=sip.OFFER, **more):
        pbx.tell(sip.request("INVITE", uri, *rows, body=body, **more), desk)
        world.run(0.02)
        return desk.last(IncomingCall).call

    return invite


def test_a_call_is_tried_rung_and_answered(world, desk, pbx, sip, invited):
    call = invited(("Alert-Info", "<http://pbx/internal>"))
    assert desk.of(IncomingCall) == [
        IncomingCall(
            call,
            sip.LINE,
            Party("Alice", "alice", "sip:alice@pbx.example"),
            "101",
            sip.OFFER,
            "192.0.2.1",
            "<http://pbx/internal>",
            facts=CallFacts(ring=RingKind.INTERNAL),
            call_id=pbx.responses(100)[0].headers.get("Call-ID"),
        )
    ]
    assert call.startswith("in-")
    assert len(pbx.responses(100)) == 1
    desk.agent.ring(call, world.now)
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.02)
    ringing, answer = pbx.responses(180)[0], pbx.responses(200)[0]
    assert ";tag=" in ringing.headers.get("To")
    assert ringing.body == b""  # RFC 4504 §2.3: nothing is sent before the answer
    assert ringing.headers.get("To") == answer.headers.get("To")
    assert answer.body == sip.ANSWER
    assert "@192.0.2.1:5060>" in answer.headers.get("Contact")
    tag = answer.headers.get("To").split("tag=")[1]
    pbx.tell(sip.request("ACK", "sip:101@192.0.2.1", tag=tag, branch="z9hG4bKack"), desk)
    world.run(0.02)
    assert desk.of(CallConfirmed) == [CallConfirmed(call, b"")]
    world.run(40.0)
    assert len(pbx.responses(200)) == 1


def test_early_media_is_a_183(world, desk, pbx, sip, invited):
    call = invited()
    desk.agent.ring(call, world.now, sip.ANSWER)
    world.run(0.02)
    assert pbx.responses(183)[0].body == sip.ANSWER


def test_it_says_every_minute_that_it_still_rings_and_not_for_ever(world, desk, pbx, invited):
    call = invited()
    desk.agent.ring(call, world.now)
    world.run(185.0)
    assert len(pbx.responses(180)) == 4
    world.run(200.0)
    assert pbx.responses(480)
    assert desk.of(CallEnded) == [
        CallEnded(call, by_us=False, cause=FailureCause.NO_ANSWER, status=480)
    ]
    world.run(100.0)
    assert len(desk.agent) == 0


def test_record_routes_go_back_and_become_the_route_set(world, desk, pbx, sip, invited):
    edge = sip.Pbx(world, "192.0.2.8")
    call = invited(("Record-Route", "<sip:192.0.2.8;lr>"), ("Record-Route", "<sip:192.0.2.9;lr>"))
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.02)
    answer = pbx.responses(200)[0]
    assert answer.headers.all("Record-Route") == ["<sip:192.0.2.8;lr>", "<sip:192.0.2.9;lr>"]
    tag = answer.headers.get("To").split("tag=")[1]
    pbx.tell(sip.request("ACK", "sip:101@192.0.2.1", tag=tag, branch="z9hG4bKack"), desk)
    world.run(0.02)
    desk.agent.end(call, world.now)
    world.run(0.02)
    bye = edge.requests("BYE")[0]
    assert bye.headers.get("Route") == "<sip:192.0.2.8;lr>, <sip:192.0.2.9;lr>"
    assert bye.uri == "sip:alice@192.0.2.9:5060"
    assert bye.headers.get("To") == '"Alice" <sip:alice@pbx.example>;tag=alice'


def test_f23_a_200_without_ack_is_repeated_for_32_seconds_then_ended(
    world, desk, pbx, sip, invited
):
    call = invited()
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(31.0)
    assert len(pbx.responses(200)) == 10  # at 0, .5, 1.5, 3.5, 7.5, 11.5 … 27.5
    assert not desk.of(CallEnded)
    world.run(2.0)
    assert desk.last(CallEnded) == CallEnded(call, by_us=False, cause=FailureCause.NO_ACK)
    assert pbx.requests("BYE")
    world.run(100.0)
    assert len(desk.agent) == 0


def test_hanging_up_before_the_ack_waits_with_the_bye(world, desk, pbx, sip, invited):
    call = invited()
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.02)
    desk.agent.end(call, world.now)
    world.run(0.3)
    assert desk.of(CallEnded) == [CallEnded(call, by_us=True)]
    assert not pbx.requests("BYE")
    tag = pbx.responses(200)[0].headers.get("To").split("tag=")[1]
    pbx.tell(sip.request("ACK", "sip:101@192.0.2.1", tag=tag, branch="z9hG4bKack"), desk)
    world.run(0.02)
    assert pbx.requests("BYE")
    assert not desk.of(CallConfirmed)
    world.run(100.0)
    assert len(desk.agent) == 0


@pytest.mark.parametrize("status", [302, 486, 488, 603])
def test_a_refusal_is_repeated_until_its_ack(world, desk, pbx, sip, invited, status):
    call = invited()
    desk.agent.reject(call, status, world.now, "no codec in common")
    world.run(1.0)
    refusals = pbx.responses(status)
    assert len(refusals) == 2
    assert refusals[0].headers.get("Warning") == '399 phone "no codec in common"'
    assert desk.of(CallEnded) == [CallEnded(call, by_us=True, status=status)]
    pbx.tell(sip.request("ACK", "sip:101@192.0.2.1", tag="x"), desk)
    world.run(30.0)
    assert len(pbx.responses(status)) == 2
    assert len(desk.agent) == 0


@pytest.mark.parametrize(
    ("reasons", "elsewhere", "words"),
    [
        ((), False, ""),
        (
            (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),),
            True,
            "Call completed elsewhere",
        ),
        ((("Reason", "Q.850;cause=16"), ("Reason", "SIP ;cause=200")), True, ""),
        ((("Reason", "Q.850;cause=26"),), True, ""),
        ((("Reason", 'SIP;cause=487;text="gave up"'),), False, "gave up"),
        ((("Reason", "SIP;;;=?"),), False, ""),
    ],
)
def test_the_caller_gives_up(  # noqa: PLR0917 - rows and fixtures
    world, desk, pbx, sip, invited, reasons, elsewhere, words
):
    """RFC 3326 §2: answered elsewhere is no missed call; the words are for the person."""
    call = invited()
    desk.agent.ring(call, world.now)
    pbx.tell(sip.request("CANCEL", "sip:101@192.0.2.1", *reasons), desk)
    world.run(0.02)
    assert pbx.responses(200)[0].headers.get("CSeq") == "1 CANCEL"
    assert pbx.responses(487)[0].headers.get("CSeq") == "1 INVITE"
    assert desk.last(CallEnded) == CallEnded(
        call,
        by_us=False,
        cause=FailureCause.CANCELLED,
        status=487,
        phrase=words,
        answered_elsewhere=elsewhere,
    )


def test_the_caller_ends_an_early_dialog_with_bye(world, desk, pbx, sip, invited):
    call = invited()
    desk.agent.ring(call, world.now)
    world.run(0.02)
    tag = pbx.responses(180)[0].headers.get("To").split("tag=")[1]
    for number, method in enumerate(("PRACK", "BYE"), 2):
        uri, branch = "sip:101@192.0.2.1", f"z9hG4bK{method}"
        pbx.tell(sip.request(method, uri, tag=tag, branch=branch, cseq=number), desk)
    world.run(0.02)
    assert pbx.responses(481)[0].headers.get("CSeq") == "2 PRACK"
    assert pbx.responses(200)[0].headers.get("CSeq") == "3 BYE"
    assert pbx.responses(487)
    assert desk.last(CallEnded).cause is FailureCause.CANCELLED
    world.run(100.0)
    assert len(desk.agent) == 0


def test_f40_a_cancel_after_the_answer_changes_nothing(world, desk, pbx, sip, invited):
    call = invited()
    desk.agent.accept(call, sip.ANSWER, world.now)
    pbx.tell(sip.request("CANCEL", "sip:101@192.0.2.1"), desk)
    world.run(0.02)
    assert [answer.headers.get("CSeq") for answer in pbx.responses(200)] == [
        "1 INVITE",
        "1 CANCEL",
    ]
    assert not desk.of(CallEnded)


def test_an_answer_that_comes_after_the_cancel_is_too_late(world, desk, pbx, sip, invited):
    call = invited()
    pbx.tell(sip.request("CANCEL", "sip:101@192.0.2.1"), desk)
    world.run(0.02)
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.02)
    assert len(desk.of(CallEnded)) == 1
    assert [answer.headers.get("CSeq") for answer in pbx.responses(200)] == ["1 CANCEL"]


def test_an_invite_without_offer_gets_ours_and_its_ack_brings_the_answer(
    world, desk, pbx, sip, invited
):
    call = invited(body=b"")
    assert desk.last(IncomingCall).offer == b""
    desk.agent.accept(call, sip.OFFER, world.now)
    world.run(0.02)
    tag = pbx.responses(200)[0].headers.get("To").split("tag=")[1]
    ack = sip.request("ACK", "sip:101@192.0.2.1", tag=tag, branch="z9hG4bKack", body=sip.ANSWER)
    pbx.tell(ack, desk)
    world.run(0.02)
    assert desk.last(CallConfirmed) == CallConfirmed(call, sip.ANSWER)


def test_the_identity_that_the_server_asserts_is_shown(desk, invited):
    invited(("P-Asserted-Identity", '"Reception" <sip:100@pbx.example>, <tel:+4930100>'))
    assert desk.last(IncomingCall).caller == Party("Reception", "100", "sip:100@pbx.example")


@pytest.mark.parametrize("rubbish", ["<", "<mailto:+4930100>", '"x', ","])
def test_an_identity_that_cannot_be_read_is_passed_over(desk, invited, rubbish):
    invited(("P-Asserted-Identity", rubbish))
    assert desk.last(IncomingCall).caller.user == "alice"


def test_a_repeated_invite_is_one_call_and_a_copy_by_another_way_is_482(
    world, desk, pbx, sip, invited
):
    """RFC 3261 §8.2.2.2."""
    invited()
    invite = sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER)
    pbx.tell(invite, desk)
    world.run(0.02)
    assert len(desk.of(IncomingCall)) == 1
    assert len(pbx.responses(100)) == 2
    copy = sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER, branch="z9hG4bKcopy")
    pbx.tell(copy, desk)
    world.run(0.02)
    assert len(desk.of(IncomingCall)) == 1
    assert pbx.responses(482)


@pytest.mark.parametrize(
    ("rows", "body", "status", "header"),
    [
        ((("Require", "100rel, warp, fog"),), b"v=0", 420, ("Unsupported", "warp, fog")),
        ((("Require", '"'),), b"v=0", 420, ("Unsupported", '"')),
        ((("Content-Encoding", "gzip"),), b"v=0", 415, ("Accept-Encoding", "identity")),
        ((("Content-Type", "text/html"),), b"<p>", 415, ("Accept", "application/sdp")),
        ((("Contact", "<tel:+49>"),), b"v=0", 400, None),
    ],
)
def test_what_we_cannot_do_is_refused_by_name(  # noqa: PLR0917 - rows and fixtures
    world, desk, pbx, sip, rows, body, status, header
):
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, body=body), desk)
    world.run(0.02)
    assert not desk.of(IncomingCall)
    refusal = pbx.responses(status)[0]
    if header:
        assert refusal.headers.get(header[0]) == header[1]


@pytest.mark.parametrize(("ice", "status"), [(True, 180), (False, 420)])
def test_who_requires_checked_ways_calls_a_line_that_checks_them(world, pbx, sip, ice, status):
    """RFC 5768 §5."""
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, ice=ice)
    invite = sip.request("INVITE", "sip:101@192.0.2.1", ("Require", "ice"), body=sip.OFFER)
    pbx.tell(invite, desk)
    world.run(0.02)
    if ice:
        desk.agent.ring(desk.last(IncomingCall).call, world.now)
        world.run(0.02)
    assert pbx.responses(status)


def test_a_body_that_may_be_ignored_is(desk, invited):
    invited(
        ("Content-Type", "text/plain"),
        ("Content-Disposition", "render; handling=optional"),
        body=b"hello",
    )
    assert desk.last(IncomingCall).offer == b""


def test_above_the_limit_it_is_busy(world, pbx, sip):
    desk = sip.Desk(world, "192.0.2.1", most_calls=1)
    desk.line(sip.PBX)
    for number in range(2):
        invite = sip.request(
            "INVITE", "sip:101@192.0.2.1", branch=f"z9hG4bK{number}", call_id=str(number)
        )
        pbx.tell(invite, desk)
    world.run(0.02)
    assert len(desk.of(IncomingCall)) == 1
    assert len(pbx.responses(486)) == 1


def test_a_ringing_call_whose_connection_is_gone_stops_ringing(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX)
    target = Target(Transport.TCP, desk.endpoint, pbx.endpoint)
    flow = world.connect(pbx, target)
    pbx.say(sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER), flow)
    world.run(0.02)
    call = desk.last(IncomingCall).call
    desk.agent.ring(call, world.now)
    world.run(0.02)
    world.close(flow)
    world.run(0.02)
    assert desk.last(CallEnded).cause is FailureCause.SESSION_LOST
    world.run(100.0)
    assert len(desk.agent) == 0


def test_the_dialled_number_is_shown_when_the_server_writes_our_contact(registered, sip):
    world, desk, pbx = registered
    invite = sip.request("INVITE", pbx.contact(), body=sip.OFFER)
    invite.headers.set("To", "<sip:+4930123@pbx.example>")
    pbx.tell(invite, desk)
    world.run(0.02)
    assert desk.last(IncomingCall).called_user == "+4930123"


@pytest.mark.parametrize(("expires", "ends"), [("20", True), ("x", False), ("9999", False)])
def test_an_invitation_may_expire(world, desk, pbx, sip, expires, ends):
    """RFC 3261 §13.3.1: after Expires it is 487."""
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", ("Expires", expires), body=b"v=0"), desk)
    world.run(25.0)
    assert bool(pbx.responses(487)) is ends
    assert bool(desk.of(CallEnded)) is ends


def test_misuse_is_an_error(world, desk, invited):
    call = invited()
    with pytest.raises(LocalError, match="refuses nothing"):
        desk.agent.reject(call, 200, world.now)
    with pytest.raises(LocalError, match="refuses nothing"):
        desk.agent.reject_reoffer(call, 200, world.now)
    with pytest.raises(LocalError, match="not been answered"):
        desk.agent.info_digit(call, "5", 100, world.now)
    desk.agent.accept(call, b"v=0", world.now)
    with pytest.raises(LocalError, match="waits for an answer"):
        desk.agent.ring(call, world.now)


@LIVES
def test_f52_calls_leave_nothing(world, pair, sip, lives):
    left, right = pair
    world.wire.delay = 0.0
    right.script = lambda heard: (
        right.agent.accept(heard.call, sip.ANSWER, world.now)
        if isinstance(heard, IncomingCall)
        else None
    )
    offers = left.script

    def script(heard):
        offers(heard)
        if isinstance(heard, CallAnswered):
            left.agent.end(heard.call, world.now)

    left.script = script
    ended = 0
    for number in range(lives // 2):  # each is a call placed and a call taken
        left.agent.invite(CallRef(f"c{number}"), sip.LINE, "600", world.now)
        if number % 100 == 99:
            world.run(1.0)
            ended += len(left.of(CallEnded))
            for store in (left.heard, right.heard, world.log):
                store.clear()
    world.run(100.0)
    assert ended == lives // 2
    assert len(left.agent) == 0
    assert len(right.agent) == 0
