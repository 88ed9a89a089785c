"""What is typed during a wiring test, on a terminal and into a pipe."""

import os

import pytest

from firmware.bootstrap.answers import Answers
from firmware.wiring.evidence import Answer


@pytest.fixture
def pipe():
    ear, mouth = os.pipe()
    ends = [ear, mouth]
    yield Answers(ear), ends
    for end in ends:
        os.close(end)


@pytest.fixture
def terminal():
    keyboard, tty = os.openpty()
    yield Answers(tty), keyboard
    os.close(keyboard)
    os.close(tty)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (b"y", Answer.YES),
        (b"Yes", Answer.YES),
        (b" n ", Answer.NO),
        (b"skip", Answer.SKIP),
        (b"q", Answer.QUIT),
        (b"", None),
        (b"quark", None),
        (b"\xff\x00", None),
        (b"ja", None),
    ],
)
def test_a_word_or_its_beginning_is_an_answer_and_nothing_else_is(pipe, typed, answer):
    answers, (_, mouth) = pipe
    os.write(mouth, typed + b"\n")
    answers.ask()
    answers.read()
    assert answers.take() == [answer]


def test_a_pipe_gives_one_answer_to_each_question(pipe):
    answers, (_, mouth) = pipe
    os.write(mouth, b"y\nn\n")
    answers.ask()
    answers.read()
    assert answers.take() == [Answer.YES]
    assert answers.take() == []
    assert answers.listens_to is None, "what is there is not read over and over"
    answers.ask()
    assert answers.take() == [Answer.NO]


def test_a_word_that_is_none_takes_no_turn(pipe):
    answers, (_, mouth) = pipe
    os.write(mouth, b"what?\ny\n")
    answers.ask()
    answers.read()
    assert answers.take() == [None]
    assert answers.take() == [Answer.YES]


def test_the_end_of_a_pipe_is_that_nobody_is_there(pipe):
    answers, ends = pipe
    os.write(ends[1], b"y\n")
    os.close(ends[1])
    ends[1] = os.dup(ends[0])
    answers.ask()
    answers.read()
    assert answers.take() == [Answer.YES]
    answers.read()
    assert answers.take() == [Answer.GONE]
    assert answers.listens_to is None


def test_a_line_without_an_end_fills_no_memory(pipe):
    answers, (_, mouth) = pipe
    for _ in range(100):
        os.write(mouth, b"y" * 4096)
        answers.read()
    assert len(answers._typed) < 100


def test_nobody_is_there():
    answers = Answers(None)
    assert answers.take() == [Answer.GONE]
    assert answers.listens_to is None


def test_what_was_typed_before_the_question_does_not_answer_it(terminal):
    answers, keyboard = terminal
    os.write(keyboard, b"y\ny\n")
    answers.ask()
    os.write(keyboard, b"n\n")
    answers.read()
    assert answers.take() == [Answer.NO]


def test_on_a_terminal_an_end_may_be_typed_at_any_time(terminal):
    answers, keyboard = terminal
    answers.ask()
    for typed in (b"y\n", b"q\n"):
        os.write(keyboard, typed)
        answers.read()
    assert answers.take() == [Answer.YES, Answer.QUIT]


def test_the_end_key_of_a_terminal_is_an_end(terminal):
    answers, keyboard = terminal
    os.write(keyboard, b"\x04")
    answers.read()
    assert answers.take() == [Answer.QUIT]
    assert answers.listens_to is None


def test_a_terminal_that_is_gone_is_an_end(terminal):
    answers, _ = terminal
    keyboard, tty = os.openpty()
    os.dup2(tty, answers.descriptor)
    os.close(keyboard)
    os.close(tty)
    answers.ask()
    answers.read()
    assert answers.take() == [Answer.QUIT]
