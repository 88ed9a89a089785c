from hal.events import DeviceFailed, DeviceRecovered, KeyDown, KeyUp
from hal.held import HeldKeys
from hal.keys import Key

FIVE, HOLD = Key.DIGIT_5, Key.HOLD


def test_a_key_is_pressed_once_and_let_go_once():
    held = HeldKeys()
    assert held.down(FIVE, 1.0) == (KeyDown(FIVE, 1.0),)
    assert held.down(FIVE, 1.1) == ()
    assert held.up(FIVE, 2.0) == (KeyUp(FIVE, 2.0),)
    assert held.up(FIVE, 2.1) == ()
    assert (len(held), held.deadline) == (0, None)


def test_f36_a_key_that_never_comes_up_is_let_go_reported_and_ignored():
    held = HeldKeys()
    held.down(FIVE, 1.0)
    held.down(HOLD, 5.0)
    assert held.deadline == 31.0
    assert held.expire(30.9) == ()
    assert held.expire(31.0) == (KeyUp(FIVE, 31.0), DeviceFailed("key 5", "it is stuck down", 31.0))
    assert held.deadline == 35.0
    assert held.down(FIVE, 32.0) == ()
    assert held.up(FIVE, 40.0) == (DeviceRecovered("key 5", 40.0),)
    assert held.down(FIVE, 41.0) == (KeyDown(FIVE, 41.0),)


def test_whoever_pulls_the_cable_lets_go_of_everything():
    held = HeldKeys(stuck_after=1.0)
    held.down(FIVE, 0.0)
    held.expire(1.0)
    held.down(HOLD, 1.5)
    assert held.release(2.0) == (KeyUp(HOLD, 2.0), DeviceRecovered("key 5", 2.0))
    assert len(held) == 0


def test_ten_thousand_presses_leave_nothing():
    held = HeldKeys()
    for n in range(10_000):
        held.down(FIVE, n)
        held.up(FIVE, n + 0.5)
    assert len(held) == 0
