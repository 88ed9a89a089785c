"""The controls of a sound card, on a stand-in for the library."""

import sys

import pytest

from hal.boards.loader import board_names, load_board
from hal.card_spec import CardSpec, Control
from hal.errors import DeviceError
from hal.sound.alsa import open_alsa_card
from hal.sound.mixer import apply_mixer, check_mixer, mixer_name, read_mixer, route_mixer
from tests.support.fake_alsa import FakeAlsa, Hardware
from tests.support.fake_mixer import CAPTURE, PLAYBACK, FakeMixers, Knob, output, switch

BOOST = (0, 3)


def wm8960():
    """As the chip wakes up; names, steps and positions are those of the kernel's driver (5.10)."""
    knobs = {
        "Headphone": output(),
        "Speaker": output(),
        "Speaker DC": Knob(volume={PLAYBACK: 2}, steps=(0, 5), common=("Volume",)),
        "Speaker AC": Knob(volume={PLAYBACK: 0}, steps=(0, 5), common=("Volume",)),
        "Playback": Knob(volume={PLAYBACK: 255}, steps=(0, 255), common=("Volume",)),
        "Capture": Knob(volume={CAPTURE: 39}, switch={CAPTURE: False}, steps=(0, 63)),
        "ADC PCM": Knob(volume={CAPTURE: 195}, steps=(0, 255)),
        "PCM Playback -6dB": switch(),
        "ALC Function": Knob(choices=("Off", "Right", "Left", "Stereo")),
    }
    for side in ("Left", "Right"):
        letter = side[0]
        knobs |= {
            f"{side} Output Mixer PCM": switch(),
            f"{side} Output Mixer Boost Bypass": switch(),
            f"{side} Boost Mixer {letter}INPUT1": switch(on=True),
            f"{side} Boost Mixer {letter}INPUT2": switch(),
            f"{side} Input Mixer Boost": switch(),
            f"{side} Input Boost Mixer {letter}INPUT1": Knob(
                volume={PLAYBACK: 0}, steps=BOOST, common=("Volume",)
            ),
        }
    return knobs


def usb():
    """A USB card with a microphone that may be fed to its own loudspeaker."""
    return {
        "Speaker": Knob(volume={PLAYBACK: 20}, switch={PLAYBACK: False}, steps=(0, 37)),
        "Mic": Knob(
            volume={PLAYBACK: 10, CAPTURE: 5},
            switch={PLAYBACK: True, CAPTURE: False},
            steps=(0, 35),
        ),
        "Auto Gain Control": switch(on=True),
        "PCM": output(5, (0, 10)),
        "PCM,1": output(5, (0, 10)),
    }


@pytest.fixture
def alsa(monkeypatch):
    """The library with a WM8960 and a USB card; every handle is closed in the end."""
    library = FakeMixers(wm8960=wm8960(), Device=usb())
    monkeypatch.setitem(sys.modules, "alsaaudio", library)
    yield library
    assert library.open == 0


def card(*controls, device="id:Device"):
    return CardSpec("alsa", device, mixer=tuple(Control(*control) for control in controls))


def stands(alsa, card="Device"):
    return {name: str(knob.stands) for name, knob in alsa.knobs[f"hw:CARD={card}"].items()}


# --- what is set ----------------------------------------------------------------------------


def test_a_wm8960_that_woke_up_is_made_to_sound(alsa):
    spec = load_board("wm8960").cards["handset"]._replace(device="id:wm8960")
    knobs, before = alsa.knobs["hw:CARD=wm8960"], stands(alsa, "wm8960")
    assert check_mixer(spec)

    assert apply_mixer(spec) == ""
    assert check_mixer(spec) == ()
    assert knobs["Left Output Mixer PCM"].switch == {PLAYBACK: [True, True]}
    assert knobs["Right Output Mixer PCM"].switch == {PLAYBACK: [True, True]}
    assert knobs["Right Input Mixer Boost"].switch == {PLAYBACK: [True, True]}
    assert knobs["Left Input Boost Mixer LINPUT1"].volume == {PLAYBACK: [2, 2]}
    assert knobs["Capture"].switch == {CAPTURE: [True, True]}

    named = {control.name for control in spec.mixer}
    after = stands(alsa, "wm8960")
    assert {name for name in before if before[name] != after[name]} <= named


def test_what_stands_right_already_is_not_touched(alsa):
    spec = load_board("wm8960").cards["speaker"]._replace(device="id:wm8960")
    apply_mixer(spec)
    alsa.written.clear()
    alsa.looks = 0
    assert apply_mixer(spec) == ""
    assert alsa.written == []
    assert alsa.looks == len(spec.mixer), "and looked at once: a card takes its time to answer"


