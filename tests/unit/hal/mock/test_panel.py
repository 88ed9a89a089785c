import pytest

from hal.events import HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.mock.panel import Panel


class Desk:
    """A panel, the clock on the wall and the notebook of what it told."""

    def __init__(self, **parts):
        self.now = 100.0
        self.told = []
        self.panel = Panel(lambda: self.now, **parts)
        self.panel.start(self.told.append)


@pytest.fixture
def desk():
    return Desk()


def test_a_key_is_told_down_and_up_in_its_moment(desk):
    desk.panel.press(Key.HOLD)
    desk.now += 0.8
    desk.panel.release(Key.HOLD)
    assert desk.told == [KeyDown(Key.HOLD, 100.0), KeyUp(Key.HOLD, 100.8)]


def test_a_second_finger_on_the_same_key_changes_nothing(desk):
    desk.panel.press(Key.DIGIT_1)
    desk.panel.press(Key.DIGIT_1)
    desk.panel.release(Key.DIGIT_1)
    desk.panel.release(Key.DIGIT_1)
    assert len(desk.told) == 2
    assert desk.panel.pressed == frozenset()


def test_a_key_that_the_phone_does_not_have_cannot_be_pressed():
    desk = Desk(keys=[Key.DIGIT_1])
    desk.panel.press(Key.TRANSFER)
    desk.panel.release(Key.TRANSFER)
    assert desk.told == []
    assert desk.panel.keys == {Key.DIGIT_1}


def test_the_handset_is_lifted_once_and_replaced_once(desk):
    desk.panel.replace()
    desk.panel.lift()
    desk.panel.lift()
    assert desk.panel.off_hook
    desk.panel.replace()
    assert desk.told == [HookLifted(100.0), HookReplaced(100.0)]
    assert not desk.panel.off_hook


def test_a_tap_on_the_hook_is_what_a_real_switch_tells(desk):
    desk.panel.flash()
    assert desk.told == [], "a handset that is down cannot be tapped"
    desk.panel.lift()
    desk.panel.flash()
    assert desk.told == [HookLifted(100.0), HookReplaced(100.0), HookFlash(100.0)]
    assert desk.panel.off_hook


def test_a_phone_without_a_hook_cannot_be_lifted():
    desk = Desk(hook=False)
    desk.panel.lift()
    assert desk.told == []
    assert not desk.panel.off_hook


def test_a_bare_panel_has_no_screen_no_lamps_and_no_bell():
    desk = Desk(size=None, bell=False)
    assert (desk.panel.screen, desk.panel.ringer) == (None, None)
    assert (desk.panel.picture, desk.panel.lamps, desk.panel.bell) == (None, {}, ())


def test_whoever_looks_at_the_lamps_cannot_switch_them(desk):
    desk = Desk(lamps=["message"])
    desk.panel.lamps.clear()
    assert list(desk.panel.lamps) == ["message"]


def test_ten_thousand_presses_leave_no_finger_behind(desk):
    for n in range(10_000):
        key = list(Key)[n % len(Key)]
        desk.panel.press(key)
        desk.panel.release(key)
    assert desk.panel.pressed == frozenset()
