"""Hook, flash and path keys."""

import pytest

from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip.notifications import CallRef, FailureCause
from hal.events import HeadsetPlugged, HeadsetUnplugged, HookFlash, HookReplaced
from tests.support.desk import Desk, only, settings


def test_putting_down_ends_the_call_when_it_was_no_flash():
    desk = Desk().talking()
    ref = desk.front
    commands = desk.replace()
    assert commands[0] == c.MediaOrder(m.TalkOn(None))
    assert not only(commands, c.EndCall)
    assert not only(desk.wait(0.4), c.EndCall)
    assert c.EndCall(ref) in desk.wait(0.2)
    assert desk.mode is Mode.IDLE


def test_f37_the_board_says_how_long_a_tap_may_be():
    """An old exchange's hook is slow: a second passes before the call has surely ended."""
    desk = Desk().talking()
    ref = desk.front
    desk.send(HookReplaced(desk.now, flash_max=1.0))
    assert not only(desk.wait(0.9), c.EndCall)
    desk.send(HookFlash(desk.now))
    assert not only(desk.wait(5), c.EndCall)
    desk.send(HookReplaced(desk.now, flash_max=1.0))
    assert c.EndCall(ref) in desk.wait(1.1)


def test_f37_where_a_tap_means_nothing_the_call_ends_at_once():
    desk = Desk().talking()
    ref = desk.front
    commands = desk.send(HookReplaced(desk.now, flash_max=0))
    assert c.MediaOrder(m.TalkOn(None)) in commands, "nobody hears what comes after"
    assert c.EndCall(ref) in commands
    assert desk.mode is Mode.IDLE


def test_a_tap_on_the_hook_keeps_the_call():
    desk = Desk().talking()
    ref = desk.front
    desk.flash()
    assert not only(desk.wait(5), c.EndCall)
    assert (desk.front, desk.microphone) == (ref, PathName.HANDSET)


def test_a_quick_lift_keeps_the_call_too():
    desk = Desk().talking()
    desk.replace()
    desk.wait(0.3)
    desk.lift()
    assert not only(desk.wait(5), c.EndCall)
    assert desk.microphone is PathName.HANDSET


def test_a_flash_alone_is_understood():
    """Hardware that filters the tap tells of the flash only."""
    desk = Desk().talking()
    desk.calls_us()
    desk.send(HookFlash(desk.now))
    assert desk.front == CallRef("in-1")


def test_a_flash_goes_to_and_fro_between_two_calls():
    desk = Desk().talking()
    first = desk.front
    desk.calls_us()
    desk.flash()
    assert desk.front == CallRef("in-1")
    desk.acknowledged()
    desk.flash()
    assert desk.front == first
    desk.flash()
    assert desk.front == CallRef("in-1")


def test_a_flash_in_released_gives_dial_tone():
    desk = Desk().talking()
    desk.far_end_hangs_up()
    desk.flash()
    assert desk.mode is Mode.OFF_HOOK


def test_f40_the_far_end_hangs_up_while_the_hook_falls():
    desk = Desk().talking()
    desk.replace()
    desk.far_end_hangs_up()
    assert desk.mode is Mode.IDLE
    assert not only(desk.wait(1), c.EndCall)


def test_f40_the_caller_gives_up_while_the_handset_rises():
    desk = Desk()
    desk.calls_us()
    desk.call_fails(FailureCause.CANCELLED)
    desk.lift()
    assert desk.mode is Mode.OFF_HOOK
    assert desk.sounds == {"progress": PathName.HANDSET}


def test_the_speaker_key_moves_the_talk_and_the_hook_may_go_down():
    desk = Desk().talking()
    desk.send(a.SelectPath(PathName.SPEAKER))
    assert desk.microphone is PathName.SPEAKER
    assert not only(desk.put_down(), c.EndCall)
    assert desk.microphone is PathName.SPEAKER


def test_the_speaker_key_again_puts_down():
    desk = Desk()
    desk.send(a.Dial("201"))
    desk.way_found()
    desk.far_end_answers()
    assert only(desk.send(a.SelectPath(PathName.SPEAKER)), c.EndCall)
    assert desk.mode is Mode.IDLE


