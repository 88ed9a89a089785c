"""Texts at the desk: counted, shown, read, sent."""

import pytest

from firmware.config.schema import LineSettings, Settings
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import KeptText, SettingsChanged, TextsKept
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from firmware.sip.causes import cause_of
from firmware.sip.facts import Activity
from firmware.sip.names import FailureCause, Party
from firmware.ui.softkeys import soft_keys
from tests.support.desk import LINE, Desk, only

ANN = Party("Ann", "201", "sip:201@pbx")


def write(desk, text="Lunch?", sender=ANN):
    return desk.send(n.MessageReceived(LINE, sender, text))


def shown(desk):
    notice = desk.view.notice
    return None if notice is None else (notice.text, dict(notice.args).get("words"))


def test_a_text_stands_on_the_screen_and_is_counted():
    desk = Desk()
    write(desk, "Lunch\nat one?")
    assert shown(desk) == ("message_from", "Lunch at one?")
    assert [(text.name, text.text) for text in desk.view.texts] == [("Ann", "Lunch\nat one?")]
    assert desk.view.unread == 1
    desk.wait(31)
    assert shown(desk) is None
    assert desk.view.unread == 1


def test_a24_the_log_says_who_wrote_but_not_what():
    commands = write(Desk(), "the code is 4711")
    logged = [dict(command.args) for command in only(commands, c.LogNotice)]
    assert logged == [{"who": "Ann", "line": LINE}]


def test_a_text_does_not_disturb_a_call():
    desk = Desk().talking()
    write(desk)
    assert (desk.mode, shown(desk), desk.view.unread) == (Mode.TALKING, None, 1)


def test_the_key_reads_one_after_the_other():
    desk = Desk()
    for text in ("one", "two", "three"):
        write(desk, text)
    assert shown(desk) == ("message_from", "one")
    assert soft_keys(desk.view)[3].label == "key.read"
    seen = []
    for _ in range(4):
        desk.send(a.Dismiss())
        seen.append(shown(desk))
    assert seen == [("message_from", "two"), ("message_from", "three"), None, None]
    assert desk.view.unread == 0
    assert soft_keys(desk.view)[3] is None


def test_those_that_came_during_a_call_are_read_after_it():
    desk = Desk().talking()
    write(desk, "one")
    desk.put_down()
    desk.wait(2)
    desk.send(a.Dismiss())
    assert shown(desk) == ("message_from", "one")
    assert desk.view.unread == 0


def test_missed_calls_are_cleared_when_all_is_read():
    desk = Desk()
    desk.calls_us()
    desk.far_end_hangs_up("in-1")
    desk.wait(10)
    write(desk)
    desk.wait(31)
    desk.send(a.Dismiss())
    assert desk.view.missed == 1
    desk.send(a.Dismiss())
    assert desk.view.missed == 0


def test_no_more_are_kept_than_anybody_would_read():
    desk = Desk()
    for number in range(80):
        write(desk, str(number))
    assert [desk.view.texts[0].text, desk.view.texts[-1].text] == ["30", "79"]
    assert len(desk.view.texts) == 50


def test_who_writes_is_seen():
    desk = Desk()
    desk.send(n.ComposingChanged(LINE, ANN, active=True))
    desk.send(n.ComposingChanged(LINE, ANN, active=True))
    assert desk.view.writing == ("Ann",)
    desk.send(n.ComposingChanged(LINE, ANN, active=False))
    assert desk.view.writing == ()


