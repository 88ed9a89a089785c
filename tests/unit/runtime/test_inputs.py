import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone.events import EngineLost
from firmware.runtime.inputs import hands_on, inputs_of
from firmware.sip.notifications import FailureCause
from firmware.ui.text import Texts
from hal.events import HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.mock.panel import Panel
from tests.support.desk import Desk, settings

TEXTS = Texts.load()
NOW = 1000.0
LINE, OFF, UNKNOWN = "desk", "spare", "nosuch"
EMERGENCY = "Emergency call: nothing else can be dialled"


def desk_with(*, calls=0, **more):
    """Somebody's phone with two lines, of which the second is not registered."""
    desk = Desk(settings(lines=(LINE, OFF), max_calls=3), registered=False, **more)
    desk.registers(LINE)
    desk.registration_fails(line=OFF, where="pbx by UDP")
    desk.lift()
    for number in range(calls):
        desk.send(a.Dial(f"20{number}"))
        desk.way_found()
        desk.far_end_answers()
    return desk


def in_emergency():
    desk = desk_with()
    desk.send(a.Dial("911"))
    desk.way_found()
    desk.far_end_answers()
    return desk


def refusal_of(request, desk):
    """The line on stderr; nothing may have changed."""
    before = desk.phone.state
    with pytest.raises(RefusedError) as refused:
        inputs_of(request, desk.phone, NOW)
    assert desk.phone.state is before
    return TEXTS.phrase(refused.value.reason)


@pytest.mark.parametrize(
    ("request_", "event"),
    [
        (s.Key(key=Key.MUTE, move=s.KeyMove.DOWN), (KeyDown(Key.MUTE, NOW),)),
        (s.Key(key=Key.MUTE, move=s.KeyMove.UP), (KeyUp(Key.MUTE, NOW),)),
        (s.Key(key=Key.MUTE), (KeyDown(Key.MUTE, NOW), KeyUp(Key.MUTE, NOW))),
        (s.Hook(move=s.HookMove.UP), (HookLifted(NOW),)),
        (s.Hook(move=s.HookMove.DOWN), (HookReplaced(NOW),)),
        (s.Hook(move=s.HookMove.FLASH), (HookFlash(NOW),)),
        (s.Dial(target="204"), (a.Dial("204"),)),
        (s.Dial(target="204", line=LINE), (a.Dial("204", LINE),)),
        (s.HangUp(), (a.HangUp(),)),
        (s.Hold(), (a.Hold(),)),
        (s.Resume(), (a.Resume(),)),
        (s.Dtmf(digits="1a#"), (a.SendDtmf("1A#"),)),
        (s.Mute(on=True), (a.Mute(on=True),)),
        (s.Volume(step=-5), (a.Volume(-5),)),
        (s.Volume(level=0, path=PathName.RINGER), (a.Volume(0, 0, PathName.RINGER),)),
        (s.Path(path=PathName.HANDSET), (a.SelectPath(PathName.HANDSET),)),
    ],
    ids=str,
)
def test_what_a_verb_means_while_a_call_is_up(request_, event):
    assert inputs_of(request_, desk_with(calls=1).phone, NOW) == event


@pytest.mark.parametrize("verb", [s.HangUp, s.Hold, s.Resume])
def test_a_verb_may_name_its_call(verb):
    desk = desk_with(calls=2)
    behind = desk.view.calls[0].ref
    (event,) = inputs_of(verb(call=behind), desk.phone, NOW)
    assert event.call == behind


@pytest.mark.parametrize("ref", [None, "in-1"])
def test_answer_takes_the_call_that_rings(ref):
    desk = Desk()
    desk.calls_us("in-1")
    assert inputs_of(s.Answer(call=ref), desk.phone, NOW) == (a.Answer(ref),)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (s.Dial(target="  "), "Nothing was dialled"),
        (s.Dial(target=""), "Nothing was dialled"),
        (s.Dial(target="204", line=UNKNOWN), "There is no line nosuch; the lines are: desk, spare"),
        (s.Dial(target="204", line=OFF), "Wrong password: check line 2"),
        (s.Answer(), "No call is ringing"),
        (s.Answer(call="c9"), "there is no call c9"),
        (s.Hold(), "No call is up"),
        (s.Resume(), "No call is up"),
        (s.Mute(on=True), "Mute works in a call only"),
        (s.Dtmf(digits="1"), "No call is up"),
        (s.Dtmf(digits=""), '"" are no DTMF digits: write 0-9, *, # and A-D'),
        (s.Dtmf(digits="1,x5"), '"1,x5" are no DTMF digits: write 0-9, *, # and A-D'),
        (s.Volume(level=101), "a volume is 0 to 100 per cent"),
        (s.Volume(level=-1), "a volume is 0 to 100 per cent"),
        (s.Path(path=PathName.HEADSET), "This phone has no headset"),
        (s.Path(path=PathName.RINGER), "The ringer is not for talking"),
    ],
    ids=str,
)
def test_what_makes_no_sense_now_is_refused_with_the_reason(request_, reason):
    paths = (PathName.HANDSET, PathName.SPEAKER, PathName.RINGER)
    assert refusal_of(request_, desk_with(paths=paths)) == reason


