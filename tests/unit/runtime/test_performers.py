import socket
from typing import get_args

import pytest

from firmware.base.tokens import Tokens
from firmware.base.values import replace
from firmware.control.schema import RecordEvent, RingEvent
from firmware.media.messages import CloseStream, OpenStream, PathName, Route, SetMute
from firmware.net.errors import NoMediaPortError
from firmware.net.media_ports import MediaPorts
from firmware.phone import commands as c
from firmware.phone.events import MediaPortRefused, MediaPortReserved
from firmware.runtime.performers import PERFORMERS, perform
from firmware.sip.agent import Account, AgentSettings, UserAgent
from firmware.sip.invite.replaces import Replaces
from firmware.sip.notifications import CallRef, FailureCause, LineName
from hal.ports import LampPattern

CALL, LINE = CallRef("c1"), LineName("101@pbx")
RECORD = c.CallRecord(
    LINE, outgoing=True, name="Ann", user="204", outcome=c.CallOutcome.ANSWERED, seconds=12.3456
)


def test_every_command_has_a_performer():
    assert set(PERFORMERS) == set(get_args(c.Command))


PICKED = Replaces("abc", "1", "2", early_only=True)
SIP = [
    *(
        (
            c.PlaceCall(CALL, LINE, "204", emergency, replaces),
            ("invite", CALL, LINE, "204", 1000.0, ("emergency", emergency), ("replaces", replaces)),
        )
        for emergency, replaces in ((False, None), (True, None), (False, PICKED))
    ),
    (c.SendOffer(CALL, b"sdp"), ("offer", CALL, b"sdp", 1000.0)),
    (c.SayRinging(CALL), ("ring", CALL, 1000.0, b"")),
    (c.SayRinging(CALL, b"sdp"), ("ring", CALL, 1000.0, b"sdp")),
    (c.AcceptCall(CALL, b"sdp"), ("accept", CALL, b"sdp", 1000.0, ())),
    (
        c.AcceptCall(CALL, b"sdp", by_itself=True),
        ("accept", CALL, b"sdp", 1000.0, (("Answer-Mode", "Auto"),)),
    ),
    (c.RejectCall(CALL, 486, "busy"), ("reject", CALL, 486, 1000.0, "busy")),
    (c.EndCall(CALL, "SIP;cause=408"), ("end", CALL, 1000.0, "SIP;cause=408")),
    (c.Reoffer(CALL, b"sdp"), ("reoffer", CALL, b"sdp", 1000.0)),
    (c.AnswerReoffer(CALL, b"sdp"), ("answer_reoffer", CALL, b"sdp", 1000.0, "")),
    (c.AnswerReoffer(CALL, b"sdp", "a"), ("answer_reoffer", CALL, b"sdp", 1000.0, "a")),
    (c.RejectReoffer(CALL, 488, "no"), ("reject_reoffer", CALL, 488, 1000.0, "no", "")),
    (c.SendInfoDigit(CALL, "5", 120), ("info_digit", CALL, "5", 120, 1000.0)),
]


@pytest.mark.parametrize(("command", "asked"), SIP, ids=lambda row: type(row).__name__)
def test_what_the_phone_wants_of_the_sip_stack(house, command, asked):
    perform(house, command)
    assert house.agent.asked == [asked]


def test_the_sockets_of_a_call_are_bound_and_told(house):
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    pair = house.pairs[CALL]
    assert house.inbox.events == [MediaPortReserved(CALL, "127.0.0.1", pair.port)]


def test_a_new_address_gets_new_sockets_and_the_old_ones_close(house):
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    old = house.pairs[CALL]
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.2"))
    assert house.pairs[CALL].address == "127.0.0.2"
    assert old.rtp.fileno() == -1


def test_an_exhausted_range_is_told_with_its_reason(house):
    class Full:
        def reserve(self, _address, **_more):
            raise NoMediaPortError("all media ports 40000-40001 are taken")

    house.ports = Full()
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    refused = MediaPortRefused(CALL, "all media ports 40000-40001 are taken")
    assert house.inbox.events == [refused]


def test_p10_an_emergency_call_gets_a_port_though_our_own_call_has_the_last(house):
    house.ports = MediaPorts(41_000, 41_001, Tokens(b"p" * 16))
    other = CallRef("c2")
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.36"))
    perform(house, c.ReserveMediaPort(other, "127.0.0.36"))
    perform(house, c.ReserveMediaPort(other, "127.0.0.36", emergency=True))
    first, refused, reserved = house.inbox.events
    assert (first.call, first.port) == (CALL, 41_000)
    assert isinstance(refused, MediaPortRefused)
    assert isinstance(reserved, MediaPortReserved)
    assert house.pairs[other].port == reserved.port


@pytest.fixture
def agent(house):
    """The real SIP stack in the house, with one line."""
    settings = AgentSettings(product="deskphone")
    house.agent = UserAgent(settings, Tokens(b"a" * 16))
    house.agent.set_lines((Account(LINE, "101", "pbx.example"),), 0.0)
    return house.agent


@pytest.mark.parametrize(
    ("line", "target"), [(LINE, "a b"), (LINE, "sip:"), (LineName("gone"), "204")], ids=str
)
def test_a_call_that_the_stack_will_not_place_ends_with_the_reason(house, agent, line, target):
    perform(house, c.PlaceCall(CALL, line, target))
    [ended] = house.inbox.events
    assert (ended.call, ended.by_us, ended.cause) == (CALL, False, FailureCause.OTHER)
    assert ended.phrase
    assert len(agent) == 0