def test_a_number_is_a_volume_and_switches_on(alsa):
    assert apply_mixer(card(("Speaker", 80))) == ""
    speaker = alsa.knobs["hw:CARD=Device"]["Speaker"]
    assert (speaker.volume, speaker.switch) == ({PLAYBACK: [30, 30]}, {PLAYBACK: [True, True]})


def test_the_side_of_a_control_may_be_named(alsa):
    assert apply_mixer(card(("Mic Capture", 100), ("Mic Playback", False))) == ""
    mic = alsa.knobs["hw:CARD=Device"]["Mic"]
    assert mic.volume == {PLAYBACK: [10, 10], CAPTURE: [35, 35]}
    assert mic.switch == {PLAYBACK: [False, False], CAPTURE: [True, True]}


def test_the_second_of_two_with_one_name_may_be_named(alsa):
    assert apply_mixer(card(("PCM,1", 100))) == ""
    knobs = alsa.knobs["hw:CARD=Device"]
    assert (knobs["PCM"].volume, knobs["PCM,1"].volume) == ({0: [5, 5]}, {0: [10, 10]})


def test_a_common_volume_has_no_sides(alsa):
    knobs = alsa.knobs["hw:CARD=wm8960"]
    assert apply_mixer(card(("Playback Capture", 50), device="id:wm8960")) == ""
    assert knobs["Playback"].volume == {PLAYBACK: [128, 128]}


def test_the_switch_of_the_other_side_is_not_a_volumes(alsa):
    """As snd-dummy's Master: one volume for both, a switch for what is recorded."""
    alsa.knobs["hw:CARD=Device"]["Master"] = Knob(
        volume={PLAYBACK: 0}, switch={CAPTURE: False}, common=("Volume",)
    )
    assert apply_mixer(card(("Master", 60))) == ""
    assert alsa.knobs["hw:CARD=Device"]["Master"].switch == {CAPTURE: [False, False]}


def test_one_of_several_is_chosen(alsa):
    knob = alsa.knobs["hw:CARD=wm8960"]["ALC Function"]
    assert apply_mixer(card(("ALC Function", "Stereo"), device="id:wm8960")) == ""
    assert knob.choices[knob.chosen] == "Stereo"


def test_one_channel_that_differs_is_set_too(alsa):
    speaker = alsa.knobs["hw:CARD=Device"]["Speaker"]
    speaker.volume[PLAYBACK][:], speaker.switch[PLAYBACK][:] = [30, 0], [True, False]
    assert check_mixer(card(("Speaker", 80))) == ("'Speaker' is half on, and should be at 80 %",)
    assert apply_mixer(card(("Speaker", 80))) == ""
    assert speaker.stands[:2] == ({PLAYBACK: [30, 30]}, {PLAYBACK: [True, True]})
    speaker.volume[PLAYBACK][:], speaker.switch[PLAYBACK][:] = [30, 37], [True, True]
    assert check_mixer(card(("Speaker", 80))) == ("'Speaker' is at 100 %, and should be at 80 %",)
    speaker.switch[PLAYBACK][:] = [True, False]
    assert apply_mixer(card(("Speaker", False))) == ""
    assert speaker.switch == {PLAYBACK: [False, False]}


def test_a_card_without_controls_asks_for_no_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "alsaaudio", None)
    assert apply_mixer(card()) == ""
    assert check_mixer(card()) == ()


# --- what cannot be set ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("control", "fault"),
    [
        (("Speeker", 80), "it has no mixer control 'Speeker'; is it 'Speaker'?"),
        (
            ("Zither", True),
            "it has no mixer control 'Zither', but 'Speaker', 'Mic', 'Auto Gain Control', 'PCM'",
        ),
        (("PCM,2", 80), "it has no mixer control 'PCM,2'; is it 'PCM'?"),
        (("PCM", True), "'PCM' takes 0 to 100, not true"),
        (("Auto Gain Control", 50), "'Auto Gain Control' takes true or false, not 50"),
        (("Auto Gain Control", "On"), "'Auto Gain Control' takes true or false, not 'On'"),
        (("Speaker", "loud"), "'Speaker' takes true or false, or 0 to 100, not 'loud'"),
        (("Speaker Capture", True), "'Speaker' has nothing to set for capture"),
        (
            ("Mic", 80),
            "'Mic' is there for both directions; name 'Mic Playback' or 'Mic Capture'",
        ),
    ],
)
def test_what_a_card_has_not_got_is_told_with_what_it_has(alsa, control, fault):
    before = stands(alsa)
    assert apply_mixer(card(control)) == f"card id:Device: {fault}"
    assert check_mixer(card(control)) == (fault,)
    assert apply_mixer(card((*control, True))) == "", "it may lack this one"
    assert stands(alsa) == before


