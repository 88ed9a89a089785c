"""Volume, mute, DTMF, the engine's life, limits, the audio test, the notices."""

import hypothesis
import pytest
from hypothesis import strategies as st

from firmware.config.schema import AudioSettings, PathSettings
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import EngineLost, MediaPortReserved, SettingsChanged, Started
from firmware.phone.machine import Phone
from firmware.phone.view import Mode, VolumeBar
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef
from firmware.ui.text import Texts
from hal.events import DeviceFailed, DeviceRecovered
from tests.support.desk import ALL_PATHS, Desk, only, sdp, settings


class TestVolume:
    def test_the_keys_change_what_is_heard_now(self):
        desk = Desk()
        desk.send(a.Volume(5))
        assert desk.heard.volumes[PathName.RINGER] == 75
        desk.lift()
        desk.send(a.Volume(-10))
        assert desk.heard.volumes[PathName.HANDSET] == 60
        desk.put_down()
        desk.calls_us()
        desk.send(a.Volume(5))
        assert desk.heard.volumes[PathName.RINGER] == 80

    def test_a_bar_shows_for_two_seconds(self):
        desk = Desk()
        desk.send(a.Volume(5))
        assert desk.view.volume_bar == VolumeBar(PathName.RINGER, 75)
        desk.wait(1.5)
        desk.send(a.Volume(5))
        desk.wait(1.5)
        assert desk.view.volume_bar == VolumeBar(PathName.RINGER, 80)
        desk.wait(0.6)
        assert desk.view.volume_bar is None

    def test_it_is_kept_over_restarts_and_goes_before_the_file(self):
        desk = Desk()
        desk.send(a.Volume(level=33, path=PathName.SPEAKER))
        assert desk.heard.kept == {PathName.SPEAKER: 33}
        phone = Phone(settings())
        kept = tuple(desk.heard.kept.items())
        phone.handle(Started(ALL_PATHS, volumes=kept), 0)
        orders = [x.order for x in phone.handle(m.EngineReady(1, realtime=True), 0)]
        assert m.SetVolume(PathName.SPEAKER, 33) in orders
        assert m.SetVolume(PathName.HANDSET, 70) in orders

    @pytest.mark.parametrize(("step", "end"), [(100, 100), (-100, 0)])
    def test_it_stops_at_the_ends(self, step, end):
        desk = Desk()
        desk.send(a.Volume(step))
        assert desk.heard.volumes[PathName.RINGER] == end

    def test_at_the_end_the_bar_still_shows_but_nothing_is_written(self):
        desk = Desk()
        desk.send(a.Volume(level=100))
        commands = desk.send(a.Volume(5))
        assert not only(commands, c.KeepVolume)
        assert desk.view.volume_bar == VolumeBar(PathName.RINGER, 100)

    def test_a_path_that_does_not_exist_has_no_volume(self):
        desk = Desk(paths=(PathName.HANDSET,))
        desk.send(a.Volume(5, path=PathName.SPEAKER))
        assert desk.notice == "path_missing"
        assert desk.view.volume_bar is None

    def test_an_edited_file_takes_effect_and_leaves_the_rest(self):
        desk = Desk()
        desk.send(a.Volume(level=20, path=PathName.SPEAKER))
        edited = settings(audio=AudioSettings(handset=PathSettings(volume=40)))
        desk.send(SettingsChanged(edited))
        assert desk.heard.volumes[PathName.HANDSET] == 40
        assert desk.heard.volumes[PathName.SPEAKER] == 20

    def test_no_setting_silences_the_ring_without_a_sign(self):
        desk = Desk()
        desk.send(a.Volume(level=0))
        assert desk.notice == "ringer_off"


