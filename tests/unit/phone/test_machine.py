"""The dispatch: complete, in the right order, cheap where nothing changes."""

from typing import get_args

import pytest

from firmware.call.media import Way
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone import events as e
from firmware.phone.machine import EVERYWHERE, STATES, Phone
from firmware.phone.model import MODE_TIMERS, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Rows
from firmware.phone.view import Mode
from firmware.sdp.ice import Credentials
from firmware.sip import notifications as n
from firmware.sip.event.message_summary import MessageSummary
from firmware.sip.facts import Activity
from firmware.sip.notifications import (
    CallRef,
    FailureCause,
    LineName,
    Party,
    RegistrationState,
    TransferRef,
)
from firmware.sip.told import PublicationState
from hal import events as hal
from hal.keys import Key
from tests.support.desk import ANN, LINE, Desk, only, sdp, settings

KINDS = get_args(e.Event)
REF = CallRef("in-1")
SAMPLES = {
    a.Digit: a.Digit("1"),
    a.Dial: a.Dial("201"),
    a.SendDtmf: a.SendDtmf("1"),
    a.SelectPath: a.SelectPath(PathName.SPEAKER),
    e.Started: e.Started(tuple(PathName)),
    e.MediaPortReserved: e.MediaPortReserved(REF, "192.0.2.1", 40000),
    e.MediaPortRefused: e.MediaPortRefused(REF, "taken"),
    e.NetworkChanged: e.NetworkChanged(up=False),
    e.SettingsChanged: e.SettingsChanged(settings()),
    e.ConfigJudged: e.ConfigJudged(notice("config_none", file="f", path="/f", count=2)),
    n.RegistrationChanged: n.RegistrationChanged(LINE, RegistrationState.TRYING),
    n.IncomingCall: n.IncomingCall(CallRef("in-9"), LINE, ANN, "100", sdp(), "192.0.2.1"),
    n.OfferWanted: n.OfferWanted(REF, "192.0.2.1"),
    n.CallTrying: n.CallTrying(REF),
    n.CallProgress: n.CallProgress(REF, 180, "Ringing", "a"),
    n.DialAsked: n.DialAsked(n.TransferRef("t"), LineName("desk"), Party("", "7", "sip:7@pbx")),
    n.RedirectBarred: n.RedirectBarred(REF, Party("", "7", "sip:7@pbx"), n.Barrier.COSTLY),
    n.CallRedirected: n.CallRedirected(REF, Party("", "7", "sip:7@pbx"), 302),
    n.CallAnswered: n.CallAnswered(REF, "a", sdp(), Party("", "", "")),
    n.CallConfirmed: n.CallConfirmed(REF),
    n.ConnectedParty: n.ConnectedParty(REF, Party("", "7", "sip:7@pbx")),
    n.CallEnded: n.CallEnded(REF, by_us=False),
    n.ReofferReceived: n.ReofferReceived(REF, b""),
    n.ReofferAnswered: n.ReofferAnswered(REF, b""),
    n.ReofferRejected: n.ReofferRejected(REF, 488, ""),
    n.InfoDigit: n.InfoDigit(REF, "1", 100),
    n.DigitsRefused: n.DigitsRefused(REF, "1"),
    n.InfoReceived: n.InfoReceived(REF, "x", "text/plain", b""),
    n.InfoAnswered: n.InfoAnswered(REF, "weather"),
    n.MessageReceived: n.MessageReceived(LINE, Party("Ann", "201", "sip:201@pbx"), "Hello"),
    n.MessageOutcome: n.MessageOutcome("m", LINE),
    n.ComposingChanged: n.ComposingChanged(LINE, Party("Ann", "201", "sip:201@pbx"), active=True),
    n.PresenceChanged: n.PresenceChanged(LINE, "102", available=True),
    a.SendText: a.SendText("102", "Hello"),
    a.Writing: a.Writing("102"),
    a.ShowAs: a.ShowAs(Activity.AWAY),
    e.TextsKept: e.TextsKept(
        (e.KeptText("k", 1.0, LINE, Party("Ann", "201", "sip:201@pbx"), "Hi", unread=True),)
    ),
    n.PublicationChanged: n.PublicationChanged("p", LINE, PublicationState.PUBLISHED),
    n.DialogSaved: n.DialogSaved(REF, None),
    n.CardAdvanced: n.CardAdvanced(LINE, (32,)),
    n.SubscriptionChanged: n.SubscriptionChanged("s", LINE, "x", n.SubscriptionProgress.ACTIVE),
    n.EventReceived: n.EventReceived("", LINE, "message-summary", MessageSummary(waiting=True)),
    n.ConfigCheckAsked: n.ConfigCheckAsked(LINE),
    n.ProfileUrl: n.ProfileUrl(LINE, "https://x/"),
    n.TransferProgress: n.TransferProgress(REF, 180),
    n.TransferSucceeded: n.TransferSucceeded(REF),
    n.TransferFailed: n.TransferFailed(REF, FailureCause.BUSY, 486),
    n.TransferAsked: n.TransferAsked(TransferRef("t"), REF, LINE, ANN),
    n.RequestReceived: n.RequestReceived("key", None, None),
    n.Stranger: n.Stranger(None, "INVITE"),
    n.AddressChanged: n.AddressChanged(REF, "192.0.2.77"),
    n.CertificateEnds: n.CertificateEnds("own.pem", 7),
    hal.KeyDown: hal.KeyDown(Key.DIGIT_1, 0),
    hal.KeyUp: hal.KeyUp(Key.DIGIT_1, 0),
    hal.DeviceFailed: hal.DeviceFailed("oled", "gone", 0),
    hal.DeviceRecovered: hal.DeviceRecovered("oled", 0),
    m.EngineReady: m.EngineReady(1, realtime=True),
    m.EngineAlive: m.EngineAlive(0, 0),
    m.StreamReport: m.StreamReport(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -20, -20, "PCMU", None, 1),
    m.HearingChanged: m.HearingChanged(1, m.Silence.NO_PACKETS),
    m.FirstHeard: m.FirstHeard(1),
    m.StreamSecured: m.StreamSecured(1, "AEAD_AES_128_GCM"),
    e.KeysFailed: e.KeysFailed(1, "no answer"),
    e.WayFound: e.WayFound(1, Way(Credentials("ours", ""), "host", ("10.0.0.9", 5000))),
    e.WayLost: e.WayLost(1, "no answer"),
    m.UnheardChanged: m.UnheardChanged(1, m.Unheard.REFUSED),
    e.RecordingChanged: e.RecordingChanged(REF, e.RecordingTrouble.FULL),
    m.DigitHeard: m.DigitHeard(1, "1", 100),
    m.PathReport: m.PathReport(PathName.SPEAKER, open=False, reason="busy"),
    m.ToneEnded: m.ToneEnded("key", PathName.HANDSET),
    m.ClipEnded: m.ClipEnded(1),
    m.Foreign: m.Foreign(1, b"", ("10.0.0.1", 1)),
    m.EngineLog: m.EngineLog("info", ""),
}


