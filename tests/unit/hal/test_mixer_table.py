"""The `[mixer]` of a board file."""

import tomllib

import pytest

from hal.board import CardSpec
from hal.boards.loader import load_board
from hal.card_spec import Control
from hal.mixer_table import mixer_of, read_mixers
from hal.toml_table import Table


@pytest.fixture
def read():
    """The mixers of a text, and what is wrong with it."""

    def from_text(text):
        problems = []
        mixers = read_mixers(Table(tomllib.loads(text), (), problems).table("mixer"))
        return mixers, [str(each) for each in problems]

    return from_text


@pytest.fixture
def load(tmp_path):
    def from_text(text, **own):
        (tmp_path / "desk.toml").write_text(text)
        return load_board(str(tmp_path / "desk.toml"), own)

    return from_text


def test_switches_volumes_choices_and_what_may_be_missing(read):
    text = '[mixer."id:Codec"]\nA = true\n"B b" = 75\n"C?" = false\n"D? " = 0\nE = "Stereo"\n'
    found = {
        "id:Codec": (
            Control("A", value=True),
            Control("B b", 75),
            Control("C", value=False, optional=True),
            Control("D?", 0),
            Control("E", "Stereo"),
        )
    }
    assert read(text) == (found, [])


def test_a_board_without_one_sets_nothing(read):
    assert read("") == ({}, [])
    assert read('[mixer."id:Codec"]\n') == ({"id:Codec": ()}, [])


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('Headphone = "75%"', "mixer.id:Codec.Headphone: per cent are written as a number: 75"),
        ("Headphone = 101", "mixer.id:Codec.Headphone: must be a volume from 0 to 100"),
        ("Headphone = -1", "mixer.id:Codec.Headphone: must be a volume from 0 to 100"),
        (
            "Headphone = 0.5",
            "mixer.id:Codec.Headphone: 0.5 is neither true nor false nor a whole number nor a text",
        ),
    ],
)
def test_what_no_control_can_be_is_told(read, line, complaint):
    assert read(f'[mixer."id:Codec"]\n{line}\n')[1] == [complaint]


def test_a_control_without_its_card_is_told(read):
    _, problems = read("[mixer]\nHeadphone = 80\n")
    assert problems == ['mixer.Headphone: must be a table, like [mixer."id:DEVICE"]']


BOARD = """
[cards]
handset = { device = "id:Codec" }
speaker = { device = "id:Codec,DEV=1" }
ringer = { device = "id:Other" }
[mixer."id:Codec"]
"Speaker?" = true
"Headphone" = 80
"""
SPEAKER, HEADPHONE = Control("Speaker", value=True, optional=True), Control("Headphone", 80)


def test_every_path_of_a_card_has_its_controls_and_no_other_has(load):
    cards = load(BOARD).cards
    assert cards["handset"] == CardSpec("alsa", "id:Codec", mixer=(SPEAKER, HEADPHONE))
    assert cards["speaker"].mixer == (SPEAKER, HEADPHONE)
    assert cards["ringer"].mixer == ()


def test_a_phone_may_say_otherwise_control_by_control(load):
    own = {"id:Codec": {"Headphone": 60, "Speaker": "", "Mic Capture": True}}
    found = load(BOARD, mixer=own).cards["handset"].mixer
    assert found == (Control("Headphone", 60), Control("Mic Capture", value=True))


def test_a_phone_may_leave_a_boards_mixer_alone(tmp_path):
    (tmp_path / "desk.toml").write_text(BOARD)
    board = load_board(str(tmp_path / "desk.toml"), {}, ("mixer",))
    assert (board.mixers, board.cards["handset"].mixer) == ({}, ())


def test_a_card_of_the_settings_may_have_controls_that_no_card_of_the_board_has(load):
    mixers = load(BOARD, mixer={"usb:1-1.2": {"PCM": 100}}).mixers
    assert mixer_of(mixers, "usb:1-1.2,DEV=1") == (Control("PCM", 100),)
    assert mixer_of(mixers, "id:Codec_1") == ()


def test_a_kind_without_a_mixer_has_no_controls(load):
    board = load('[cards]\nhandset = { kind = "null", device = "x" }\n[mixer.x]\nA = true\n')
    assert board.cards["handset"] == CardSpec("null", "x")


def test_a_control_may_depend_on_the_paths_that_are_heard(load):
    text = BOARD + '"Line?" = { speaker = 95, ringer = 80, else = 0 }\n'
    line = Control("Line", 0, optional=True, paths=(("speaker", 95), ("ringer", 80)))
    assert load(text).cards["handset"].mixer[-1] == line
    assert [line.at(paths) for paths in ({"handset"}, {"ringer"}, {"ringer", "speaker"}, ())] == [
        0,
        80,
        95,
        0,
    ]
    own = load(text, mixer={"id:Codec": {"Line?": {"ringer": 60, "else": False}}})
    assert own.mixers["id:Codec"][-1].at({"ringer"}) == 60
    assert own.mixers["id:Codec"][-1].at(()) is False
    plain = load(text, mixer={"id:Codec": {"Line": 50}})
    assert plain.mixers["id:Codec"][-1] == Control("Line", 50)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (
            "{ speker = 95, else = 0 }",
            "Line.speker: there is no such path; there are handset, headset, speaker, ringer and",
        ),
        ("{ speaker = 95 }", "Line.else: is missing: how it stands while none of these paths is"),
        ('{ speaker = "95%", else = 0 }', "Line.speaker: per cent are written as a number: 95"),
        ("{ speaker = 95, else = 200 }", "Line.else: must be a volume from 0 to 100"),
        ("{ speaker = [1], else = 0 }", "Line.speaker: [1] is neither true nor false"),
    ],
)
def test_what_no_control_can_be_on_a_path_is_told(read, value, complaint):
    (problem,) = read(f'[mixer."id:Codec"]\nLine = {value}\n')[1]
    assert problem.startswith(f"mixer.id:Codec.{complaint}")
