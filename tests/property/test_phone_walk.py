"""The phone walked by random hands, callers, servers and clocks.

However keys, hook, SIP notifications, engine reports and time fall: nothing raises, the microphone
is open only where somebody talks, what rings stops, nothing plays in idle, every port and stream
is given back, emergency numbers go out, and there is always a way back to rest.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.config.schema import (
    AudioSettings,
    LineSettings,
    PhoneSettings,
    RecordingSettings,
    Settings,
)
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import events as e
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, FailureCause, LineName, Party, RegistrationState
from hal import events as hal
from hal.keys import Key
from tests.support.desk import ALL_PATHS, Desk, sdp

BODIES = (b"", b"nonsense", sdp(), sdp(8), sdp(18), sdp(direction="sendonly"), sdp(port=0))
NUMBERS = ("201", "911", "*#600", "", "sip:ann@example.org", "sip:911@x", "a b", "1" * 90)
PARTIES = (Party("", "", ""), Party("Ann", "201", "sip:201@x"))
SENT_TO = (PARTIES[1], Party("", "911", "sip:911@x"), Party("", "", "sip:x"))
PATH_SETS = (
    ALL_PATHS,
    (PathName.HANDSET, PathName.RINGER),
    (PathName.SPEAKER,),
    (),
    (PathName.HANDSET, PathName.HEADSET),
)
LINES = (LineName("desk"), LineName("always"), LineName("trusted"), LineName("nobody"))
TREES = tuple(
    Settings(
        phone=PhoneSettings(max_calls=calls),
        lines=tuple(
            LineSettings("100", "pbx", name=name, auto_answer=auto, register=registers)
            for name, auto, registers in lines
        ),
        audio=AudioSettings(loop=loop),
        recording=RecordingSettings(recorded, tone=loop),
    )
    for calls, loop, recorded, lines in (
        (8, False, "asked", (("desk", "never", True), ("always", "always", True))),
        (2, False, "always", (("desk", "never", False), ("trusted", "trusted", True))),
        (3, True, "always", (("always", "always", True),)),
        (1, False, "never", ()),
    )
)

refs = st.integers(0, 3)
bodies = st.sampled_from(BODIES)
optional_ref = st.one_of(st.none(), refs)


def _ref(desk, index):
    """A live call if there is one at that place, else a stranger."""
    calls = desk.phone.state.calls
    return calls[index].ref if index < len(calls) else CallRef(f"in-gone-{index}")


def _named(kind, *rest):
    return lambda desk, i: kind(None if i is None else _ref(desk, i), *rest)


# Each step is a function of the desk to an event, so that it can name the calls that live then.
plain = st.one_of(
    st.sampled_from("0123456789*#911911").map(a.Digit),
    st.sampled_from(
        (a.Backspace(), a.DialNow(), a.Redial(), a.Dismiss(), a.Mute(), a.Mute(on=True))
    ),
    st.builds(a.Dial, st.sampled_from(NUMBERS), st.sampled_from((None, *LINES))),
    st.builds(a.Volume, st.integers(-200, 200), st.sampled_from((None, 0, 50, 400))),
    st.sampled_from(tuple(PathName)).map(a.SelectPath),
    st.sampled_from((hal.HookLifted(0), hal.HookReplaced(0), hal.HookFlash(0))),
    st.sampled_from((hal.HookLifted(0), hal.HookReplaced(0), hal.HookFlash(0))),
    st.sampled_from(
        (
            hal.HeadsetPlugged(0),
            hal.HeadsetUnplugged(0),
            hal.DeviceFailed("oled", "no answer", 0),
            hal.DeviceRecovered("oled", 0),
            hal.KeyDown(Key.DIGIT_1, 0),
            hal.KeyUp(Key.DIGIT_1, 0),
        )
    ),
    st.builds(
        n.RegistrationChanged,
        st.sampled_from(LINES),
        st.sampled_from(RegistrationState),
        st.sampled_from((None, *FailureCause)),
    ),
    st.booleans().map(e.NetworkChanged),
    st.sampled_from(
        (
            e.EngineLost(),
            m.EngineReady(1, realtime=True),
            m.EngineReady(2, realtime=False, reason="not allowed"),
            m.EngineAlive(0.1, 0),
            m.ToneEnded("beep", PathName.SPEAKER),
            m.ClipEnded(1),
            m.Foreign(1, b"\0", ("10.0.0.1", 1)),
            m.EngineLog("info", "text"),
            m.PathReport(PathName.SPEAKER, open=False, reason="busy"),
            m.PathReport(PathName.SPEAKER, open=True),
        )
    ),
    st.builds(m.HearingChanged, st.integers(1, 9), st.sampled_from((None, *m.Silence))),
    st.builds(m.FirstHeard, st.integers(1, 9)),
    st.builds(m.DigitHeard, st.integers(1, 9), st.just("5"), st.just(100)),
    st.sampled_from(TREES).map(e.SettingsChanged),
    st.just(n.DialogSaved(CallRef("in-1"), None)),
).map(lambda event: lambda _desk: event)

about_calls = st.one_of(
    st.builds(
        lambda kind, i: lambda desk: kind(None if i is None else _ref(desk, i)),
        st.sampled_from((a.Answer, a.HangUp, a.Hold, a.Resume)),
        optional_ref,
    ),
    st.builds(lambda i: lambda desk: a.SendDtmf("1a#x", _ref(desk, i)), refs),
    st.builds(
        lambda i, on: lambda desk: a.Record(on, _ref(desk, i)),
        refs,
        st.sampled_from((None, True, False)),
    ),
    st.builds(
        lambda i, what: lambda desk: e.RecordingChanged(_ref(desk, i), what, "broken"),
        refs,
        st.sampled_from(e.RecordingTrouble),
    ),
    st.builds(lambda i: lambda desk: n.OfferWanted(_ref(desk, i), "192.0.2.1"), refs),
    st.builds(lambda i: lambda desk: n.OfferWanted(_ref(desk, i), "2001:db8::1"), refs),
    st.builds(lambda i: lambda desk: n.CallTrying(_ref(desk, i)), refs),
    st.builds(
        lambda i, status, body: lambda desk: n.CallProgress(_ref(desk, i), status, "", "f", body),
        refs,
        st.sampled_from((180, 183, 199)),
        bodies,
    ),
    st.builds(
        lambda i, body, who: lambda desk: n.CallAnswered(_ref(desk, i), "f", body, who),
        refs,
        bodies,
        st.sampled_from(PARTIES),
    ),
    st.builds(lambda i, body: lambda desk: n.CallConfirmed(_ref(desk, i), body), refs, bodies),
    st.builds(
        lambda i, by_us, cause, else_: (
            lambda desk: n.CallEnded(_ref(desk, i), by_us, cause, answered_elsewhere=else_)
        ),
        refs,
        st.booleans(),
        st.sampled_from((None, *FailureCause)),
        st.booleans(),
    ),
    st.builds(lambda i, body: lambda desk: n.ReofferReceived(_ref(desk, i), body), refs, bodies),
    st.builds(lambda i, body: lambda desk: n.ReofferAnswered(_ref(desk, i), body), refs, bodies),
    st.builds(
        lambda i, status: lambda desk: n.ReofferRejected(_ref(desk, i), status, ""),
        refs,
        st.sampled_from((491, 488, 500)),
    ),
    st.builds(lambda i: lambda desk: n.InfoDigit(_ref(desk, i), "3", 160), refs),
    st.builds(
        lambda i, name, who: (
            lambda desk: n.TransferAsked(n.TransferRef(name), _ref(desk, i), LINES[0], who)
        ),
        refs,
        st.sampled_from("tuv"),
        st.sampled_from(SENT_TO),
    ),
    st.builds(
        lambda name, who: lambda _desk: n.DialAsked(n.TransferRef(name), LINES[0], who),
        st.sampled_from("tuv"),
        st.sampled_from(SENT_TO),
    ),
    st.builds(
        lambda i, why: lambda desk: n.RedirectBarred(_ref(desk, i), PARTIES[1], why),
        refs,
        st.sampled_from(n.Barrier),
    ),
    st.just(lambda _desk: a.Transfer()),
    st.builds(lambda on: lambda _desk: a.Join(on), st.sampled_from((None, None, True, False))),
    st.builds(
        lambda i, kind, *rest: lambda desk: kind(_ref(desk, i), *rest),
        refs,
        st.just(n.TransferProgress),
        st.sampled_from((100, 180)),
    ),
    st.builds(lambda i: lambda desk: n.TransferSucceeded(_ref(desk, i)), refs),
    st.builds(
        lambda i: (
            lambda desk: n.TransferFailed(_ref(desk, i), FailureCause.BUSY, 486, "", reached=True)
        ),
        refs,
    ),
    st.builds(
        lambda i, local: lambda desk: n.AddressChanged(_ref(desk, i), local),
        refs,
        st.sampled_from(("192.0.2.1", "192.0.2.7", "")),
    ),
)

arrivals = st.builds(
    lambda name, line, body, info: (
        lambda _desk: n.IncomingCall(
            CallRef(f"in-{name}"), line, PARTIES[1], "100", body, "192.0.2.1", call_info=info
        )
    ),
    st.integers(0, 10**6),
    st.sampled_from(LINES),
    bodies,
    st.sampled_from(("", "<sip:x>;answer-after=0")),
)
waits = st.floats(0.0, 70.0)
steps = st.lists(st.one_of(plain, about_calls, about_calls, arrivals, waits), max_size=40)


class Walker(Desk):
    """A desk at which anything may happen; the account follows the notifications too."""

    def happens(self, event):
        match event:
            case n.IncomingCall():
                if event.call in self.heard.calls:
                    return []
                self.heard.calls[event.call] = "arrived"
            case n.CallAnswered() if self._offered(event.call):
                self.heard.calls[event.call] = "up"
            case n.CallAnswered() | n.ReofferReceived() | n.ReofferAnswered() | n.ReofferRejected():
                if self.heard.calls.get(event.call) != "up":
                    return []
            case n.CallEnded():
                self.heard.calls.pop(event.call, None)
            case n.OfferWanted() if event.call not in self.heard.calls:
                # An emergency call between two tries: the stack does not know of it.
                return []
            case _:
                pass
        return self.send(event)

    def _offered(self, ref):
        """Nobody answers an INVITE that was not sent."""
        call = self.phone.state.call(ref)
        return call is not None and call.placing and call.negotiation is not None


def run(desk, walk):
    for step in walk:
        if isinstance(step, float):
            desk.wait(step)
        else:
            desk.happens(step(desk))
        check(desk)


def check(desk):
    state, view, heard = desk.phone.state, desk.view, desk.heard
    talk = heard.talk
    if state.engine.value != "up":
        talk = m.TalkOn(state.path)
    # Nobody who waits on hold is mixed with others, and one call is no conversation of several.
    assert len(state.conference) != 1
    live = {call.stream: call for call in state.calls}
    if state.engine.value == "up":
        assert not any(live[each].held or live[each].emergency for each in heard.bridged)
    # The microphone is open only for somebody: P11.
    if talk.microphone:
        assert view.mode in (Mode.TALKING, Mode.AUDIO_TEST)
    if talk.path is PathName.HANDSET and state.hardware.has_hook:
        assert view.off_hook
    if view.mode in (Mode.IDLE, Mode.RINGING) and not view.off_hook:
        assert talk.path is None
    if view.mode is Mode.IDLE:
        assert not talk.microphone
        assert set(heard.tones) == set()
        assert heard.bell == ()
        assert not any(call.state.value == "ringing_here" for call in view.calls)
        assert view.front is None
    # Ringing always stops.
    if not state.ringing:
        assert heard.bell == ()
        assert not {"ring", "waiting"} & set(heard.tones)
    assert {call.ref for call in state.calls if not call.waits} <= set(heard.calls)
    assert set(heard.ports) == {call.ref for call in state.calls if call.local} | (
        {end.ref for end in state.test.ends} if state.test else set()
    )
    assert list(heard.routes.values()).count(m.Route.CARD) <= 1
    assert (view.front is None) == (view.mode not in (Mode.CALLING, Mode.RINGING, Mode.TALKING)), (
        view.mode
    )
    assert view.front is None or view.front_call is not None
    assert desk.phone.view() is view
    # Nobody else makes it call for help: A19.
    calls = [call for call in state.calls if call.outgoing and call.remote.user == "911"]
    assert all(call.emergency for call in calls)


trees = st.sampled_from(TREES)
path_sets = st.sampled_from(PATH_SETS)
relaxed = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(trees, path_sets, st.booleans(), st.booleans(), steps)
def test_p11_nothing_raises_and_no_microphone_stays_open(tree, paths, has_hook, engine, walk):
    desk = Walker(tree, paths, has_hook=has_hook, engine=engine)
    run(desk, walk)


@relaxed
@given(trees, path_sets, steps)
def test_p11_stopping_ends_every_call_and_every_sound(tree, paths, walk):
    desk = Walker(tree, paths)
    run(desk, walk)
    desk.engine_ready()
    desk.stop()
    assert desk.heard.calls == {}
    assert desk.heard.streams == {}
    assert desk.heard.ports == {}
    assert desk.heard.tones == {}
    assert desk.heard.bell == ()
    assert desk.heard.talk.path is None
    assert len(desk.phone) == 0
    assert desk.phone.next_deadline() is None


def comes_to_rest(desk, check=check):
    """The handset is put down and the end key pressed, again and again: then nothing is left."""
    for _ in range(3 * (len(desk.phone) + 2)):
        desk.send(hal.HookReplaced(0))
        desk.wait(1.0)
        desk.send(a.HangUp())
        check(desk)
    assert desk.mode is Mode.IDLE
    assert len(desk.phone) == 0
    desk.engine_ready()
    assert desk.heard.streams == {}


@relaxed
@given(trees, path_sets, steps)
def test_p11_there_is_always_a_way_back_to_rest(tree, paths, walk):
    desk = Walker(tree, paths)
    run(desk, walk)
    comes_to_rest(desk)
    assert desk.heard.tones == {}


@relaxed
@given(st.sampled_from([tree for tree in TREES if tree.lines]), path_sets, steps)
def test_p10_an_emergency_call_goes_out_from_every_state(tree, paths, walk):
    desk = Walker(tree, paths)
    run(desk, walk)
    if not desk.phone.state.lines:
        return
    desk.send(a.Dial("911"))
    call = desk.phone.state.emergency_call
    assert call is not None
    assert desk.heard.calls[call.ref] in ("placed", "up")
    assert desk.front == call.ref
    check(desk)


@relaxed
@given(trees, path_sets, steps)
def test_p12_a_new_engine_is_told_what_the_old_one_was_doing(tree, paths, walk):
    desk = Walker(tree, paths)
    desk.engine_ready()
    run(desk, walk)
    desk.engine_ready()
    before = engine_side(desk)
    desk.send(e.EngineLost())
    assert engine_side(desk) != before or before == engine_side(Walker(tree, paths, engine=False))
    desk.engine_ready()
    assert engine_side(desk) == before


def engine_side(desk):
    """What the engine has been told, as values."""
    heard = desk.heard
    kept = (heard.tones, heard.streams, heard.configured, heard.routes, heard.volumes)
    return (*map(dict, kept), heard.talk, heard.muted)