def test_the_speaker_key_again_goes_back_to_a_handset_in_the_hand():
    desk = Desk().talking()
    desk.send(a.SelectPath(PathName.SPEAKER))
    desk.send(a.SelectPath(PathName.SPEAKER))
    assert desk.microphone is PathName.HANDSET


def test_lifting_takes_the_talk_from_the_speaker():
    desk = Desk()
    desk.send(a.Dial("201"))
    desk.way_found()
    desk.far_end_answers()
    desk.lift()
    assert desk.microphone is PathName.HANDSET


def test_p11_a_handset_on_its_cradle_is_never_chosen():
    desk = Desk()
    desk.send(a.SelectPath(PathName.HANDSET))
    assert desk.mode is Mode.IDLE
    desk.calls_us()
    desk.send(a.SelectPath(PathName.HANDSET))
    assert desk.mode is Mode.RINGING


def test_the_ringer_is_nothing_to_talk_on():
    desk = Desk()
    desk.send(a.SelectPath(PathName.RINGER))
    assert desk.mode is Mode.IDLE


def test_f39_with_the_hook_stuck_down_the_speaker_key_still_works():
    desk = Desk()
    desk.send(a.SelectPath(PathName.SPEAKER))
    assert (desk.mode, desk.sounds) == (Mode.OFF_HOOK, {"progress": PathName.SPEAKER})
    desk.dials("201")
    assert desk.mode is Mode.CALLING


def test_f38_a_handset_left_off_is_reminded_of_then_left_alone_and_calls_still_ring():
    desk = Desk()
    desk.lift()
    desk.wait(20)
    assert (desk.mode, desk.notice) == (Mode.RELEASED, "nothing_dialled")
    desk.wait(30)
    assert (desk.mode, desk.notice) == (Mode.HOWLER, "handset_off_hook")
    assert desk.heard.tones["progress"].segments[0].level > -12
    desk.wait(60)
    assert (desk.mode, desk.sounds) == (Mode.IDLE, {})
    assert desk.phone.next_deadline() is None
    desk.calls_us()
    assert desk.sounds == {"ring": PathName.RINGER}
    desk.replace()
    desk.lift()
    assert desk.mode is Mode.TALKING


def test_hands_free_nobody_is_howled_at():
    desk = Desk()
    desk.send(a.SelectPath(PathName.SPEAKER))
    desk.wait(20)
    assert desk.mode is Mode.RELEASED
    desk.wait(8)
    assert desk.mode is Mode.IDLE


def test_hanging_up_with_the_handset_in_hand_gives_dial_tone():
    desk = Desk().talking()
    assert only(desk.send(a.HangUp()), c.EndCall)
    assert desk.mode is Mode.OFF_HOOK


def test_a_headset_takes_over_from_the_loudspeaker_and_gives_back():
    desk = Desk()
    desk.send(a.Dial("201"))
    desk.way_found()
    desk.far_end_answers()
    desk.send(HeadsetPlugged(0))
    assert desk.microphone is PathName.HEADSET
    desk.send(HeadsetUnplugged(0))
    assert desk.microphone is PathName.SPEAKER


def test_a_headset_does_not_take_over_from_the_handset():
    desk = Desk().talking()
    desk.send(HeadsetPlugged(0))
    assert desk.microphone is PathName.HANDSET


def test_with_a_headset_in_hands_free_means_the_headset():
    desk = Desk()
    desk.send(HeadsetPlugged(0))
    desk.send(a.Dial("201"))
    assert desk.heard.talk.path is PathName.HEADSET


@pytest.mark.parametrize("paths", [(PathName.HANDSET,), (PathName.HANDSET, PathName.RINGER)])
def test_a_phone_with_only_a_handset_keeps_it_closed_until_it_is_lifted(paths):
    desk = Desk(settings(), paths=paths)
    desk.send(a.Dial("201"))
    desk.way_found()
    desk.far_end_answers()
    assert desk.heard.talk.path is None
    desk.lift()
    assert desk.microphone is PathName.HANDSET


def test_a_device_without_a_hook_may_use_its_only_path():
    desk = Desk(settings(), paths=(PathName.HANDSET,), has_hook=False)
    desk.send(a.Dial("201"))
    assert desk.heard.talk.path is PathName.HANDSET
