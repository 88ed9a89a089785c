"""Tone, way round, voice and own voice: what they say together of earpieces and microphones."""

import pytest

from firmware.wiring.evidence import Answer, Beep, Beeped, Level, Listen, NoSound, Play, Played
from hal.card_spec import CardSpec
from tests.unit.wiring.conftest import Builder, board, sounds

NO = Answer.NO


def cards(**devices):
    specs = {path: CardSpec("alsa", device) for path, device in devices.items()}
    return board(keypad=None, hook=None, cards=specs)


HANDSET = cards(handset="id:Device")
TWO = cards(handset="id:Device", speaker="id:Other")


def room(handset="handset", speaker="speaker", level=0.4):
    """Whose microphone hears the tone of each path; None = nobody's."""
    hears = {"handset": handset, "speaker": speaker}

    def sound(order):
        match order:
            case Beep(path, ears):
                return Beeped(path, tuple((ear, 30.0 * (ear == hears[path])) for ear in ears))
            case Listen(path):
                return Level(path, level, 0.0)
            case _:
                return sounds(order)

    return sound


def test_a_path_that_is_right_is_heard_spoken_into_and_heard_again():
    builder = Builder(HANDSET).go()
    assert builder.found == []
    orders = [type(each).__name__ for each in builder.said if hasattr(each, "path")]
    assert orders == ["Play", "Beep", "Listen", "Repeat"]
    assert builder.asked == ["heard", "be_quiet", "speak", "heard_yourself"]


def test_the_ringer_is_only_listened_to():
    builder = Builder(cards(ringer="id:Device")).go()
    assert builder.asked == ["heard"]


def test_each_tone_is_listened_to_by_one_microphone_of_every_card():
    spec = cards(handset="id:A", headset="id:A", speaker="id:B", ringer="id:C")
    beeps = [each for each in Builder(spec).go().said if isinstance(each, Beep)]
    assert beeps == [
        Beep("handset", ("handset", "speaker")),
        Beep("headset", ("headset", "speaker")),
        Beep("speaker", ("speaker", "handset")),
    ]


@pytest.mark.parametrize(
    ("sound", "answers", "found"),
    [
        (room(handset=None), {"tone handset": NO, "tone handset elsewhere": NO}, ["not_heard"]),
        (room(), {"tone handset": NO, "tone handset elsewhere": NO}, ["faint"]),
        (room(), {"tone handset": NO}, ["elsewhere"]),
        (room(handset=None), {}, []),
        (room(handset=None, level=0.001), {}, ["mic_silent"]),
        (room(level=0.001), {}, []),
        (room(handset=None), {"echo handset": NO}, ["no_echo"]),
    ],
    ids=[
        "a dead earpiece",
        "too quiet for an ear",
        "out of another loudspeaker",
        "a handset that keeps ear and mouth apart",
        "a dead microphone",
        "a builder who says nothing",
        "a microphone that records something else",
    ],
)
def test_what_a_builder_hears_and_what_the_microphone_hears(sound, answers, found):
    assert Builder(HANDSET, sound=sound, answers=answers).go().texts == found


@pytest.mark.parametrize(
    ("answers", "found"),
    [({}, "mouths_exchanged"), ({"tone handset": NO, "tone speaker": NO}, "ears_exchanged")],
)
def test_ears_or_mouths_of_two_cards_that_are_exchanged_are_one_finding(answers, found):
    sound = room(handset="speaker", speaker="handset")
    builder = Builder(TWO, sound=sound, answers=answers).go()
    assert builder.found == [(found, {"path": "handset", "other": "speaker"})]
    assert builder.learned == {}


def test_two_cards_that_are_exchanged_as_a_whole_are_written_as_they_are():
    answers = {"tone handset": NO, "tone speaker": NO}
    builder = Builder(TWO, sound=room(), answers=answers).go()
    assert builder.texts == ["cards_exchanged"]
    assert builder.learned == {
        "cards.handset.device": "id:Other",
        "cards.speaker.device": "id:Device",
    }


def test_a_tone_that_only_another_microphone_hears():
    sound = room(handset="speaker", speaker="speaker")
    builder = Builder(TWO, sound=sound).go()
    assert builder.found == [("crossed", {"path": "handset", "other": "speaker"})]