def test_a_choice_that_is_none_is_told_with_those_there_are(alsa):
    assert apply_mixer(card(("ALC Function", "Sterio"), device="id:wm8960")) == (
        "card id:wm8960: 'ALC Function' takes 'Off', 'Right', 'Left', 'Stereo', not 'Sterio'"
    )


def test_a_fault_keeps_nothing_else_from_being_set(alsa):
    apply_mixer(card(("Zither", True), ("Mic", 1), ("Speaker", True)))
    assert alsa.knobs["hw:CARD=Device"]["Speaker"].switch == {PLAYBACK: [True, True]}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Speaker", True, "off, and should be on"),
        ("Auto Gain Control", False, "on, and should be off"),
        ("PCM", 100, "at 50 %, and should be at 100 %"),
    ],
)
def test_what_does_not_stay_is_told_though_the_library_says_it_did(alsa, name, value, words):
    alsa.knobs["hw:CARD=Device"][name].stuck = True
    assert apply_mixer(card((name, value))) == f"card id:Device: {name!r} stays {words}"
    assert check_mixer(card((name, value))) == (f"{name!r} is {words}",)
    assert apply_mixer(card((name, value, True))), "it is there, so it should do as it is told"


def test_one_sentence_has_room_for_three_faults(alsa):
    spec = card(*((f"Zither {number}", True) for number in range(5)))
    found = apply_mixer(spec)
    assert found.count("Zither") == 3
    assert found.endswith("; 2 more")
    assert len(check_mixer(spec)) == 5


def test_a_mixer_that_may_not_be_touched_says_why(alsa):
    alsa.forbidden = True
    why = "its mixer cannot be had (Permission denied)"
    assert check_mixer(card(("Speaker", 80))) == (why,)
    assert apply_mixer(card(("Speaker", 80))) == f"card id:Device: {why}"
    with pytest.raises(DeviceError, match="card id:Device: its mixer cannot be had"):
        read_mixer("id:Device")


def test_a_card_without_a_mixer_says_so(alsa):
    alsa.knobs["hw:CARD=Device"].clear()
    found = apply_mixer(card(("Speaker", 80)))
    assert found == "card id:Device: it has no mixer control 'Speaker', nor any other"


# --- what is read ---------------------------------------------------------------------------


def test_what_somebody_changed_is_found_and_nothing_is_set(alsa):
    spec = card(("Speaker", 80), ("Auto Gain Control", False))
    apply_mixer(spec)
    alsa.written.clear()
    alsa.knobs["hw:CARD=Device"]["Speaker"].volume[PLAYBACK][:] = [3, 3]
    assert check_mixer(spec) == ("'Speaker' is at 8 %, and should be at 80 %",)
    assert alsa.written == []


@pytest.mark.parametrize("value", [0, 1, 33, 50, 76, 99, 100])
@pytest.mark.parametrize("steps", [(0, 1), (0, 3), (0, 37), (0, 127), (0, 255), (-50, 0), (7, 7)])
def test_what_the_steps_of_a_card_make_of_a_number_is_right(alsa, value, steps):
    alsa.knobs["hw:CARD=Device"]["Line"] = Knob(volume={PLAYBACK: steps[0]}, steps=steps)
    assert apply_mixer(card(("Line", value))) == ""
    assert check_mixer(card(("Line", value))) == ()


def test_a_mixer_is_read_as_it_could_stand_in_a_board_file(alsa):
    found = read_mixer("id:Device")
    assert found == (
        Control("Speaker", value=False),
        Control("Mic Playback", 29),
        Control("Mic Capture", value=False),
        Control("Auto Gain Control", value=True),
        Control("PCM", 50),
        Control("PCM,1", 50),
    )
    before = stands(alsa)
    assert apply_mixer(CardSpec("alsa", "id:Device", mixer=found)) == ""
    assert stands(alsa) == before


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("id:Device", "hw:CARD=Device"),
        ("id:Device,DEV=1", "hw:CARD=Device"),
        ("hw:CARD=Loopback,DEV=0,SUBDEV=3", "hw:CARD=Loopback"),
        ("plughw:1,0", "hw:1"),
        ("sysdefault:CARD=Device", "hw:CARD=Device"),
        ("tape", "tape"),
        ("", "default"),
    ],
)
def test_the_mixer_is_that_of_the_card(device, name):
    assert mixer_name(device) == name


