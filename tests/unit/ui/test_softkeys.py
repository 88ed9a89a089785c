from firmware.phone.actions import (
    Answer,
    Backspace,
    DialNow,
    Dismiss,
    HangUp,
    Hold,
    Join,
    Mute,
    Redial,
    Resume,
    Transfer,
)
from firmware.phone.view import CallState, Mode
from firmware.sip.notifications import CallRef
from firmware.ui import fonts
from firmware.ui.softkeys import soft_keys, waiting_call
from firmware.ui.text import Texts


def actions(view):
    return [key and key.action for key in soft_keys(view)]


def test_an_idle_phone_offers_redial(make_phone):
    assert actions(make_phone()) == [Redial(), None, None, None]


def test_missed_calls_can_be_cleared(make_phone):
    assert actions(make_phone(missed=1)) == [Redial(), None, None, Dismiss()]


def test_digits_can_be_dialled_and_taken_back(make_phone):
    assert actions(make_phone(Mode.DIALLING)) == [DialNow(), Backspace(), None, HangUp()]


def test_a_call_can_be_answered_or_rejected(make_phone):
    assert actions(make_phone(Mode.RINGING)) == [Answer(), None, None, HangUp()]


def test_a_call_can_be_held_and_muted(make_phone, make_call):
    assert actions(make_phone(Mode.TALKING, make_call())) == [Hold(), Mute(), Transfer(), HangUp()]


def test_a_held_call_can_be_resumed(make_phone, make_call):
    assert actions(make_phone(Mode.TALKING, make_call(held=True)))[0] == Resume()


def test_an_emergency_call_cannot_be_put_on_hold(make_phone, make_call):
    view = make_phone(Mode.TALKING, make_call(emergency=True))
    assert actions(view) == [None, Mute(), None, HangUp()]


def test_a_waiting_call_can_be_answered_or_rejected_from_within_a_call(make_phone, make_call):
    boss = make_call(ref=CallRef("c2"), state=CallState.RINGING_HERE)
    view = make_phone(Mode.TALKING, make_call(), boss)
    assert waiting_call(view) is boss
    assert actions(view) == [Answer("c2"), HangUp("c2"), Hold(), HangUp()]


def test_the_call_in_front_does_not_wait(make_phone, make_call):
    view = make_phone(Mode.RINGING, make_call(state=CallState.RINGING_HERE))
    assert waiting_call(view) is None


def test_a_forgotten_handset_cannot_be_silenced_by_a_soft_key(make_phone):
    assert actions(make_phone(Mode.HOWLER)) == [None] * 4


def test_every_label_fits_above_its_key(all_scenes):
    texts = Texts.load("en")
    for view, _ in all_scenes.values():
        for key in filter(None, soft_keys(view)):
            assert fonts.TINY.measure(texts.say(key.label)) <= 128 // 4


def test_two_calls_can_be_swapped_and_joined(make_phone, make_call):
    carl = make_call(ref=CallRef("c3"), held=True)
    view = make_phone(Mode.TALKING, make_call(), carl)
    assert actions(view) == [Resume("c3"), Join(on=True), Transfer(), HangUp()]


def test_a_conference_can_be_held_and_split(make_phone, make_call):
    carl = make_call(ref=CallRef("c3"))
    view = make_phone(Mode.TALKING, make_call(), carl, conference=("c1", "c3"))
    assert actions(view) == [Hold(), Mute(), Join(on=False), HangUp()]


def test_a_target_is_dialled_or_sent_to_at_once(make_phone, make_call):
    carl = make_call(ref=CallRef("c3"), held=True)
    typed = make_phone(Mode.DIALLING, carl, transferee="c3")
    assert actions(typed) == [DialNow(), Backspace(), Transfer(), HangUp()]
    ringing = make_phone(Mode.CALLING, make_call(), carl, transferee="c3")
    assert actions(ringing) == [None, None, Transfer(), HangUp()]


def test_whom_to_transfer_to_may_be_the_other_call(make_phone, make_call):
    carl, bob = make_call(ref=CallRef("c3"), held=True), make_call(ref=CallRef("c4"), held=True)
    alone = make_phone(Mode.OFF_HOOK, carl, transferee="c3")
    assert actions(alone) == [Redial(), None, None, HangUp()]
    both = make_phone(Mode.OFF_HOOK, carl, bob, transferee="c3")
    assert actions(both) == [Redial(), None, Transfer(), HangUp()]


def test_a_transfer_under_way_can_only_be_left(all_scenes):
    assert actions(all_scenes["transfer_ringing"][0]) == [None, None, None, HangUp()]
