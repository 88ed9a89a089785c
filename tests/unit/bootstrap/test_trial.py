"""A walk with a board that is opened: a person at the virtual phone, at a pipe or a terminal."""

import dataclasses
import io
import os
import signal
import sys
import threading

import pytest

from firmware.bootstrap import trial
from firmware.bootstrap.answers import Answers
from firmware.bootstrap.trial import Time, Trial, rows_of, show
from firmware.ui.text import Texts
from firmware.wiring.evidence import Draw, Light, Ring
from hal.board import Board
from hal.boards.loader import load_board
from hal.boards.opening import open_board
from hal.errors import DeviceError
from hal.events import DeviceFailed
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.front_panel import PluggedIn
from tests.support.left_open import closed_since, open_now, opened_since
from tests.support.waiting import wait_for

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
        self._ear, self.mouth = os.pipe()
        answers = Answers(self._ear if answer else None)
        self.trial = Trial(
            spec, self._open(spec), Texts.load(), answers=answers, tell=self.tell, time=Hurry()
        )

    def _open(self, spec):
        def opener(post):
            board = open_board(spec, post)
            self.board, self.panel = board, board.panel
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
        elif words.endswith("(y/n)") and self._answer:
            os.write(self.mouth, self._answer)

    def _press(self, key):
        self.panel.press(key)
        self.panel.release(key)

    def close(self):
        os.close(self.mouth)
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
    builder = person(deaf=("Press", "Lift", "Put"), answer=b"")
    assert builder.trial.run() == 1
    assert any("Not tried: lamp message, bell, screen" in line for line in builder.heard)


def test_letters_that_come_in_pieces_are_one_answer(person):
    assert person(answer=b"yes\n").trial.run() == 0


def test_a_word_that_is_no_answer_is_told_what_would_be_one(person):
    builder = person(answer=b"maybe\n\ny\n")
    assert builder.trial.run() == 0
    hint = Texts.load().say("board.test.keys_of_answers")
    assert builder.heard.count(hint) == 1 + 2 * 3


def test_pins_that_another_program_has_end_the_test_with_exit_3(spec, capsys):
    def opener(post):
        post(DeviceFailed("hook", "hook: GPIO 17 cannot be used: it is in use by deskphone", 1.0))
        return open_board(spec, post)

    walk = Trial(
        spec,
        opener,
        Texts.load(),
        answers=Answers(None),
        tell=lambda _words: None,
        time=Hurry(),
    )
    assert walk.run() == 3
    assert "GPIO 17" in capsys.readouterr().err


# However it ends


ASKED = [
    "Press the key 1 and let it go.",
    "Lift the handset.",
    "Put the handset down.",
    "Does the lamp message shine? (y/n)",
    "Does the bell ring? (y/n)",
    "Does the screen show a frame along its edges and letters that you can read? (y/n)",
]


def at_rest(builder):
    """Lamps dark, bell silent, screen empty, nobody listens."""
    panel = builder.panel
    return (
        set(panel.lamps.values()) == {LampPattern.OFF} and not panel.bell and panel.picture is None
    )


def interrupted(builder, asked, number):
    """A signal comes when this is asked; what runs then is the handler."""
    tell = builder.trial._tell

    def listening(words):
        if words == asked:
            os.kill(os.getpid(), number)
        tell(words)

    builder.trial._tell = listening


@pytest.mark.parametrize("asked", ASKED)
def test_the_interrupt_key_leaves_everything_at_rest(person, asked):
    builder = person()
    interrupted(builder, asked, signal.SIGINT)
    before = open_now()
    with pytest.raises(KeyboardInterrupt):
        builder.trial.run()
    assert at_rest(builder)
    assert opened_since(before) == []
    assert len([each for each in closed_since(before) if each.startswith("pipe:")]) >= 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_terminal_that_closes_or_a_kill_leaves_everything_at_rest(person, number):
    builder = person()
    interrupted(builder, ASKED[4], number)
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as end:
        builder.trial.run()
    assert end.value.code == 128 + number
    assert at_rest(builder)
    assert signal.getsignal(number) is before


def test_the_key_that_suspends_a_program_does_not_leave_a_coil_under_current(person):
    builder = person()
    tell, found = builder.trial._tell, []
    builder.trial._tell = lambda words: (
        found.append(signal.getsignal(signal.SIGTSTP)),
        tell(words),
    )
    before = signal.getsignal(signal.SIGTSTP)
    builder.trial.run()
    assert set(found) == {signal.SIG_IGN}
    assert signal.getsignal(signal.SIGTSTP) is before


def test_an_impatient_second_interrupt_waits_until_the_board_is_at_rest(person):
    builder = person()
    interrupted(builder, ASKED[3], signal.SIGINT)
    opener = builder.trial._opener

    class Slow:
        """A device that takes its time to close, and a person who has none."""

        closed = False

        def close(self):
            # Any thread may be the one that a signal finds.
            sender = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
            sender.start()
            sender.join()
            self.closed = True

    slow = Slow()

    def with_slow(post):
        board = opener(post)
        return dataclasses.replace(board, inputs=(slow, *board.inputs))

    builder.trial._opener = with_slow
    with pytest.raises(KeyboardInterrupt):
        builder.trial.run()
    assert slow.closed
    assert at_rest(builder)


def test_an_interrupt_while_the_board_comes_to_rest_is_not_forgotten(person):
    builder = person()
    tell = builder.trial._tell

    def telling(words):
        if words == ASKED[0]:
            builder.board.lamps.close = lambda: os.kill(os.getpid(), signal.SIGINT)
        tell(words)

    builder.trial._tell = telling
    with pytest.raises(KeyboardInterrupt):
        builder.trial.run()
    assert builder.panel.picture is None