def test_a_loudspeaker_that_both_microphones_hear_is_right():
    def sound(order):
        if isinstance(order, Beep):
            return Beeped(order.path, tuple((ear, 30.0) for ear in order.ears))
        return sounds(order)

    assert Builder(TWO, sound=sound).go().found == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Level("handset", 0.0, 0.0), "mic_silent"),
        (Level("handset", 1.0, 0.2), "mic_clipped"),
        (NoSound("handset", "it has none"), "no_mic"),
    ],
)
def test_a_microphone_that_is_silent_or_clips_and_a_card_that_is_gone(answer, text):
    silent = room(handset=None)
    sound = lambda order: answer if isinstance(order, Listen) else silent(order)  # noqa: E731
    assert Builder(HANDSET, sound=sound).go().texts == [text]


@pytest.mark.parametrize("order", [Play, Beep])
def test_a_card_that_is_not_there_or_goes_is_asked_for_nothing_more(order):
    def sound(given):
        return NoSound("handset", "it is gone") if isinstance(given, order) else sounds(given)

    builder = Builder(HANDSET, sound=sound).go()
    assert builder.found == [("no_card", {"path": "handset", "reason": "it is gone"})]
    assert [each for each in builder.said if hasattr(each, "path")][-1:] != []
    assert type([each for each in builder.said if hasattr(each, "path")][-1]) is order


def test_a_recording_without_a_sound_is_not_played_again():
    builder = Builder(HANDSET, sound=room(level=0.001)).go()
    assert "heard_yourself" not in builder.asked


def test_one_who_hears_nothing_is_not_asked_whether_he_hears_himself():
    builder = Builder(HANDSET, answers={"tone handset": NO}).go()
    assert "heard_yourself" not in builder.asked


def test_an_answer_before_the_question_is_none():
    builder = Builder(HANDSET, sound=lambda order: answers.pop() if answers else sounds(order))
    answers = [Answer.YES]
    builder.now += 2
    builder.walk.expire(builder.now)
    builder.drain()
    builder.give(Answer.YES)
    assert builder.walk.evidence.answers == {}
    builder.give(Played("handset"))
    builder.give(Answer.YES)
    assert builder.walk.evidence.answers == {"tone handset": Answer.YES}


def test_controls_of_a_mixer_that_are_wrong_are_told_once_a_card():
    spec = cards(handset="id:Device", ringer="id:Device", speaker="id:Other")
    faults = ("'PCM' is off, and should be on", "it has no mixer control 'Mic'")

    def sound(order):
        own = spec.cards[order.path].device == "id:Device"
        return Played(order.path, faults) if isinstance(order, Play) and own else sounds(order)

    builder = Builder(spec, sound=sound).go()
    assert builder.found == [("mixer", {"path": "handset", "faults": "; ".join(faults)})]


def test_a_card_that_never_answers_does_not_hold_up_the_walk():
    builder = Builder(HANDSET)
    for _ in range(100):
        if builder.walk.deadline is None:
            break
        builder.now = builder.walk.deadline
        builder.walk.expire(builder.now)
    assert builder.walk.deadline is None
    assert builder.now < 200


def test_without_a_terminal_the_way_round_is_measured_all_the_same():
    builder = Builder(HANDSET)
    builder.give(Answer.GONE)
    builder.go()
    assert builder.walk.evidence.beeps == {"handset": {"handset": 40.0}}
    assert builder.found == []


@pytest.mark.parametrize(
    ("said", "asked", "found"),
    [
        ([NO, Answer.YES], ["heard", "heard"], []),
        ([NO, NO, NO], ["heard", "heard", "heard_elsewhere"], ["faint"]),
    ],
)
def test_one_who_had_to_find_the_earpiece_hears_it_again(said, asked, found):
    builder = Builder(HANDSET)
    act, left = builder.act, list(said)

    def answer(step):
        if step.name.startswith("tone"):
            builder.give(left.pop(0))
        else:
            act(step)

    builder.act = lambda step: answer(step) if hasattr(step, "name") else act(step)
    builder.go()
    assert builder.asked[: len(asked)] == asked
    assert builder.texts == found
    plays = [each for each in builder.said if isinstance(each, Play)]
    assert len(plays) == 2


def test_only_cards_of_alsa_are_listened_to():
    spec = board(keypad=None, hook=None, cards={"handset": CardSpec("null")})
    assert Builder(spec).go().asked == []