def test_with_everything_closed_there_is_nothing_to_hang_up_and_no_handset_to_talk_on():
    desk = Desk()
    assert refusal_of(s.HangUp(), desk) == "there is no call"
    assert refusal_of(s.Path(path=PathName.HANDSET), desk) == "Lift the handset first"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (s.Dial(target="600"), EMERGENCY),
        (s.Dial(target="*#600"), "End the call first"),
        (s.Hold(), "Emergency calls cannot be held"),
    ],
    ids=str,
)
def test_p10_what_would_take_an_emergency_call_from_the_ear_is_refused(request_, reason):
    assert refusal_of(request_, in_emergency()) == reason


def test_p10_a_caller_is_not_answered_over_an_emergency_call():
    desk = in_emergency()
    desk.calls_us("in-1")
    assert refusal_of(s.Answer(call="in-1"), desk) == "Emergency calls cannot be held"


def test_a_phone_with_all_its_calls_taken_dials_no_other_and_leaves_them_as_they_are():
    desk = desk_with(calls=3)
    assert refusal_of(s.Dial(target="209"), desk) == "Too many calls at once"
    desk.send(a.Dial("209"))
    assert not desk.view.front_call.held


@pytest.mark.parametrize("line", [None, LINE, OFF, UNKNOWN])
def test_p10_an_emergency_number_is_never_refused(line):
    for desk in (desk_with(calls=3), in_emergency(), Desk(registered=False)):
        assert inputs_of(s.Dial(target="911", line=line), desk.phone, NOW)


def test_no_line_at_all_and_none_that_is_registered():
    assert refusal_of(s.Dial(target="5"), Desk(settings(lines=()))) == (
        "No line set up: edit deskphone.toml"
    )
    desk = Desk(registered=False)
    desk.registration_fails(FailureCause.NO_ANSWER, where="10.0.0.2:5060 by UDP")
    assert refusal_of(s.Dial(target="5"), desk) == "No answer from 10.0.0.2:5060 by UDP"


def test_digits_that_no_engine_would_send():
    desk = desk_with(calls=1)
    desk.send(EngineLost())
    assert refusal_of(s.Dtmf(digits="1"), desk) == "Sound is restarting"


def test_a_phone_that_is_being_switched_off_refuses_every_wish():
    desk = Desk()
    desk.stop()
    assert refusal_of(s.Dial(target="204"), desk) == "The phone is being switched off"


def test_a_lifted_handset_can_be_hung_up_without_a_call():
    desk = Desk()
    desk.lift()
    assert inputs_of(s.HangUp(), desk.phone, NOW) == (a.HangUp(),)


def test_a_call_that_still_rings_there_cannot_be_held():
    desk = desk_with()
    desk.send(a.Dial("204"))
    desk.way_found()
    desk.far_end_rings()
    assert refusal_of(s.Hold(call=desk.front), desk) == "No call is up"


# --- on a phone without hardware ----------------------------------------------------------------


@pytest.fixture
def fingers():
    """A panel with one key, and what it sent."""
    sent = []
    panel = Panel(lambda: NOW, keys=(Key.MUTE,))
    panel.start(sent.append)
    return panel, sent


def test_a_press_is_down_and_up(fingers):
    panel, sent = fingers
    hands_on(panel, s.Key(key=Key.MUTE))
    assert sent == [KeyDown(Key.MUTE, NOW), KeyUp(Key.MUTE, NOW)]


def test_a_key_that_is_held_stays_down(fingers):
    panel, sent = fingers
    hands_on(panel, s.Key(key=Key.MUTE, move=s.KeyMove.DOWN))
    assert panel.pressed == {Key.MUTE}
    hands_on(panel, s.Key(key=Key.MUTE, move=s.KeyMove.UP))
    assert panel.pressed == frozenset()
    assert len(sent) == 2


def test_a_key_that_is_not_there_is_refused(fingers):
    panel, sent = fingers
    with pytest.raises(RefusedError, match=r"refused\.no_key key=hold"):
        hands_on(panel, s.Key(key=Key.HOLD))
    assert sent == []


def test_the_hook_is_the_panels_own(fingers):
    panel, sent = fingers
    for move in (s.HookMove.UP, s.HookMove.UP, s.HookMove.FLASH):
        hands_on(panel, s.Hook(move=move))
    assert panel.off_hook
    hands_on(panel, s.Hook(move=s.HookMove.DOWN))
    assert not panel.off_hook
    assert sent == [HookLifted(NOW), HookReplaced(NOW), HookFlash(NOW), HookReplaced(NOW)]