def test_a_tone_ends_with_the_walk(monkeypatch, person):
    ended = []
    monkeypatch.setattr(trial.SoundTest, "close", lambda _self: ended.append(True))
    builder = person()
    interrupted(builder, ASKED[0], signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        builder.trial.run()
    assert ended == [True]


@pytest.mark.parametrize("asked", ASKED)
def test_an_end_at_any_step_is_an_end_and_no_fault(person, asked):
    builder = person()
    tell = builder.trial._tell

    def quitting(words):
        builder._deaf = (asked,)
        if words == asked:
            os.write(builder.mouth, b"q\n")
        tell(words)

    builder.trial._tell = quitting
    assert builder.trial.run() == 0
    assert at_rest(builder)
    assert any(line.startswith("Not tried: ") for line in builder.heard)


def test_nobody_reads_any_more_and_the_board_comes_to_rest(person):
    builder = person()

    def broken(words):
        if words == ASKED[4]:
            raise BrokenPipeError
        builder.tell(words)

    builder.trial._tell = broken
    with pytest.raises(BrokenPipeError):
        builder.trial.run()
    assert at_rest(builder)


def test_a_walk_switches_on_only_what_it_switches_off(person):
    builder = person()
    done = []
    perform = builder.trial._do
    builder.trial._do = lambda board, sound, effect, **how: (
        done.append(effect), perform(board, sound, effect, **how)
    )  # fmt: skip
    builder.trial.run()
    moves = [each for each in done if isinstance(each, Light | Ring)]
    assert moves == [
        Light("message", on=True),
        Light("message", on=False),
        Ring(on=True),
        Ring(on=False),
    ]
    assert Draw() in done


# Displays of letters


class Letters:
    """A display of letters, and the display beside it that shows nothing."""

    def __init__(self, columns, rows):
        self.letters = columns, rows
        self.shown = ()

    def write(self, rows):
        self.shown = rows


@pytest.mark.parametrize("size", [(20, 4), (16, 2), (8, 1)])
def test_what_is_said_stands_on_a_display_of_letters(size):
    letters = Letters(*size)
    board = Board("desk", (), None, None, None, letters=letters)
    show(board, "Press the key volume_up and let it go.")
    assert len(letters.shown) == size[1]
    assert {len(row) for row in letters.shown} == {size[0]}
    assert letters.shown[0].startswith("Press")


def test_words_that_are_too_long_end_in_an_ellipsis():
    assert rows_of("Lift the handset.", (8, 2)) == ("Lift the", "handset.")
    assert rows_of("Put the handset down.", (8, 2))[1].endswith("…")


def test_a_front_panel_with_letters_says_what_to_do_and_is_heard(tmp_path):
    """The reference firmware behind a pseudo-terminal."""
    plugged = PluggedIn()
    (tmp_path / "desk.toml").write_text(f'[serial]\nport = "{plugged.path}"\nletters = [20, 4]\n')
    spec = load_board(str(tmp_path / "desk.toml"))
    ear, mouth = os.pipe()
    hardware, shown = plugged.hardware, []

    def stands_there(words):
        wait_for(words, lambda: words in " ".join(" ".join(hardware.words.values()).split()))
        shown.append(words)

    def tell(words):
        if "(y/n)" in words:
            stands_there("ABC 123" if "ABC 123" in words else words[:8])
            os.write(mouth, b"y\n")
        elif words in ASKED[1:3]:
            stands_there(words.removesuffix("."))
            hardware.handset_off = words == ASKED[1]
            wait_for("its event", lambda: walk._given)

    walk = Trial(
        spec,
        lambda post: open_board(spec, post),
        Texts.load(),
        answers=Answers(ear),
        tell=tell,
        time=Hurry(),
    )
    try:
        assert walk.run() == 0
    finally:
        plugged.pull()
        os.close(ear)
        os.close(mouth)
    assert shown == ["Press ev", "Lift the handset", "Put the handset down", "ABC 123"]


class Patient(Hurry):
    """Waits a little for other threads."""

    def readable(self, descriptors, seconds):
        ready = Time.readable(self, descriptors, 0.2)
        self._now += 0 if ready else seconds
        return ready


@pytest.mark.parametrize("bus", [(), DeviceError("no permission for /dev/i2c-1")])
def test_a_screen_of_which_nothing_is_heard_is_looked_for_on_its_bus(monkeypatch, tmp_path, bus):
    def who_answers(_display):
        if isinstance(bus, Exception):
            raise bus
        return bus

    monkeypatch.setattr(trial, "who_answers", who_answers)
    (tmp_path / "desk.toml").write_text('[display]\nchip = "ssd1306"\nsize = [128, 64]\n')
    spec, heard = load_board(str(tmp_path / "desk.toml")), []

    def opener(post):
        post(DeviceFailed("screen", "no answer at 0x3c on I²C bus 1", 1.0))
        return Board("desk", (), None, None, None)

    walk = Trial(
        spec, opener, Texts.load(), answers=Answers(None), tell=heard.append, time=Patient()
    )
    assert walk.run() == 1
    assert ("nobody answers on that bus" in heard[-1]) == (bus == ())
    assert "GPIO 2 (pin 3), GPIO 3 (pin 5)" in heard[-1]


def test_a_terminal_without_our_letters_ends_no_walk(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    trial.tell("no answer on I²C bus 1")
    assert screen.buffer.getvalue() == b"no answer on I?C bus 1\n"


def test_a_terminal_that_is_gone_is_a_reader_who_has_left(monkeypatch):
    class Gone(io.StringIO):
        encoding = "utf-8"

        def flush(self):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(BrokenPipeError):
        trial.tell("Lift the handset.")
