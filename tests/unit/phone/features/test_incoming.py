"""Calls that arrive."""

import pytest

from firmware.config.schema import AudioSettings, LineSettings, PhoneSettings, Settings
from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.commands import CallOutcome
from firmware.phone.partings import NO_CODEC
from firmware.phone.view import CallState, Mode
from firmware.sip import notifications as n
from firmware.sip.facts import AnswerWish, CallFacts
from firmware.sip.notifications import CallRef, FailureCause
from tests.support.desk import Desk, only, sdp, settings

IN1, IN2 = CallRef("in-1"), CallRef("in-2")
AT_ONCE = CallFacts(answer=AnswerWish.AUTO)


def auto(how="always", *, max_calls=8, loop=False, tone=None, audio=None):
    line = LineSettings("100", "pbx", name="desk", auto_answer=how, auto_answer_tone=tone)
    return Settings(
        phone=PhoneSettings(max_calls=max_calls),
        lines=(line,),
        audio=audio or AudioSettings(loop=loop),
    )


def test_the_bell_rings_by_the_country_and_the_lamp_blinks():
    desk = Desk()
    commands = desk.calls_us()
    assert c.SayRinging(IN1) in commands
    assert desk.mode is Mode.RINGING
    assert desk.sounds == {"ring": PathName.RINGER}
    assert desk.heard.bell == (2.0, 4.0)
    assert desk.heard.lamps["ring"].value == "fast"
    assert desk.heard.lamps["line_1"].value == "fast"
    assert desk.view.front_call.name == "Ann"
    assert desk.heard.routes[desk.front_stream] is m.Route.NULL


def test_it_does_not_ring_before_the_call_could_be_answered():
    desk = Desk()
    desk.no_ports = True
    commands = desk.calls_us()
    assert c.RejectCall(IN1, 503) in commands
    assert c.SayRinging(IN1) not in commands
    assert desk.mode is Mode.IDLE
    assert desk.heard.records[-1].reason == "call_no_port"


def test_lifting_answers():
    desk = Desk()
    desk.calls_us(body=sdp(8, 101))
    commands = desk.lift()
    accepted = only(commands, c.AcceptCall)[0]
    assert accepted.call == IN1
    assert b"m=audio 40000 RTP/AVP 8 101" in accepted.sdp
    assert desk.sounds == {}
    assert desk.heard.bell == ()
    assert desk.microphone is PathName.HANDSET
    assert desk.heard.routes[desk.front_stream] is m.Route.CARD
    assert desk.view.front_call.state is CallState.ANSWERING
    desk.acknowledged()
    assert desk.view.front_call.state is CallState.TALKING


@pytest.mark.parametrize("path", [PathName.SPEAKER, PathName.HEADSET])
def test_the_path_keys_answer(path):
    desk = Desk()
    desk.calls_us()
    desk.send(a.SelectPath(path))
    assert desk.microphone is path


def test_the_answer_key_answers_hands_free():
    desk = Desk()
    desk.calls_us()
    desk.send(a.Answer())
    assert desk.microphone is PathName.SPEAKER


def test_a_caller_who_gives_up_is_a_missed_call():
    desk = Desk()
    desk.calls_us()
    desk.call_fails(FailureCause.CANCELLED)
    assert desk.mode is Mode.IDLE
    assert desk.sounds == {}
    assert desk.view.missed == 1
    assert desk.heard.lamps["message"].value == "slow"
    assert desk.heard.records[-1].outcome is CallOutcome.MISSED
    desk.send(a.Dismiss())
    assert desk.view.missed == 0


def test_answered_elsewhere_is_not_missed():
    desk = Desk()
    desk.calls_us()
    desk.send(n.CallEnded(IN1, by_us=False, answered_elsewhere=True))
    assert desk.view.missed == 0
    assert desk.heard.records[-1].outcome is CallOutcome.ELSEWHERE


def test_refusing():
    desk = Desk()
    desk.calls_us()
    assert c.RejectCall(IN1, 486) in desk.send(a.HangUp())
    assert desk.heard.records[-1].outcome is CallOutcome.REFUSED
    assert (desk.mode, desk.view.missed) == (Mode.IDLE, 0)


@pytest.mark.parametrize("body", [sdp(18), b"rubbish", sdp(port=0)])
def test_nothing_in_common_is_refused_with_the_reason(body):
    desk = Desk()
    rejected = only(desk.calls_us(body=body), c.RejectCall)[0]
    assert rejected.status == 488
    assert rejected.warning
    assert (desk.mode, desk.sounds) == (Mode.IDLE, {})
    assert desk.heard.records[-1].reason == "call_nothing_in_common"