class TestMute:
    def test_it_discards_the_microphone_and_shows(self):
        desk = Desk().talking()
        desk.send(a.Mute())
        assert desk.heard.muted
        assert (desk.view.muted, desk.view.microphone_open) == (True, False)
        assert desk.heard.lamps["mute"].value == "slow"
        desk.send(a.Mute())
        assert not desk.heard.muted

    def test_it_ends_with_its_call(self):
        desk = Desk().talking()
        desk.send(a.Mute(on=True))
        desk.put_down()
        desk.talking_to_caller()
        assert not desk.heard.muted

    def test_without_a_call_there_is_nothing_to_mute(self):
        desk = Desk()
        assert desk.send(a.Mute()) == [c.LogNotice("no_call_to_mute")]
        assert desk.notice == "no_call_to_mute"
        assert not desk.view.muted
        desk.wait(5)
        assert desk.notice is None


class TestDigits:
    def test_a_key_in_a_call_goes_to_the_far_end(self):
        desk = Desk().talking()
        desk.press("1#")
        assert desk.heard.sent_digits == ["1", "#"]

    def test_a_string_goes_as_one(self):
        desk = Desk().talking()
        desk.send(a.SendDtmf("12 34-x#"))
        assert desk.heard.sent_digits == ["1234#"]

    def test_an_announcement_before_the_answer_may_ask_for_one(self):
        desk = Desk()
        desk.lift()
        desk.dials("201")
        desk.way_found()
        desk.press("1")
        assert desk.heard.sent_digits == []
        desk.far_end_rings(sdp(), status=183)
        desk.press("1")
        assert desk.heard.sent_digits == ["1"]

    def test_what_the_far_end_presses_is_shown(self):
        desk = Desk().talking()
        desk.send(m.DigitHeard(desk.front_stream, "4", 100), n.InfoDigit(desk.front, "2", 160))
        assert desk.view.front_call.digits == "42"

    def test_they_do_not_pile_up(self):
        desk = Desk().talking()
        desk.send(*(m.DigitHeard(desk.front_stream, "4", 100) for _ in range(99)))
        assert len(desk.view.front_call.digits) == 16


