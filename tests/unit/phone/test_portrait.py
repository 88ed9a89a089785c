"""What a person may see of the phone."""

import pytest

from firmware.base.values import replace
from firmware.phone import actions as a
from firmware.phone.events import ConfigJudged, NetworkChanged
from firmware.phone.texts import LINE_CAUSES, notice
from firmware.phone.view import Mode
from firmware.rtp import srtp
from firmware.sip import notifications as n
from firmware.sip.notifications import FailureCause, RegistrationState
from tests.support.desk import LINE, Desk, settings


def line(desk, number=0):
    return desk.view.lines[number]


def test_a_registered_line_has_no_complaint():
    desk = Desk()
    assert (line(desk).state, line(desk).notice) == (RegistrationState.REGISTERED, None)
    assert line(desk).until == desk.now + 600


@pytest.mark.parametrize("cause", FailureCause, ids=lambda cause: cause.value)
def test_a_line_that_fails_says_why_and_when_it_tries_again(cause):
    desk = Desk(registered=False)
    desk.registration_fails(cause, where="pbx.example by UDP")
    assert line(desk).notice.text == LINE_CAUSES[cause]
    assert dict(line(desk).notice.args)["where"] == "pbx.example by UDP"
    assert (line(desk).until, line(desk).since) == (desk.now + 30, desk.now)
    assert desk.heard.logged == [LINE_CAUSES[cause]]


def test_the_same_failure_again_is_logged_once():
    desk = Desk(registered=False)
    for _ in range(5):
        desk.registration_fails()
    assert desk.heard.logged == ["line_wrong_password"]


def test_the_first_try_counts_from_its_beginning():
    desk = Desk(registered=False)
    desk.send(n.RegistrationChanged(LINE, RegistrationState.TRYING, where="pbx by UDP"))
    assert (line(desk).state, line(desk).since, line(desk).until) == (
        RegistrationState.TRYING,
        desk.now,
        0.0,
    )


def test_without_a_network_nobody_counts_to_the_next_try():
    desk = Desk(registered=False)
    desk.registration_fails(FailureCause.NO_ANSWER)
    desk.send(NetworkChanged(up=False))
    assert (line(desk).until, line(desk).since) == (0.0, 0.0)


def test_before_the_first_word_a_line_is_trying():
    desk = Desk(registered=False)
    assert (line(desk).state, line(desk).notice.text) == (
        RegistrationState.TRYING,
        "line_trying",
    )


def test_a_file_with_faults_is_shown_and_logged_until_it_has_none():
    desk = Desk()
    desk.send(ConfigJudged(notice("config_before", file="deskphone.toml", path="/x", count=3)))
    assert desk.notice == "config_before"
    assert desk.heard.logged == ["config_before"]
    desk.send(NetworkChanged(up=False))
    assert desk.notice == "config_before", "the first thing to mend"
    desk.send(NetworkChanged(up=True))
    desk.send(ConfigJudged(None))
    assert desk.notice is None


def test_no_network_is_said_once_for_all_lines():
    desk = Desk(settings(lines=("desk", "spare")))
    desk.send(NetworkChanged(up=False))
    assert desk.notice == "network_down"
    assert [x.notice.text for x in desk.view.lines] == ["network_down", "network_down"]
    assert not desk.view.network_up
    desk.send(NetworkChanged(up=True))
    assert desk.notice is None


def test_a_blocked_line_says_so_and_is_never_used(monkeypatch):
    monkeypatch.setattr(srtp, "installed", lambda: False)
    tree = settings(lines=("desk",))
    secret = replace(tree, lines=(replace(tree.lines[0], srtp="require"),))
    desk = Desk(secret, registered=False)
    assert line(desk).notice.text == "line_blocked"
    desk.send(a.Dial("201"))
    assert (desk.mode, desk.notice, len(desk.phone)) == (Mode.RELEASED, "line_blocked", 0)


def test_a_line_without_registrar_is_off_and_usable():
    tree = settings()
    desk = Desk(replace(tree, lines=(replace(tree.lines[0], register=False),)), registered=False)
    assert (line(desk).state, line(desk).notice) == (RegistrationState.OFF, None)
    desk.lift()
    assert "progress" in desk.sounds


def test_a_call_is_not_shown_before_it_may_ring():
    desk = Desk()
    desk.phone.handle(
        n.IncomingCall(n.CallRef("in-1"), LINE, n.Party("", "7", "sip:7@x"), "1", b"", "10.0.0.1"),
        desk.now,
    )
    assert desk.view.calls == ()
    assert len(desk.phone) == 1


def test_times_are_those_of_the_call():
    desk = Desk()
    desk.lift()
    desk.dials("201")
    started = desk.now - 0.5
    desk.way_found()
    desk.wait(3)
    desk.far_end_answers()
    call = desk.view.front_call
    assert call.started_at == started
    assert call.answered_at == desk.now


def test_a_call_that_did_not_change_looks_the_same():
    desk = Desk().talking()
    before = desk.view.front_call
    desk.calls_us()
    assert desk.view.front_call is before