def test_an_invite_without_an_offer_gets_ours_and_the_ack_brings_the_answer():
    desk = Desk()
    desk.calls_us(body=b"")
    accepted = only(desk.lift(), c.AcceptCall)[0]
    assert b"m=audio 40000" in accepted.sdp
    assert desk.heard.configured == {}
    desk.acknowledged(body=sdp(8))
    assert desk.heard.configured[desk.front_stream].formats[0].name == "PCMA"


def test_an_ack_without_the_answer_we_need_ends_the_call():
    desk = Desk()
    desk.calls_us(body=b"")
    desk.lift()
    assert c.EndCall(IN1, NO_CODEC) in desk.acknowledged()
    assert desk.notice == "call_nothing_in_common"


def test_above_max_calls_is_busy():
    desk = Desk(settings(max_calls=1))
    desk.calls_us("in-1")
    assert desk.calls_us("in-2")[0] == c.RejectCall(IN2, 486)
    assert desk.view.missed == 1


def test_a_second_call_waits_with_a_quiet_beep_in_the_ear():
    desk = Desk().talking()
    desk.calls_us()
    assert desk.sounds == {"waiting": PathName.HANDSET}
    assert desk.heard.tones["waiting"].segments[0].level <= -25.0
    assert desk.heard.bell == ()
    assert desk.mode is Mode.TALKING
    assert len(desk.view.calls) == 2


def test_answering_the_second_holds_the_first():
    desk = Desk().talking()
    first = desk.front
    desk.calls_us()
    commands = desk.send(a.Answer(IN1))
    assert only(commands, c.Reoffer)[0].call == first
    assert only(commands, c.AcceptCall)[0].call == IN1
    assert desk.front == IN1
    assert [desk.heard.routes[x] for x in sorted(desk.heard.routes)] == [
        m.Route.NULL,
        m.Route.CARD,
    ]


def test_refusing_the_second_leaves_the_first_alone():
    desk = Desk().talking()
    first = desk.front
    desk.calls_us()
    desk.send(a.HangUp(IN1))
    assert (desk.front, desk.mode) == (first, Mode.TALKING)
    assert desk.sounds == {}


def test_the_waiting_call_rings_when_the_first_hangs_up():
    desk = Desk().talking()
    desk.calls_us()
    desk.far_end_hangs_up()
    assert (desk.mode, desk.front) == (Mode.RINGING, IN1)
    desk.put_down()
    assert desk.sounds == {"ring": PathName.RINGER}
    desk.lift()
    assert (desk.mode, desk.front) == (Mode.TALKING, IN1)


def test_the_waiting_call_rings_when_we_hang_up():
    desk = Desk().talking()
    desk.calls_us()
    desk.put_down()
    assert (desk.mode, desk.sounds) == (Mode.RINGING, {"ring": PathName.RINGER})


def test_a_call_while_dial_tone_sounds_waits_and_a_flash_answers_it():
    desk = Desk()
    desk.lift()
    desk.calls_us()
    assert desk.mode is Mode.OFF_HOOK
    assert set(desk.sounds) == {"progress", "waiting"}
    desk.flash()
    assert (desk.mode, desk.front) == (Mode.TALKING, IN1)


def test_digits_typed_on_hook_give_way_to_a_ringing_call():
    desk = Desk()
    desk.press("20")
    desk.calls_us()
    assert (desk.mode, desk.view.digits) == (Mode.RINGING, "")