class TestEngine:
    def test_p12_its_death_keeps_the_call_and_its_successor_is_told_all(self):
        desk = Desk().talking()
        desk.calls_us()
        stream, before = desk.front_stream, dict(desk.heard.configured)
        desk.send(EngineLost())
        assert len(desk.phone) == 2
        assert (desk.notice, desk.view.audio_alive) == ("audio_restarting", False)
        orders = [x.order for x in desk.engine_ready() if isinstance(x, c.MediaOrder)]
        assert desk.heard.configured == before
        assert desk.heard.routes[stream] is m.Route.CARD
        assert desk.microphone is PathName.HANDSET
        assert desk.sounds == {"waiting": PathName.HANDSET}
        assert desk.heard.volumes[PathName.HANDSET] == 70
        opened = next(i for i, x in enumerate(orders) if isinstance(x, m.OpenStream))
        configured = next(i for i, x in enumerate(orders) if isinstance(x, m.ConfigureStream))
        assert opened < configured
        assert desk.notice is None

    def test_nothing_is_ordered_from_an_engine_that_is_gone(self):
        desk = Desk().talking()
        desk.send(EngineLost())
        commands = desk.press("1") + desk.put_down()
        assert not only(commands, c.MediaOrder)
        desk.engine_ready()
        assert desk.heard.streams == {}

    def test_muted_stays_muted(self):
        desk = Desk().talking()
        desk.send(a.Mute(), EngineLost())
        desk.engine_ready()
        assert desk.heard.muted

    def test_f33_a_card_that_fails_is_named_until_it_works_again(self):
        desk = Desk()
        desk.send(m.PathReport(PathName.SPEAKER, open=False, reason="no such card"))
        assert desk.notice == "card_failed"
        assert desk.heard.logged.count("card_failed") == 1
        desk.send(m.PathReport(PathName.SPEAKER, open=False, reason="no such card"))
        assert desk.heard.logged.count("card_failed") == 1
        desk.send(m.PathReport(PathName.SPEAKER, open=True))
        assert desk.notice is None

    def test_f34_without_any_card_a_call_rings_by_bell_and_lamp_and_can_be_refused(self):
        desk = Desk()
        for path in ALL_PATHS:
            desk.send(m.PathReport(path, open=False, reason="another program is using it"))
        assert desk.notice == "card_failed"
        desk.calls_us()
        assert desk.heard.bell
        assert desk.heard.lamps["ring"].value == "fast"
        assert only(desk.send(a.HangUp()), c.RejectCall)
        assert (desk.heard.bell, desk.heard.lamps["ring"].value) == ((), "off")
        assert desk.notice == "card_failed", "and it is still said"

    def test_a_card_whose_mixer_is_not_as_it_should_be_is_named_while_it_is_so(self):
        desk = Desk()
        fault = m.PathReport(PathName.SPEAKER, open=True, reason="no mixer control 'Speeker'")
        desk.send(fault, fault)
        assert desk.notice == "card_remark"
        assert desk.heard.logged.count("card_remark") == 1
        desk.send(m.PathReport(PathName.SPEAKER, open=False, reason="it is gone"))
        assert desk.notice == "card_failed", "and what its mixer lacked does not matter now"
        desk.send(fault)
        assert desk.notice == "card_remark"
        desk.send(m.PathReport(PathName.SPEAKER, open=True))
        assert desk.notice is None

    def test_a_card_that_is_merely_closed_is_no_fault(self):
        desk = Desk()
        assert desk.send(m.PathReport(PathName.SPEAKER, open=False)) == []
        assert desk.notice is None

    def test_f41_a_device_that_fails_is_named(self):
        desk = Desk()
        desk.send(DeviceFailed("oled", "no answer at 0x3c", 0))
        assert desk.notice == "device_failed"
        desk.send(DeviceRecovered("oled", 0))
        assert desk.notice is None

    def test_f41_everything_that_fails_is_named_not_the_first_alone(self):
        desk = Desk()
        desk.send(DeviceFailed("screen", "no answer at 0x3c", 0))
        desk.send(DeviceFailed("hook", "hook: GPIO 17 does not answer: No such device", 0))
        assert said(desk) == (
            "2 devices fail: screen (no answer at 0x3c),"
            " hook (GPIO 17 does not answer: No such device)"
        )
        desk.send(m.PathReport(PathName.SPEAKER, open=False, reason="no such card"))
        assert said(desk).startswith("3 devices fail: speaker card (no such card), screen (")
        desk.send(DeviceRecovered("hook", 0), m.PathReport(PathName.SPEAKER, open=True))
        assert said(desk) == "screen failed: no answer at 0x3c"

    def test_f41_what_fails_for_one_reason_is_said_in_one_breath(self):
        desk = Desk()
        for device in ("front panel", "lamps"):
            desk.send(DeviceFailed(device, "it was unplugged", 0))
        assert said(desk) == "front panel, lamps failed: it was unplugged"
        desk.send(DeviceFailed("lamps", "it is not plugged in", 0))
        desk.send(DeviceFailed("bell", "it is not plugged in", 0))
        assert said(desk) == (
            "3 devices fail: front panel (it was unplugged), lamps, bell (it is not plugged in)"
        )

    def test_f34_cards_that_fail_for_one_reason_are_all_named(self):
        desk = Desk()
        for path in (PathName.HANDSET, PathName.RINGER):
            desk.send(m.PathReport(path, open=False, reason="another program is using it"))
        assert said(desk) == "No sound on the handset, ringer: another program is using it"


DEVICES = ("hook", "keypad", "screen", "lamps")
WHY = ("gone", "taken", "GPIO 17 is taken")
PATHS = st.sampled_from(ALL_PATHS)
FAULTS = st.one_of(
    st.builds(DeviceFailed, st.sampled_from(DEVICES), st.sampled_from(WHY), st.just(0.0)),
    st.builds(DeviceRecovered, st.sampled_from(DEVICES), st.just(0.0)),
    PATHS.map(lambda path: m.PathReport(path, open=True)),
    PATHS.map(lambda path: m.PathReport(path, open=False, reason="no such card")),
)