def sample(kind):
    if kind in SAMPLES:
        return SAMPLES[kind]
    return kind(0) if kind.__module__ == "hal.events" else kind()


def released(desk):
    desk.talking().far_end_hangs_up()


WAYS = {
    Mode.IDLE: lambda _desk: None,
    Mode.OFF_HOOK: lambda desk: desk.lift(),
    Mode.DIALLING: lambda desk: (desk.lift(), desk.press("20")),
    Mode.CALLING: lambda desk: (desk.lift(), desk.dials("201")),
    Mode.RINGING: lambda desk: desk.calls_us(),
    Mode.TALKING: lambda desk: desk.talking(),
    Mode.RELEASED: released,
    Mode.HOWLER: lambda desk: (released(desk), desk.wait(31)),
    Mode.AUDIO_TEST: lambda desk: (desk.lift(), desk.press("*#600")),
}


def desk_in(mode):
    """A desk brought into a mode the way a person would."""
    desk = Desk()
    WAYS[mode](desk)
    assert desk.mode is mode
    return desk


def test_the_tables_know_every_mode_and_only_real_events():
    assert set(STATES) == set(Mode)
    for module in STATES.values():
        rows: Rows = module.ROWS
        assert set(rows) <= set(KINDS)
        assert not set(rows) & set(EVERYWHERE), module.__name__
        assert set(module.ALARMS) <= MODE_TIMERS
    alarmed = {timer for module in STATES.values() for timer in module.ALARMS}
    assert alarmed == MODE_TIMERS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_every_event_in_every_mode_is_survived(mode, kind):
    desk = desk_in(mode)
    desk.phone.handle(sample(kind), desk.now)
    assert desk.phone.view().mode in Mode


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_stopping_in_every_mode_leaves_nothing_behind(mode):
    desk = desk_in(mode)
    desk.stop()
    heard = desk.heard
    assert (heard.calls, heard.streams, heard.ports, heard.tones) == ({}, {}, {}, {})
    assert heard.talk.path is None
    assert desk.phone.next_deadline() is None
    assert desk.lift() == []
    assert desk.calls_us("in-8") == [c.RejectCall(CallRef("in-8"), 480)]


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_p10_an_emergency_number_dials_from_every_mode(mode):
    desk = desk_in(mode)
    placed = only(desk.send(a.Dial("911")), c.PlaceCall)
    assert [(x.target, x.emergency) for x in placed] == [("911", True)]
    assert desk.mode is Mode.CALLING