class TestAutoAnswer:
    def test_always_answers_at_once_hands_free(self):
        desk = Desk(auto())
        commands = desk.calls_us()
        assert only(commands, c.AcceptCall)
        assert c.SayRinging(IN1) not in commands
        assert desk.microphone is PathName.SPEAKER
        assert desk.heard.bell == ()

    def test_always_does_not_wait_for_the_engine(self):
        desk = Desk(auto(), engine=False)
        assert only(desk.calls_us(), c.AcceptCall)
        assert desk.heard.streams == {}
        desk.engine_ready()
        assert desk.heard.configured[desk.front_stream].formats[0].name == "PCMU"

    def test_the_others_run_beside_the_one_in_front(self):
        desk = Desk(auto(max_calls=3))
        for name in ("in-1", "in-2", "in-3"):
            assert only(desk.calls_us(name), c.AcceptCall)
        assert only(desk.calls_us("in-4"), c.RejectCall)[0].status == 486
        assert desk.front == IN1
        assert list(desk.heard.routes.values()) == [m.Route.CARD, m.Route.NULL, m.Route.NULL]

    def test_with_loop_each_call_hears_itself(self):
        desk = Desk(auto(loop=True))
        desk.calls_us("in-1")
        desk.calls_us("in-2")
        assert set(desk.heard.routes.values()) == {m.Route.LOOP}

    def test_the_next_comes_to_the_front_when_the_first_ends(self):
        desk = Desk(auto())
        desk.calls_us("in-1")
        desk.calls_us("in-2")
        desk.far_end_hangs_up(IN1)
        assert desk.front == IN2
        assert desk.heard.routes[desk.front_stream] is m.Route.CARD

    def test_but_never_with_a_microphone_that_a_person_has_closed(self):
        desk = Desk(auto())
        desk.calls_us("in-1")
        desk.calls_us("in-2")
        desk.send(a.HangUp())
        assert desk.front == IN2
        assert desk.microphone is None

    def test_it_does_not_take_the_phone_from_a_person(self):
        desk = Desk(auto()).talking()
        front = desk.front
        assert only(desk.calls_us(), c.AcceptCall)
        assert desk.front == front
        assert list(desk.heard.routes.values()).count(m.Route.CARD) == 1

    def test_without_anything_in_common_it_refuses(self):
        desk = Desk(auto())
        assert only(desk.calls_us(body=sdp(18)), c.RejectCall)[0].status == 488
        assert desk.mode is Mode.IDLE

    def test_a20_trusted_answers_only_who_asks_and_with_a_tone(self):
        desk = Desk(auto("trusted"))
        desk.calls_us("in-1")
        assert desk.mode is Mode.RINGING
        desk.send(a.HangUp())
        commands = desk.calls_us("in-2", facts=AT_ONCE)
        assert only(commands, c.AcceptCall)
        assert [x.name for x in only(commands, m.PlayTone)] == ["beep"]

    def test_a20_trusted_does_not_break_into_a_conversation(self):
        desk = Desk(auto("trusted")).talking()
        commands = desk.calls_us(facts=AT_ONCE)
        assert not only(commands, c.AcceptCall)
        assert c.SayRinging(IN1) in commands

    @pytest.mark.parametrize(("tone", "beeps"), [(None, 0), (True, 1), (False, 0)])
    def test_always_beeps_only_if_told(self, tone, beeps):
        desk = Desk(auto(tone=tone))
        assert len(only(desk.calls_us(), m.PlayTone)) == beeps

    def test_never_asks_a_person(self):
        desk = Desk(auto("never"))
        assert not only(desk.calls_us(facts=AT_ONCE), c.AcceptCall)


def test_a_phone_without_a_loudspeaker_stays_silent_until_lifted():
    desk = Desk(auto(), paths=(PathName.HANDSET, PathName.RINGER))
    desk.calls_us()
    assert desk.heard.talk.path is None
    desk.lift()
    assert desk.microphone is PathName.HANDSET


def test_the_log_says_who_hung_up():
    ours, theirs = Desk().talking(), Desk().talking()
    ours.put_down()
    theirs.far_end_hangs_up()
    assert (ours.heard.logged[-1], theirs.heard.logged[-1]) == ("call_finished", "call_ended")


class TestRefusedByRule:
    def test_a_caller_is_refused_as_unwanted(self):
        """RFC 8197 §4."""
        desk = Desk()
        desk.calls_us()
        assert c.RejectCall(IN1, 607) in desk.send(a.Unwanted())
        assert (desk.mode, desk.view.missed) == (Mode.IDLE, 0)
        assert desk.heard.records[-1].outcome is CallOutcome.REFUSED
        assert desk.phone.refusal(a.Unwanted()).text == "no_call_rings"

    def test_also_behind_a_conversation(self):
        desk = Desk().talking()
        desk.calls_us()
        assert c.RejectCall(IN1, 607) in desk.send(a.Unwanted(IN1))
        assert desk.mode is Mode.TALKING

    def test_a_call_that_is_up_is_not_ended_by_it(self):
        desk = Desk().talking()
        assert only(desk.send(a.Unwanted()), c.EndCall) == []

    @pytest.mark.parametrize(("wanted", "hides", "rings"), [
        (True, True, False), (True, False, True), (False, True, True),
    ])  # fmt: skip
    def test_who_hides_is_refused_where_that_is_asked_for(self, wanted, hides, rings):
        """RFC 5079 §5."""
        line = LineSettings("100", "pbx", name="desk", reject_anonymous=wanted)
        desk = Desk(Settings(lines=(line,)))
        commands = desk.calls_us(facts=CallFacts(anonymous=hides))
        assert (c.RejectCall(IN1, 433) in commands) is not rings
        assert (desk.mode is Mode.RINGING) is rings
        if not rings:
            assert desk.heard.records[-1].reason == "call_hidden"
            assert desk.view.missed == 1

    def test_but_never_after_an_emergency_call(self):
        line = LineSettings("100", "pbx", name="desk", reject_anonymous=True)
        desk = Desk(Settings(lines=(line,)))
        desk.lift()
        desk.dials("911")
        desk.way_found()
        desk.far_end_answers()
        desk.far_end_hangs_up()
        desk.put_down()
        desk.calls_us(facts=CallFacts(anonymous=True))
        assert desk.mode is Mode.RINGING