def failing(news):
    """What fails after all this, and why."""
    bad = {}
    for event in news:
        match event:
            case DeviceFailed(name, reason) | m.PathReport(name, reason=str(reason)) if reason:
                bad[name] = reason
            case DeviceRecovered(name) | m.PathReport(name):
                bad.pop(name, None)
    return bad


@hypothesis.settings(max_examples=50, deadline=None)
@hypothesis.given(news=st.lists(FAULTS, max_size=12))
def test_f41_whatever_fails_and_recovers_all_of_it_is_said_and_nothing_else(news):
    desk, bad = Desk(), failing(news)
    desk.send(*news)
    if not bad:
        assert desk.view.notice is None
        return
    words = said(desk)
    assert {name for name in (*DEVICES, *ALL_PATHS) if getattr(name, "value", name) in words} == {
        *bad
    }
    assert all(reason in words for reason in bad.values())
    if len(set(bad.values())) > 1:
        assert words.startswith(f"{len(bad)} devices fail: ")


def said(desk):
    """What the screen and `status` say."""
    return Texts.load().say(desk.view.notice.text, **dict(desk.view.notice.args))


class TestHearing:
    @pytest.mark.parametrize("cause", m.Silence, ids=lambda cause: cause.value)
    def test_nothing_heard_says_why(self, cause):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, cause, "10.0.0.3 port 9"))
        assert desk.notice == f"hearing_nothing_{cause.value}"
        assert dict(desk.view.notice.args)["detail"] == "10.0.0.3 port 9"
        desk.send(m.HearingChanged(desk.front_stream, None))
        assert desk.notice is None

    def test_a_volume_of_nothing_is_a_cause_too(self):
        desk = Desk().talking()
        desk.send(a.Volume(level=0))
        assert desk.notice == "hearing_nothing_volume"

    def test_on_hold_silence_is_agreed(self):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
        desk.send(n.ReofferReceived(desk.front, sdp(direction="sendonly")))
        assert desk.notice is None


class TestLimits:
    def test_p11_a_ring_nobody_answers_stops(self):
        desk = Desk()
        desk.calls_us()
        assert not only(desk.wait(179), c.RejectCall)
        assert desk.wait(2)[0] == c.RejectCall(CallRef("in-1"), 480)
        assert (desk.mode, desk.sounds, desk.view.missed) == (Mode.IDLE, {}, 1)

    def test_f24_a_far_end_that_vanished_is_given_up(self):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
        assert not only(desk.wait(119), c.EndCall)
        assert only(desk.wait(2), c.EndCall)
        assert (desk.mode, desk.notice) == (Mode.RELEASED, "call_session_lost")

    def test_f24_one_that_comes_back_is_kept(self):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
        desk.wait(100)
        desk.send(m.HearingChanged(desk.front_stream, None))
        assert not only(desk.wait(500), c.EndCall)

    def test_f24_hold_is_no_silence_and_counting_begins_after_it(self):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
        desk.send(n.ReofferReceived(desk.front, sdp(direction="sendonly")))
        assert not only(desk.wait(1000), c.EndCall)
        desk.send(n.ReofferReceived(desk.front, sdp()))
        assert not only(desk.wait(119), c.EndCall)
        assert only(desk.wait(2), c.EndCall)

    @pytest.mark.parametrize("cause", [m.Silence.CARD_FAILED, m.Silence.NO_SOUND])
    def test_f24_other_silences_do_not_end_a_call(self, cause):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, cause))
        assert not only(desk.wait(1000), c.EndCall)

    def test_f24_whoever_vanishes_after_having_been_silent_is_given_up(self):
        desk = Desk().talking()
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_SOUND))
        desk.wait(500)
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
        assert not only(desk.wait(119), c.EndCall)
        assert only(desk.wait(2), c.EndCall)

    def test_an_emergency_call_is_never_ended_for_silence(self):
        desk = Desk()
        desk.send(a.Dial("911"))
        desk.way_found()
        desk.far_end_answers()
        desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
        assert not only(desk.wait(1000), c.EndCall)


