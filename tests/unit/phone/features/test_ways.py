"""Calls whose ways are checked: sound goes where that leads, and nowhere else."""

import pytest

from firmware.base.values import replace
from firmware.call.media import NOWHERE, Way
from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import MediaPortReserved, WayFound, WayLost
from firmware.phone.view import Mode
from firmware.sdp.ice import Candidate, Ours, credentials, priority, said
from firmware.sip import notifications as n
from tests.support.desk import Desk, only, sdp

SEED = b"s" * 32
FAR = Ours(b"f" * 32, (Candidate("1", 1, priority("host", 1), "10.0.0.9", 5000, "host"),))
PLACE = ("198.51.100.4", 9000)


def ours(address, port):
    return Ours(SEED, (Candidate("1", 1, priority("host", 1), address, port, "host"),))


class WayDesk(Desk):
    """A phone whose ports come with ways."""

    def _bind(self, command):
        port = next(self.ports)
        self.heard.ports[command.call] = port
        ice = ours(command.local, port)
        return self.send(MediaPortReserved(command.call, command.local, port, ice=ice))


# The account of what is asked for.
def _check_ways(self, command):
    assert self.streams[command.stream] == command.call
    assert self.configured[command.stream].checked


@pytest.fixture(autouse=True)
def _account(monkeypatch):
    monkeypatch.setattr("tests.support.desk.Account._check_ways", _check_ways, raising=False)


def far(end=FAR, *, ice2=True, **more):
    rows = "".join(f"a={x.name}:{x.value}\r\n" for x in said(end, offering=False))
    return sdp(0, extra=rows if ice2 else rows.replace("a=ice-options:ice2\r\n", ""), **more)


def way(number=0, kind="host", remote=PLACE, **more):
    return Way(credentials(SEED, number), kind, remote, remote, **more)


def nominated(desk, remote=PLACE, number=0):
    negotiation = desk.phone._state.calls[0].negotiation
    mine = negotiation.local.ice.candidates[:1]
    theirs = (replace(FAR.candidates[0], host=remote[0], port=remote[1]),)
    more = {"nominated": True, "local": mine, "theirs": theirs}
    return desk.send(WayFound(desk.front_stream, way(number, remote=remote, **more)))


def talking(body=None):
    """We call and are answered."""
    desk = WayDesk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    desk.far_end_rings()
    commands = desk.far_end_answers(far() if body is None else body)
    return desk, commands


def remote(desk):
    return desk.heard.configured[desk.front_stream].remote


def test_a08_nothing_is_sent_until_a_way_is_found_and_then_there():
    desk, commands = talking()
    (wish,) = only(commands, c.CheckWays)
    assert wish.terms.theirs.credentials == FAR.credentials
    assert wish.terms.controlling
    assert remote(desk) == NOWHERE
    desk.send(WayFound(desk.front_stream, way()))
    assert remote(desk) == PLACE
    assert desk.view.front_call.way == "host"


def test_the_checks_are_asked_for_again_by_a_new_audio_process_only_as_they_were():
    desk, commands = talking()
    desk.send(WayFound(desk.front_stream, way()))
    from firmware.phone.events import EngineLost  # noqa: PLC0415 - here alone

    desk.send(EngineLost())
    again = only(desk.engine_ready(), c.CheckWays)
    assert again == only(commands, c.CheckWays)
    assert remote(desk) == PLACE


def test_a_far_end_that_does_without_is_spoken_to_at_once():
    desk, commands = talking(sdp(0))
    assert not only(commands, c.CheckWays)
    assert remote(desk) == ("10.0.0.9", 5000)
    assert desk.view.front_call.way == ""
    desk.send(WayFound(desk.front_stream, way()), WayLost(desk.front_stream, "late"))
    assert remote(desk) == ("10.0.0.9", 5000)


def test_a_caller_is_checked_from_the_answer_on():
    desk = WayDesk()
    assert not only(desk.calls_us(body=far()), c.CheckWays)
    commands = desk.lift()
    (wish,) = only(commands, c.CheckWays)
    assert not wish.terms.controlling
    (accepted,) = only(commands, c.AcceptCall)
    assert b"a=ice-ufrag:" in accepted.sdp


def test_early_media_has_its_way_checked_too_each_fork_by_itself():
    """RFC 8839 §7.3."""
    desk = WayDesk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    (first,) = only(desk.far_end_rings(far(), "a", 183), c.CheckWays)
    desk.send(WayFound(desk.front_stream, way()))
    assert remote(desk) == PLACE
    other = Ours(b"o" * 32, FAR.candidates)
    (second,) = only(desk.far_end_rings(far(other), "b", 183), c.CheckWays)
    assert first.terms.theirs.credentials == FAR.credentials
    assert second.terms.theirs.credentials == other.credentials
    (third,) = only(desk.far_end_answers(far(), "a"), c.CheckWays)
    assert third.terms == first.terms


def test_a_hold_leaves_the_way_as_it_is():
    desk, _ = talking()
    nominated(desk)
    commands = desk.send(a.Hold())
    (offer,) = only(commands, c.Reoffer)
    assert offer.sdp.count(b"a=candidate") == 1
    assert b"remote-candidates:1 198.51.100.4 9000" in offer.sdp
    commands = desk.send(n.ReofferAnswered(desk.front, far(direction="recvonly")))
    assert remote(desk) == PLACE


def test_who_follows_the_old_rules_is_shown_what_was_chosen():
    """RFC 8839 §4.3.4."""
    desk, _ = talking(far(ice2=False))
    commands = nominated(desk)
    (offer,) = only(commands, c.Reoffer)
    assert b"remote-candidates" in offer.sdp
    desk.send(n.ReofferRejected(desk.front, 488, "No"))
    assert desk.view.mode is Mode.TALKING, "it was a courtesy"