class TestKept:
    def test_each_text_is_written_down_and_marked_when_it_was_read(self):
        desk = Desk()
        [kept] = only(write(desk), c.KeepText)
        assert (kept.line, kept.sender, kept.text) == (LINE, ANN, "Lunch?")
        write(desk, "two")
        marked = only(desk.send(a.Dismiss()), c.MarkRead)
        assert marked[0].keys == (kept.key,)

    def test_those_of_an_earlier_run_are_there_again(self):
        desk = Desk()
        write(desk, "new")
        old = [
            KeptText(f"x-{n}", -500.0 + n, LINE, ANN, f"old {n}", unread=n > 0) for n in range(2)
        ]
        assert only(desk.send(TextsKept(tuple(old))), c.KeepText) == []
        assert [text.text for text in desk.view.texts] == ["old 0", "old 1", "new"]
        assert len({text.number for text in desk.view.texts}) == 3
        assert max(text.number for text in desk.view.texts[:2]) < 0  # nothing new to listeners
        assert desk.view.unread == 2

    def test_they_can_be_read_and_forgotten_elsewhere(self):
        desk = Desk()
        write(desk)
        assert only(desk.send(a.TextsRead()), c.MarkRead) == [c.MarkRead()]
        assert (desk.view.unread, shown(desk), len(desk.view.texts)) == (0, None, 1)
        assert only(desk.send(a.TextsRead(forget=True)), c.ForgetTexts) == [c.ForgetTexts()]
        assert desk.view.texts == ()


class TestInCalls:
    def test_a_text_goes_into_the_call_that_is_up(self):
        desk = Desk().talking()
        command = only(desk.send(a.SendText("", "Hello")), c.SendMessage)[0]
        assert (command.call, command.target) == (desk.view.front, "")
        assert desk.view.sending == (desk.view.front_call.name or desk.view.front_call.user,)

    def test_but_not_before_it_is(self):
        desk = Desk()
        assert desk.phone.refusal(a.SendText("", "Hello")).text == "no_call_up"
        desk.calls_us()
        assert desk.phone.refusal(a.SendText("", "Hello")).text == "no_call_up"
        assert only(desk.send(a.SendText("", "Hello")), c.SendMessage) == []

    def test_who_is_written_to_may_see_it(self):
        desk = Desk().talking()
        command = only(desk.send(a.Writing("")), c.SayWriting)[0]
        assert (command.call, command.active) == (desk.view.front, True)
        command = only(desk.send(a.Writing("102", active=False)), c.SayWriting)[0]
        assert (command.call, command.target, command.active) == (None, "102", False)


class TestSending:
    def test_a_text_goes_out_on_the_default_line(self):
        desk = Desk()
        command = only(desk.send(a.SendText("102", "Hello")), c.SendMessage)[0]
        assert (command.line, command.target, command.text) == (LINE, "102", "Hello")
        assert desk.view.sending == ("102",)

    @pytest.mark.parametrize(
        ("cause", "said"),
        [
            (None, "message_sent"),
            (FailureCause.NOT_FOUND, "call_not_found"),
            (FailureCause.NO_ANSWER, "call_no_answer"),
        ],
    )
    def test_what_became_of_it_is_said(self, cause, said):
        desk = Desk()
        command = only(desk.send(a.SendText("102", "Hello")), c.SendMessage)[0]
        desk.send(n.MessageOutcome(command.ref, LINE, cause))
        assert desk.view.notice.text == said
        assert desk.view.sending == ()
        assert desk.send(n.MessageOutcome(command.ref, LINE, cause)) == []

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (202, "message_kept"),
            (413, "message_too_long"),
            (415, "message_not_taken"),
            (405, "message_not_taken"),
            (404, "call_not_found"),
        ],
    )
    def test_an_answer_means_another_thing_than_with_a_call(self, status, said):
        """RFC 3428 §4: a 202 says no more than that somebody keeps it."""
        desk = Desk()
        command = only(desk.send(a.SendText("102", "Hello")), c.SendMessage)[0]
        cause = cause_of(status) if status >= 300 else None
        desk.send(n.MessageOutcome(command.ref, LINE, cause, status))
        assert desk.view.notice.text == said

    @pytest.mark.parametrize(
        ("wish", "why"),
        [
            (a.SendText("102", " "), "message_empty"),
            (a.SendText(" ", "x"), "call_not_dialable"),
            (a.SendText("102", "x", "none"), "call_no_such_line"),
            (a.SendText("102", "ü" * 401), "message_too_long"),
        ],
    )
    def test_what_cannot_be_sent_is_said_at_once(self, wish, why):
        desk = Desk()
        assert only(desk.send(wish), c.SendMessage) == []
        assert desk.phone.refusal(wish).text == why

    def test_without_a_line_or_a_registration(self):
        wish = a.SendText("102", "x")
        assert Desk(Settings()).phone.refusal(wish).text == "line_none"
        desk = Desk()
        state = n.RegistrationState.FAILED
        desk.send(n.RegistrationChanged(LINE, state, FailureCause.FORBIDDEN, 403))
        assert desk.phone.refusal(wish).text == "line_forbidden"

    def test_not_too_many_at_once(self):
        desk = Desk()
        for _ in range(8):
            assert only(desk.send(a.SendText("102", "x")), c.SendMessage)
        assert desk.phone.refusal(a.SendText("102", "x")).text == "message_too_many"