class TestAudioTest:
    def test_first_a_tone_then_ones_own_voice_without_any_line(self):
        desk = Desk(settings(lines=()))
        desk.lift()
        commands = desk.press("*#600")
        assert desk.mode is Mode.AUDIO_TEST
        assert [x.name for x in only(commands, m.PlayTone)][-1] == "test"
        assert desk.notice == "audio_test_listen"
        assert desk.microphone is None
        desk.wait(2)
        assert desk.notice == "audio_test_voice"
        assert desk.microphone is PathName.HANDSET
        card, back = sorted(desk.heard.streams)
        assert desk.heard.routes == {card: m.Route.CARD, back: m.Route.LOOP}
        to_back, to_card = desk.heard.configured[card], desk.heard.configured[back]
        assert to_back.remote == ("127.0.0.1", desk.heard.ports[desk.heard.streams[back]])
        assert to_card.remote == ("127.0.0.1", desk.heard.ports[desk.heard.streams[card]])

    def test_the_level_that_came_back_is_shown(self):
        desk = Desk()
        desk.lift()
        desk.press("*#600")
        desk.wait(2)
        card = min(desk.heard.streams)
        desk.send(report(card, -23.6))
        assert dict(desk.view.notice.args) == {"path": "handset", "level": "-24"}

    def test_it_ends_with_the_handset_and_gives_its_ports_back(self):
        desk = Desk()
        desk.lift()
        desk.press("*#600")
        desk.wait(5)
        desk.replace()
        assert (desk.mode, desk.heard.ports, desk.heard.streams) == (Mode.IDLE, {}, {})

    def test_it_ends_by_itself(self):
        desk = Desk()
        desk.send(a.Dial("*#600"))
        assert desk.heard.talk.path is PathName.SPEAKER
        desk.wait(130)
        assert (desk.mode, desk.heard.ports) == (Mode.IDLE, {})

    def test_a_call_may_be_answered_out_of_it(self):
        desk = Desk()
        desk.lift()
        desk.press("*#600")
        desk.wait(3)
        desk.calls_us()
        desk.send(a.Answer())
        assert desk.mode is Mode.TALKING
        assert list(desk.heard.ports) == [CallRef("in-1")]

    def test_no_ports_no_voice_but_a_reason(self):
        desk = Desk()
        desk.no_ports = True
        desk.lift()
        desk.press("*#600")
        assert (desk.mode, desk.notice) == (Mode.RELEASED, "audio_test_failed")

    def test_a_digit_leaves_it_for_dialling(self):
        desk = Desk()
        desk.lift()
        desk.press("*#600")
        desk.press("2")
        assert (desk.mode, desk.view.digits, desk.heard.ports) == (Mode.DIALLING, "2", {})

    def test_in_a_call_it_does_not_start(self):
        desk = Desk().talking()
        desk.send(a.Dial("*#600"))
        assert desk.mode is Mode.TALKING


def report(stream, level_in):
    return m.StreamReport(
        stream=stream,
        sent=50,
        received=50,
        lost=0,
        late=0,
        duplicate=0,
        concealed=0,
        jitter_ms=0.0,
        delay_ms=40.0,
        round_trip_ms=0.0,
        remote_lost=0,
        level_in=level_in,
        level_out=-20.0,
        codec="G722",
        source=None,
        ssrc=1,
    )


def test_a_port_that_comes_after_the_call_has_gone_is_given_back():
    desk = Desk()
    gone = CallRef("in-gone")
    commands = desk.send(MediaPortReserved(gone, "192.0.2.1", 40000))
    assert commands == [c.FreeMediaPort(gone)]


def test_p11_hands_free_no_path_stays_open_when_only_a_ringing_call_is_left():
    desk = Desk()
    desk.send(a.Dial("201"))
    desk.way_found()
    desk.far_end_answers()
    assert desk.microphone is m.PathName.SPEAKER
    desk.calls_us()
    desk.far_end_hangs_up()
    assert desk.mode is Mode.RINGING
    assert desk.heard.talk.path is None
    desk.send(a.Answer())
    assert desk.microphone is m.PathName.SPEAKER
