"""The phone's own address changes in a call (F9, P9)."""

import pytest

from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from tests.support.desk import Desk, only, sdp

NEW = "198.51.100.7"


def moves(desk, local=NEW):
    return desk.send(n.AddressChanged(desk.front, local))


def test_f09_the_media_goes_to_the_new_address_and_the_far_end_is_told():
    desk = Desk().talking()
    old = desk.front_stream
    commands = moves(desk)
    assert only(commands, c.ReserveMediaPort)[0].local == NEW
    offer = only(commands, c.Reoffer)[0].sdp
    assert f"c=IN IP4 {NEW}".encode() in offer
    assert b"o=- " in offer
    assert offer.split(b"o=- ")[1].split()[1] == b"1", "RFC 3264 §8: one version on"
    assert desk.front_stream != old
    assert list(desk.heard.streams) == [desk.front_stream]
    assert desk.view.mode is Mode.TALKING


def test_p09_sound_goes_on_before_the_far_end_has_agreed():
    desk = Desk().talking()
    before = desk.heard.configured[desk.front_stream]
    moves(desk)
    after = desk.heard.configured[desk.front_stream]
    assert after.remote == before.remote
    assert after.direction is m.Direction.SENDRECV
    assert desk.heard.routes[desk.front_stream] is m.Route.CARD
    desk.send(n.ReofferAnswered(desk.front, sdp(port=7000)))
    assert desk.heard.configured[desk.front_stream].remote[1] == 7000


def test_f09_a_call_on_hold_stays_on_hold_while_it_moves():
    desk = Desk().talking()
    desk.send(a.Hold())
    desk.send(n.ReofferAnswered(desk.front, sdp(direction="recvonly")))
    assert b"a=sendonly" in only(moves(desk), c.Reoffer)[0].sdp
    desk.send(n.ReofferAnswered(desk.front, sdp(direction="recvonly")))
    assert desk.view.front_call.held


def test_f09_one_offer_at_a_time_a_hold_that_is_out_comes_first():
    desk = Desk().talking()
    desk.send(a.Hold())
    assert not only(moves(desk), c.Reoffer)
    commands = desk.send(n.ReofferAnswered(desk.front, sdp(direction="recvonly")))
    assert NEW.encode() in only(commands, c.Reoffer)[0].sdp


def test_f09_a_hold_that_is_refused_lets_the_move_go_on():
    desk = Desk().talking()
    desk.send(a.Hold())
    moves(desk)
    commands = desk.send(n.ReofferRejected(desk.front, 488, "No"))
    assert NEW.encode() in only(commands, c.Reoffer)[0].sdp


@pytest.mark.parametrize("status", [403, 488, 500])
def test_f09_a_far_end_that_does_not_follow_is_a_clean_end_with_the_reason(status):
    desk = Desk().talking()
    moves(desk)
    call = desk.front
    desk.send(n.ReofferRejected(call, status, "No"))
    assert call not in desk.heard.calls
    assert not desk.heard.streams
    assert not desk.heard.ports
    assert desk.view.notice.text == "call_not_moved"


def test_f22_glare_with_a_move_is_tried_again():
    desk = Desk().talking()
    moves(desk)
    assert not only(desk.send(n.ReofferRejected(desk.front, 491, "")), c.Reoffer)
    assert NEW.encode() in only(desk.wait(4.0), c.Reoffer)[0].sdp


def test_f09_no_address_any_more_is_a_clean_end():
    desk = Desk().talking()
    moves(desk, "")
    assert not desk.heard.calls
    assert desk.view.notice.text == "call_not_moved"


def test_f09_no_socket_at_the_new_address_is_a_clean_end():
    desk = Desk().talking()
    desk.no_ports = True
    moves(desk)
    assert not desk.heard.calls
    assert desk.view.notice.text == "call_not_moved"


def test_the_same_address_again_moves_nothing():
    desk = Desk().talking()
    call = desk.phone.state.front_call
    assert moves(desk, call.local) == []
    assert desk.send(n.AddressChanged(n.CallRef("nobody"), NEW)) == []


def test_f09_moving_to_and_fro_keeps_one_stream_and_one_port():
    desk = Desk().talking()
    for local in (NEW, "192.0.2.5", NEW):
        moves(desk, local)
        desk.send(n.ReofferAnswered(desk.front, sdp()))
    assert len(desk.heard.streams) == 1
    assert len(desk.heard.ports) == 1
