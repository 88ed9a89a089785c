"""What the phone expects of input, screen, lamps and bell, whoever makes them."""

import pytest

from hal.boards.loader import load_board
from hal.boards.opening import open_board
from hal.events import KeyDown
from hal.keys import Key
from hal.ports import LampPattern, Picture

BOARDS = ("mock", "mock-small")


@pytest.fixture(params=BOARDS)
def house(request):
    """An open board and the list of what it told."""
    told = []
    board = open_board(load_board(request.param), told.append, clock=lambda: 7.0)
    yield board, told
    board.close()


def test_an_input_tells_what_happens_with_the_moment_it_happened(house):
    board, told = house
    board.panel.press(Key.DIGIT_5)
    assert told == [KeyDown(Key.DIGIT_5, 7.0)]


def test_nothing_is_told_after_an_input_was_closed(house):
    board, told = house
    for port in board.inputs:
        port.close()
    board.panel.press(Key.DIGIT_5)
    board.panel.lift()
    assert told == []


def test_a_screen_shows_the_latest_picture_and_is_blank_when_closed(house):
    board, _ = house
    width, height = board.display.size
    for fill in (b"\x00", b"\xff"):
        board.display.show(Picture(width, height, fill * (width * height // 8)))
    assert board.panel.picture == Picture(width, height, b"\xff" * (width * height // 8))
    board.display.close()
    assert board.panel.picture is None


def test_a_lamp_does_what_it_was_told_and_is_off_when_closed(house):
    board, _ = house
    for lamp in board.lamps.names:
        board.lamps.set(lamp, LampPattern.FAST_BLINK)
    assert set(board.panel.lamps.values()) <= {LampPattern.FAST_BLINK}
    board.lamps.close()
    assert set(board.panel.lamps.values()) <= {LampPattern.OFF}


def test_a_lamp_that_does_not_exist_is_ignored(house):
    board, _ = house
    before = board.panel.lamps
    board.lamps.set("disco", LampPattern.ON)
    assert board.panel.lamps == before


def test_a_bell_rings_until_it_is_silenced(house):
    board, _ = house
    if board.ringer is None:
        assert board.panel.bell == ()
        return
    board.ringer.ring((2.0, 4.0))
    assert board.panel.bell == (2.0, 4.0)
    board.ringer.silence()
    assert board.panel.bell == ()
    board.ringer.ring((0.4, 0.2))
    board.ringer.close()
    assert board.panel.bell == ()


def test_closing_a_board_leaves_it_silent_dark_and_mute(house):
    board, told = house
    if board.ringer is not None:
        board.ringer.ring((1.0,))
    board.close()
    board.panel.lift()
    assert (told, board.panel.bell, board.panel.picture) == ([], (), None)