# --- when a card is opened ------------------------------------------------------------------


class Alsa(FakeAlsa, FakeMixers):
    """Both halves of the module."""

    def __init__(self, hardware, knobs):
        FakeMixers.__init__(self, Device=knobs)
        FakeAlsa.__init__(self, {"hw:CARD=Device": hardware})


@pytest.fixture
def desk(monkeypatch):
    hardware, knobs = Hardware(), usb()
    monkeypatch.setitem(sys.modules, "alsaaudio", Alsa(hardware, knobs))
    monkeypatch.setattr("hal.sound.alsa.absent", lambda _device: hardware.gone)
    return hardware, knobs


def test_a_card_is_set_each_time_it_is_opened(desk):
    hardware, knobs = desk
    spec = card(("Speaker", 80))
    first = open_alsa_card(spec, 16_000)
    assert first.remark == ""
    assert knobs["Speaker"].volume == {PLAYBACK: [30, 30]}
    first.close()

    hardware.gone = True
    with pytest.raises(DeviceError, match="no such card"):
        open_alsa_card(spec, 16_000)
    hardware.gone = False
    knobs["Speaker"].volume[PLAYBACK][:] = [0, 0]
    open_alsa_card(spec, 16_000).close()
    assert knobs["Speaker"].volume == {PLAYBACK: [30, 30]}


def test_a_card_whose_mixer_is_another_is_open_all_the_same(desk):
    open_one = open_alsa_card(card(("Headphone", 80)), 16_000)
    assert open_one.remark.startswith("card id:Device: it has no mixer control 'Headphone'")
    open_one.write(bytes(640))
    open_one.close()


# --- the boards that come with the phone ----------------------------------------------------


@pytest.mark.parametrize("name", board_names())
def test_a_generic_board_demands_nothing_of_a_usb_card(monkeypatch, name):
    for spec in load_board(name).cards.values():
        if spec.kind == "alsa" and name != "wm8960":
            assert spec.mixer
            assert all(control.optional for control in spec.mixer)
            monkeypatch.setitem(sys.modules, "alsaaudio", FakeMixers(Device=usb(), Handset=usb()))
            assert apply_mixer(spec) == ""
            knobs = sys.modules["alsaaudio"].knobs[f"hw:CARD={spec.device.removeprefix('id:')}"]
            assert knobs["Speaker"].switch == {PLAYBACK: [True, True]}
            assert knobs["Mic"].switch == {PLAYBACK: [False, False], CAPTURE: [True, True]}


# --- outputs that are for some paths ----------------------------------------------------------


def test_a_wm8960_plays_where_somebody_listens(alsa):
    """Handset and loudspeaker are two outputs of one codec, which play the same."""
    spec = load_board("wm8960").cards["handset"]._replace(device="id:wm8960")
    knobs = alsa.knobs["hw:CARD=wm8960"]

    def outputs():
        return tuple(knobs[name].volume[PLAYBACK][0] for name in ("Headphone", "Speaker"))

    apply_mixer(spec)
    assert outputs() == (0, 0)
    for paths, volumes in (
        ({"ringer"}, (0, 121)),
        ({"handset"}, (114, 0)),
        ({"speaker"}, (0, 121)),
        ({"handset", "ringer"}, (114, 121)),
    ):
        alsa.written.clear()
        route_mixer(spec, paths)
        assert outputs() == volumes
        assert set(alsa.written) <= {"Headphone", "Speaker"}
        assert check_mixer(spec, paths) == ()
    assert check_mixer(spec, {"handset"}) == ("'Speaker' is at 95 %, and should be at 0 %",)


def test_an_open_card_follows_the_paths_that_are_heard(desk):
    _, knobs = desk
    spec = CardSpec(
        "alsa", "id:Device", mixer=(Control("Speaker", value=False, paths=(("speaker", 80),)),)
    )
    open_one = open_alsa_card(spec, 16_000)
    assert knobs["Speaker"].switch == {PLAYBACK: [False, False]}
    open_one.heard_on({"speaker"})
    assert knobs["Speaker"].stands[:2] == ({PLAYBACK: [30, 30]}, {PLAYBACK: [True, True]})
    open_one.heard_on({"handset"})
    assert knobs["Speaker"].switch == {PLAYBACK: [False, False]}
    open_one.close()


def test_a_card_that_is_gone_is_no_trouble_for_whoever_switches_its_outputs(alsa):
    alsa.knobs.clear()
    route_mixer(card(("Speaker", 0, False, (("speaker", 80),))), {"speaker"})