@pytest.mark.parametrize(("ice2", "place"), [(True, PLACE), (False, ("10.0.0.9", 5000))])
def test_who_knows_already_or_need_not_is_told_nothing(ice2, place):
    """RFC 8839 §4.3.4."""
    desk, _ = talking(far(ice2=ice2))
    assert not only(nominated(desk, place), c.Reoffer)


def test_a08_a_way_that_is_lost_is_sent_nothing_and_another_one_is_looked_for():
    """RFC 7675 §5.1, RFC 8839 §4.4.1.1.1."""
    desk, _ = talking()
    nominated(desk)
    commands = desk.send(WayLost(desk.front_stream, "silent"))
    assert remote(desk) == NOWHERE
    assert desk.view.notice.text == "call_way_lost"
    (offer,) = only(commands, c.Reoffer)
    assert f"a=ice-ufrag:{credentials(SEED, 1).ufrag}".encode() in offer.sdp
    commands = desk.send(n.ReofferAnswered(desk.front, far(FAR.restarted)))
    (wish,) = only(commands, c.CheckWays)
    assert wish.terms.ours == credentials(SEED, 1)
    desk.send(WayFound(desk.front_stream, way(1, remote=("192.0.2.77", 7))))
    assert remote(desk) == ("192.0.2.77", 7)


def test_a_search_anew_that_finds_nothing_ends_the_call_and_says_why():
    desk, _ = talking()
    nominated(desk)
    desk.send(WayLost(desk.front_stream, "silent"))
    desk.send(n.ReofferAnswered(desk.front, far(FAR.restarted)))
    commands = desk.send(WayLost(desk.front_stream, "no way to the far end was found"))
    assert only(commands, c.EndCall)
    assert desk.notice == "call_no_way"


def test_what_the_far_end_looks_for_anew_in_vain_ends_the_call_too():
    """Its restart came first; ours would only ask for one more."""
    desk, _ = talking()
    nominated(desk)
    desk.send(n.ReofferReceived(desk.front, far(FAR.restarted)))
    desk.send(WayFound(desk.front_stream, way(1, "", NOWHERE)))
    assert remote(desk) == NOWHERE
    commands = desk.send(WayLost(desk.front_stream, "no way to the far end was found"))
    assert only(commands, c.EndCall)
    assert desk.notice == "call_no_way"


def test_who_wants_our_offer_gets_one_for_whoever_will_answer_it():
    """RFC 8839 §7.5: the old way stays until there is another one."""
    desk, _ = talking()
    nominated(desk)
    commands = desk.send(n.ReofferReceived(desk.front, b""))
    (offer,) = only(commands, c.AnswerReoffer)
    assert f"a=ice-ufrag:{credentials(SEED, 1).ufrag}".encode() in offer.sdp
    assert remote(desk) == PLACE


def test_a_far_end_that_will_not_look_anew_is_left():
    desk, _ = talking()
    nominated(desk)
    desk.send(WayLost(desk.front_stream, "silent"))
    commands = desk.send(n.ReofferRejected(desk.front, 488, "No"))
    assert only(commands, c.EndCall)


def test_p09_no_way_at_all_ends_the_call_and_says_why():
    desk, _ = talking()
    commands = desk.send(WayLost(desk.front_stream, "no way to the far end was found"))
    (end,) = only(commands, c.EndCall)
    assert "408" in end.reason
    assert desk.notice == "call_no_way"


def test_nobody_hangs_up_on_an_emergency_call():
    desk = WayDesk()
    desk.lift()
    desk.press("911")
    desk.wait(1)
    desk.way_found()
    desk.far_end_answers(far())
    assert not only(desk.send(WayLost(desk.front_stream, "none")), c.EndCall)


def test_f09_another_address_is_another_search():
    """RFC 8839 §4.4.1.1.1."""
    desk, _ = talking()
    nominated(desk)
    commands = desk.send(n.AddressChanged(desk.front, "198.51.100.7"))
    (offer,) = only(commands, c.Reoffer)
    assert b"c=IN IP4 198.51.100.7" in offer.sdp
    assert remote(desk) == NOWHERE, "the old way began at an address that is gone"
    commands = desk.send(n.ReofferAnswered(desk.front, far(FAR.restarted)))
    assert only(commands, c.CheckWays)


def test_an_outer_address_of_the_settings_is_among_the_places():
    desk = WayDesk()
    desk.lift()
    desk.dials("201")
    commands = desk.send(n.OfferWanted(desk.front, "192.0.2.1", shown="203.0.113.50"))
    (offer,) = only(commands, c.SendOffer)
    assert b"c=IN IP4 203.0.113.50" in offer.sdp
    assert b"typ srflx raddr 192.0.2.1" in offer.sdp


def test_a_handshake_waits_for_a_way():
    """RFC 8842 §5.1: it needs somewhere to go, and a better way is no other far end."""
    from firmware.sdp.keying import Handshake  # noqa: PLC0415 - here alone

    desk, _ = talking()
    call = desk.phone._state.calls[0]
    keys = Handshake(active=True, prints=(("sha-256", b"x" * 32),))
    media = replace(call.negotiation.media, keying=keys)
    negotiation = replace(call.negotiation, media=media)
    state = desk.phone._state.with_call(replace(call, negotiation=negotiation))
    desk.phone._state = state
    commands = desk.send(m.FirstHeard(desk.front_stream))
    assert not only(commands, c.MakeKeys)
    (wish,) = only(desk.send(WayFound(desk.front_stream, way())), c.MakeKeys)
    assert (wish.remote, wish.checked) == (PLACE, True)
