"""The wiring test with a board that is opened: a person at the virtual phone, and at a pipe."""

import array
import os
import socket

import pytest

from firmware.bootstrap.board_test import Time, Trial, board_test, measurable
from firmware.bootstrap.sound_test import level_of, listen, play
from firmware.ui.text import Texts
from firmware.wiring.evidence import Level, NoSound, Played
from hal.board_spec import Contact
from hal.boards.loader import load_board
from hal.boards.opening import open_board
from hal.card_spec import CardSpec
from hal.events import DeviceFailed
from hal.keys import Key

OWN = """
[panel]
keys = ["1", "2"]
size = [128, 64]
lamps = ["message"]
"""


@pytest.fixture
def spec(tmp_path):
    (tmp_path / "desk.toml").write_text(OWN)
    return load_board(str(tmp_path / "desk.toml"))


class Hurry(Time):
    """No second is really waited for."""

    def __init__(self):
        self._now = 100.0

    def now(self):
        return self._now

    def readable(self, descriptors, seconds):
        if not (ready := super().readable(descriptors, 0)):
            self._now += seconds
        return ready


class Person:
    """Does at the virtual phone what is said; `deaf` to some of it. Answers by a pipe."""

    def __init__(self, spec, deaf=(), answer=b"y\n"):
        self.heard = []
        self.pictures = []
        self._deaf = deaf
        self._answer = answer
        self._ear, self._mouth = os.pipe()
        self.trial = Trial(
            spec, self._open(spec), Texts.load(), answers=self._ear, tell=self.tell, time=Hurry()
        )

    def _open(self, spec):
        def opener(post):
            board = open_board(spec, post)
            self.panel = board.panel
            return board

        return opener

    def tell(self, words):
        self.heard.append(words)
        self.pictures.append(self.panel.picture)
        if any(word in words for word in self._deaf):
            return
        acts = {
            "Press the key 1": lambda: self._press(Key.DIGIT_1),
            "Press the key 2": lambda: self._press(Key.DIGIT_2),
            "Lift the handset.": self.panel.lift,
            "Put the handset down.": self.panel.replace,
        }
        act = acts.get(words.removesuffix(" and let it go."))
        if act is not None:
            act()
        elif words.endswith("(y/n)"):
            os.write(self._mouth, self._answer)

    def _press(self, key):
        self.panel.press(key)
        self.panel.release(key)

    def close(self):
        os.close(self._mouth)
        os.close(self._ear)


@pytest.fixture
def person(spec):
    made = []

    def make(**how):
        made.append(Person(spec, **how))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_virtual_phone_is_walked_through_and_is_right(person):
    builder = person()
    assert builder.trial.run() == 0
    assert builder.heard[-1] == "Everything that was tried is as the board file says."
    assert builder.heard.count("  ok") == 4


def test_the_step_is_on_the_screen_too(person):
    builder = person()
    builder.trial.run()
    said = builder.heard.index("Press the key 1 and let it go.")
    assert builder.pictures[said] is not None
    assert any(builder.pictures[said].bits)


def test_what_is_wrong_is_said_at_the_end_and_is_exit_1(person):
    builder = person(deaf=("key 2", "Lift", "Put the"), answer=b"n\n")
    assert builder.trial.run() == 1
    found = [line for line in builder.heard if line.startswith("- ")]
    assert any("the key 2 gave nothing" in line for line in found)
    assert any("the hook gave nothing" in line for line in found)
    assert any("the lamp message does not shine" in line for line in found)
    assert any("the bell is silent" in line for line in found)


def test_without_a_terminal_it_ends_by_itself(person):
    builder = person(deaf=("Press", "Lift", "Put"))
    builder.trial._answers = None
    assert builder.trial.run() == 1
    assert any("Not tried: lamp message, bell, screen" in line for line in builder.heard)


def test_letters_that_come_in_pieces_are_one_answer(person):
    builder = person(answer=b"yes\n")
    assert builder.trial.run() == 0


def test_a_board_that_does_not_exist_is_exit_2(capsys):
    assert board_test("keipad", None, write=False) == 2
    assert "keypad" in capsys.readouterr().err


def test_no_name_and_no_file_is_exit_2(capsys):
    assert board_test(None, None, write=False) == 2
    assert "say which board" in capsys.readouterr().err


def test_a_hook_to_be_found_out_is_opened_as_one_kind():
    spec = load_board("keypad")
    assert spec.hook.lifted is Contact.AUTO
    assert measurable(spec).hook.lifted is Contact.CLOSED
    assert measurable(load_board("rotary")) == load_board("rotary")


def test_a_level_is_how_far_a_microphone_swings():
    assert level_of("handset", array.array("h", [100] * 100)).peak == 0
    assert level_of("handset", array.array("h")).peak == 0
    loud = level_of("handset", array.array("h", [32767, -32768] * 50))
    assert loud.peak == pytest.approx(1.0, abs=0.01)
    assert loud.clipped == 1.0


def test_a_tone_is_played_and_a_silent_card_is_heard_to_be_silent():
    null = CardSpec("null")
    assert play("handset", null) == Played("handset")
    assert listen("handset", null, seconds=0.02) == Level("handset", 0.0, 0.0)


@pytest.mark.parametrize("tried", [play, listen])
def test_a_card_that_is_not_there_says_so(tried):
    found = tried("handset", CardSpec("alsa", "id:Nowhere"))
    assert isinstance(found, NoSound)
    assert found.reason


def test_pins_that_another_program_has_end_the_test_with_exit_3(spec, capsys):
    def opener(post):
        post(DeviceFailed("hook", "hook: GPIO 17 cannot be used: it is in use by deskphone", 1.0))
        return open_board(spec, post)

    trial = Trial(spec, opener, Texts.load(), answers=None, tell=lambda _words: None, time=Hurry())
    assert trial.run() == 3
    assert "GPIO 17" in capsys.readouterr().err


def test_a_phone_that_runs_has_the_devices_and_is_named_with_exit_3(tmp_path, capsys):
    place = tmp_path / "control.sock"
    config = tmp_path / "deskphone.toml"
    config.write_text(f'[board]\nname = "keypad"\n[control]\npath = "{place}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as running:
        running.bind(str(place))
        running.listen()
        assert board_test(None, config, write=True) == 3
    assert "stop it first" in capsys.readouterr().err