@pytest.mark.parametrize(
    "mode",
    [m_ for m_ in Mode if m_ not in (Mode.CALLING, Mode.TALKING, Mode.DIALLING)],
    ids=lambda mode: mode.value,
)
def test_p10_the_keys_reach_it_wherever_keys_dial(mode):
    desk = desk_in(mode)
    placed = only(desk.press("911"), c.PlaceCall)
    assert [(x.target, x.emergency) for x in placed] == [("911", True)]


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_f37_putting_the_handset_down_closes_microphone_and_earpiece_at_once(mode):
    desk = desk_in(mode)
    if desk.view.off_hook:
        desk.replace()
    assert desk.microphone is None
    assert desk.heard.talk.path is None
    assert m.Route.CARD not in desk.heard.routes.values()
    desk.wait(0.6)
    assert desk.mode in (Mode.IDLE, Mode.RINGING)


def test_the_view_is_the_same_object_until_something_shows():
    desk = Desk()
    before = desk.view
    desk.send(m.EngineAlive(0, 0), n.Stranger(None, "INVITE"))
    assert desk.view is before
    desk.lift()
    assert desk.view is not before


def test_an_overdue_clock_rings_before_the_event_that_came_late():
    """The hook was down for two seconds; the loop was busy and tells of the lift only now."""
    desk = Desk().talking()
    desk.replace()
    desk.now += 2.0
    commands = desk.lift()
    assert only(commands, c.EndCall)
    assert desk.mode is Mode.OFF_HOOK


def test_len_counts_live_calls():
    desk = Desk()
    assert len(desk.phone) == 0
    desk.talking()
    desk.calls_us("in-2")
    assert len(desk.phone) == 2


@pytest.mark.slow
def test_f52_ten_thousand_calls_leave_nothing():
    phone = Phone(settings())
    phone.handle(SAMPLES[e.Started], 0.0)
    phone.handle(SAMPLES[m.EngineReady], 0.0)
    now = 0.0
    for number in range(10_000):
        now += 5.0
        ref = CallRef(f"in-{number}")
        phone.handle(n.IncomingCall(ref, LINE, ANN, "100", sdp(), "192.0.2.1"), now)
        phone.handle(e.MediaPortReserved(ref, "192.0.2.1", 40000), now)
        if number % 3:
            phone.handle(hal.HookLifted(now), now)
            phone.handle(n.CallConfirmed(ref), now)
        phone.handle(n.CallEnded(ref, by_us=False, cause=FailureCause.CANCELLED), now + 1)
        phone.handle(hal.HookReplaced(now), now + 2)
    assert len(phone) == 0
    assert phone.next_deadline() is None
    assert phone.view().mode is Mode.IDLE
    assert phone.state.timers == {}


def test_settings_take_effect_on_a_running_phone():
    desk = Desk(settings(lines=("desk",)))
    desk.send(e.SettingsChanged(settings(country="DE", lines=("desk", "spare"))))
    assert [line.name for line in desk.view.lines] == ["desk", "spare"]
    assert desk.view.lines[0].state is RegistrationState.REGISTERED
    assert desk.view.lines[1].state is RegistrationState.TRYING
    desk.lift()
    assert desk.heard.tones["progress"].segments[0].frequencies == (425.0,)
    placed = only(desk.press("110"), c.PlaceCall)
    assert placed[0].emergency


def test_the_lamp_of_a_line_that_is_gone_goes_out():
    desk = Desk(settings(lines=("desk", "spare")))
    desk.send(a.Dial("201", LineName("spare")))
    assert desk.heard.lamps["line_2"].value == "on"
    desk.send(e.SettingsChanged(settings(lines=("desk",))))
    assert desk.heard.lamps["line_2"].value == "off"


def test_an_emergency_number_that_was_taken_away_is_warned_of():
    desk = Desk(settings(not_emergency=("911",)))
    assert desk.heard.logged == ["emergency_removed"]
    desk.lift()
    assert not only(desk.press("911"), c.PlaceCall)


def test_mode_clocks_stop_with_their_mode():
    desk = Desk()
    desk.lift()
    assert Timer.FIRST_DIGIT in desk.phone.state.timers
    desk.replace()
    assert desk.phone.next_deadline() is None