LATE = [row for row, _ in SIP if not isinstance(row, c.PlaceCall)]


@pytest.mark.parametrize("command", LATE, ids=lambda row: type(row).__name__)
def test_what_concerns_a_call_that_is_gone_has_no_effect(house, agent, command):
    perform(house, command)
    assert house.inbox.events == []
    assert agent.take_effects() == []


# Offers cross each other: the stack says in a notification what became of them.
CROSSING = c.EndCall | c.Reoffer | c.AnswerReoffer | c.RejectReoffer


@pytest.mark.parametrize(
    "command", [x for x in LATE if not isinstance(x, CROSSING)], ids=lambda row: type(row).__name__
)
def test_what_a_call_is_not_ready_for_has_no_effect(house, agent, caplog, command):
    perform(house, c.PlaceCall(CALL, LINE, "204"))
    agent.take_effects()
    perform(house, command)
    assert house.inbox.events == []
    assert agent.take_effects() == []
    assert f"{type(command).__name__} came too late" in caplog.text


def test_ten_thousand_calls_leave_no_socket(house):
    for number in range(10_000):
        call = CallRef(f"c{number}")
        perform(house, c.ReserveMediaPort(call, "127.0.0.1"))
        perform(house, c.FreeMediaPort(call))
        house.inbox.events.clear()
    assert house.pairs == {}
    perform(house, c.FreeMediaPort(CALL))  # one that never was


def test_a_stream_takes_the_sockets_of_its_call_along(house):
    perform(house, c.ReserveMediaPort(CALL, "127.0.0.1"))
    order = OpenStream(7, (), Route.CARD)
    perform(house, c.MediaOrder(order, CALL))
    pair = house.pairs[CALL]
    assert house.engine.asked == [("send", order, (pair.rtp.fileno(), pair.rtcp.fileno()))]
    assert house.streams == {7: CALL}


def test_a_stream_without_sockets_is_a_fault_that_is_logged_and_no_more(house, caplog):
    perform(house, c.MediaOrder(OpenStream(7, ()), CALL))
    assert house.engine.asked == []
    assert "stream 7 of call c1 has no sockets" in caplog.text


@pytest.mark.parametrize("order", [CloseStream(7), SetMute(muted=True)])
def test_other_orders_go_as_they_are(house, order):
    perform(house, c.MediaOrder(order))
    assert house.engine.asked == [("send", order)]


def test_the_bell_rings_here_and_on_the_page(house, panel, told):
    perform(house, c.RingBell((1.0, 4.0)))
    assert panel.bell == (1.0, 4.0)
    perform(house, c.RingBell(()))
    assert panel.bell == ()
    assert told == [
        RingEvent(1_763_000_000.0, (1.0, 4.0)),
        RingEvent(1_763_000_000.0, ()),
    ]


def test_a_board_without_bell_and_lamps_does_without(house, told):

    house.board = replace(house.board, ringer=None, lamps=None)
    perform(house, c.RingBell((1.0, 4.0)))
    perform(house, c.SetLamp("ring", LampPattern.ON))
    assert len(told) == 1


def test_a_lamp(house, panel):
    perform(house, c.SetLamp("ring", LampPattern.FAST_BLINK))
    assert panel.lamps["ring"] is LampPattern.FAST_BLINK


def test_the_call_list_gets_the_wall_clock_time(house, told):
    perform(house, c.RecordCall(RECORD))
    assert house.keeper.asked == [("record_call", RECORD, 1_763_000_000.0)]

    [event] = told
    assert isinstance(event, RecordEvent)
    assert (event.row.user, event.row.direction) == ("204", "out")
    assert event.row.seconds == 12.346


def test_the_call_list_keeps_why_a_call_failed_as_a_sentence(house):
    why = {"reason": "call_busy", "reason_args": (("who", "Ann"),)}
    perform(house, c.RecordCall(replace(RECORD, **why)))
    ((_, kept, _),) = house.keeper.asked
    assert kept.reason == "call_busy who=Ann"


def test_a_volume_is_kept(house):
    perform(house, c.KeepVolume(PathName.RINGER, 40))
    assert house.keeper.asked == [("keep_volume", PathName.RINGER, 40)]


def test_a_notice_is_a_sentence_in_the_log(house, caplog):
    caplog.set_level("INFO")
    perform(house, c.LogNotice("line_failed", (("line", "101"),)))
    assert "line_failed line=101" in caplog.text


def test_closed_sockets_are_really_closed(house):
    alone = "127.61.7.9"  # elsewhere somebody might be given the port at once
    perform(house, c.ReserveMediaPort(CALL, alone))
    port = house.pairs[CALL].port
    perform(house, c.FreeMediaPort(CALL))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((alone, port))


def test_subscriptions_are_the_sip_stacks(house):
    asked = []

    class Subscriptions:
        def subscribe(self, *args, **more):
            asked.append((args, more))

        def unsubscribe(self, *args):
            asked.append(args)

    house.agent.subscriptions = Subscriptions()
    perform(house, c.Subscribe("calls", "desk", "dialog", "102"))
    perform(house, c.Unsubscribe("calls"))
    assert asked == [
        (("calls", "desk", "dialog", 1000.0), {"target": "102"}),
        ("calls", 1000.0),
    ]
