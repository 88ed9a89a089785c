import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone.view import CallState
from firmware.runtime.inputs import hands_on, inputs_of
from firmware.ui.text import Texts
from hal.events import HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.mock.panel import Panel

TEXTS = Texts.load()
NOW = 1000.0
EVERY_PATH = tuple((path, 70) for path in (PathName.HANDSET, PathName.RINGER))


@pytest.fixture
def up(a_view, a_call):
    """A view with one call up."""
    return a_view(a_call(), volumes=EVERY_PATH)


@pytest.fixture
def quiet(a_view):
    return a_view(volumes=EVERY_PATH)


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
        (s.Dial(target="204", line="101@pbx"), (a.Dial("204", "101@pbx"),)),
        (s.HangUp(), (a.HangUp(),)),
        (s.HangUp(call="c1"), (a.HangUp("c1"),)),
        (s.Hold(), (a.Hold("c1"),)),
        (s.Resume(call="c1"), (a.Resume("c1"),)),
        (s.Dtmf(digits="1a#"), (a.SendDtmf("1A#", "c1"),)),
        (s.Mute(on=True), (a.Mute(on=True),)),
        (s.Volume(step=-5), (a.Volume(-5),)),
        (s.Volume(level=0, path=PathName.RINGER), (a.Volume(0, 0, PathName.RINGER),)),
        (s.Path(path=PathName.HANDSET), (a.SelectPath(PathName.HANDSET),)),
    ],
    ids=str,
)
def test_what_a_verb_means_while_a_call_is_up(up, request_, event):
    assert inputs_of(request_, up, NOW) == event


@pytest.mark.parametrize("ref", [None, "in-1"])
def test_answer_takes_the_call_that_rings(a_view, a_call, ref):
    view = a_view(a_call("in-1", CallState.RINGING_HERE))
    assert inputs_of(s.Answer(call=ref), view, NOW) == (a.Answer(ref),)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (s.Dial(target="  "), "there is nothing to dial"),
        (s.Dial(target="204", line="x"), "there is no line x; the lines are: 101@pbx"),
        (s.Answer(), "no call is ringing"),
        (s.Answer(call="c9"), "there is no call c9"),
        (s.HangUp(), "there is no call"),
        (s.Hold(), "no call is up"),
        (s.Resume(), "no call is up"),
        (s.Dtmf(digits="1"), "no call is up"),
        (s.Dtmf(digits=""), '"" are no DTMF digits: write 0-9, *, # and A-D'),
        (s.Dtmf(digits="1,x5"), '"1,x5" are no DTMF digits: write 0-9, *, # and A-D'),
        (s.Volume(level=101), "a volume is 0 to 100 per cent"),
        (s.Volume(level=-1), "a volume is 0 to 100 per cent"),
        (s.Path(path=PathName.HEADSET), "this phone has no headset"),
    ],
    ids=str,
)
def test_what_makes_no_sense_now_is_refused_with_the_reason(quiet, request_, reason):
    with pytest.raises(RefusedError) as refused:
        inputs_of(request_, quiet, NOW)
    assert TEXTS.phrase(refused.value.reason) == reason


def test_a_lifted_handset_can_be_hung_up_without_a_call(a_view):
    assert inputs_of(s.HangUp(), a_view(off_hook=True), NOW) == (a.HangUp(),)


def test_a_call_that_still_rings_there_cannot_be_held(a_view, a_call):
    view = a_view(a_call(state=CallState.RINGING_THERE))
    with pytest.raises(RefusedError, match=r"refused\.not_talking"):
        inputs_of(s.Hold(call="c1"), view, NOW)


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
