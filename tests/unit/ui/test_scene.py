import pytest

from firmware.phone.view import Notice
from firmware.ui.scene import Scene, talked, who
from firmware.ui.text import Texts

TEXTS = Texts.load("en")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0:00"), (7.9, "0:07"), (60, "1:00"), (754, "12:34"), (3723, "1:02:03")],
)
def test_how_long_a_call_lasts(seconds, shown, make_call):
    assert talked(make_call(answered_at=100.0), 100.0 + seconds) == shown


def test_a_call_that_is_not_answered_has_lasted_no_time(make_call):
    assert talked(make_call(answered_at=0.0), 5000.0) == "0:00"


@pytest.mark.parametrize(
    ("name", "user", "shown"),
    [
        ("Ann", "204", ("Ann", "204")),
        ("", "204", ("204", "")),
        ("204", "204", ("204", "")),
        ("", "", ("Unknown caller", "")),
        ("Ann", "", ("Ann", "")),
    ],
)
def test_whom_a_call_is_with(name, user, shown, make_call):
    assert who(make_call(name=name, user=user), TEXTS) == shown


def test_the_time_and_date_are_those_of_the_wall_clock(scene_of):
    scene = Scene(*scene_of("idle"), TEXTS)
    assert (scene.time(), scene.date()) == ("14:05", "Fri 21 Nov")


def test_a_clock_that_is_not_set_shows_no_time(scene_of):
    scene = Scene(*scene_of("idle_clock_unset"), TEXTS)
    assert (scene.time(), scene.date()) == ("--:--", "")


def test_a_notice_is_said_with_its_arguments(scene_of):
    scene = Scene(*scene_of("idle"), TEXTS)
    assert scene.notice(Notice("call_busy", (("who", "Ann"),))) == "Ann is busy"
    assert scene.notice(None) == ""