class TestPresence:
    def lines(self, **more):
        return Settings(lines=(LineSettings("100", "pbx", name=LINE, **more),))

    def test_what_the_phone_does_is_shown_once_for_each_change(self):
        desk = Desk(self.lines(publish_presence=True))
        assert desk.heard.shown == [(LINE, "")]
        desk.talking()
        desk.put_down()
        desk.wait(2)
        assert desk.heard.shown == [(LINE, ""), (LINE, "on-the-phone"), (LINE, "")]

    def test_a_ringing_phone_is_not_on_the_phone(self):
        desk = Desk(self.lines(publish_presence=True))
        desk.calls_us()
        assert desk.heard.shown == [(LINE, "")]

    def test_a_person_may_be_shown_as_away_or_busy(self):
        """RFC 4480 §3.2: who talks is not away; who wants no calls wants none then either."""
        desk = Desk(self.lines(publish_presence=True))
        desk.send(a.ShowAs(Activity.AWAY))
        desk.talking()
        desk.send(a.ShowAs(Activity.DO_NOT_DISTURB))
        desk.put_down()
        desk.send(a.ShowAs(Activity.AVAILABLE))
        words = [word for _, word in desk.heard.shown]
        assert words == ["", "away", "on-the-phone", "busy", ""]

    def test_which_is_said_to_be_of_no_use_where_nobody_sees_it(self):
        assert Desk().phone.refusal(a.ShowAs(Activity.AWAY)).text == "presence_not_shown"

    def test_nothing_is_shown_unless_the_settings_say_so(self):
        desk = Desk().talking()
        assert desk.heard.shown == []

    def test_switched_off_it_is_taken_back(self):
        desk = Desk(self.lines(publish_presence=True))
        desk.send(SettingsChanged(self.lines()))
        assert desk.heard.shown[-1] == (LINE, None)

    def test_people_are_watched_and_seen(self):
        desk = Desk(self.lines(buddies=("102", "103")))
        assert desk.heard.buddies == {LINE: ("102", "103")}
        desk.send(n.PresenceChanged(LINE, "102", True, ("on-the-phone",), "back at two"))  # noqa: FBT003
        buddy = desk.view.buddies[0]
        assert (buddy.who, buddy.available, buddy.activities, buddy.note) == (
            "102",
            True,
            ("on-the-phone",),
            "back at two",
        )

    def test_who_is_not_asked_for_is_not_seen(self):
        desk = Desk(self.lines(buddies=("102",)))
        desk.send(n.PresenceChanged(LINE, "666", available=True))
        assert desk.view.buddies == ()

    def test_taken_off_the_list_they_are_gone(self):
        desk = Desk(self.lines(buddies=("102",)))
        desk.send(n.PresenceChanged(LINE, "102", available=True))
        desk.send(SettingsChanged(self.lines()))
        assert desk.view.buddies == ()
        assert desk.heard.buddies == {LINE: ()}
