import importlib.util

import pytest

from hal.board_spec import BoardSpec, HookSpec, SerialSpec
from hal.board_spec import Contact as Cradle
from hal.boards.loader import load_board
from hal.boards.opening import open_board
from hal.errors import DeviceError
from hal.events import HookLifted

HOOK = HookSpec(17, Cradle.AUTO, 50, 500)


def ignore(event):
    """Nobody listens."""


def test_the_virtual_board_has_everything_and_tells_at_once():
    told = []
    board = open_board(load_board("mock"), told.append, clock=lambda: 3.0)
    board.panel.lift()
    assert told == [HookLifted(3.0)]
    assert board.display.size == (128, 64)
    assert "message" in board.lamps.names
    assert board.ringer is not None
    assert board.has_hook
    assert {"handset", "speaker", "ringer"} <= set(board.cards)


def test_the_small_virtual_board_has_no_bell_and_a_low_screen():
    board = open_board(load_board("mock-small"), ignore)
    assert board.display.size == (128, 32)
    assert board.ringer is None
    assert len(board.panel.keys) == 12


def test_a_board_without_parts_opens_and_does_nothing():
    board = open_board(BoardSpec("bare", "", "bare.toml"), ignore)
    assert (board.inputs, board.display, board.panel, board.has_hook) == ((), None, None, False)
    board.close()


@pytest.fixture
def installed(monkeypatch):
    """Says which Python modules this machine has."""

    def only(*names):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in names or None)

    return only


def test_a_missing_library_is_named_with_the_package_that_brings_it(installed):
    installed()
    with pytest.raises(DeviceError) as caught:
        open_board(BoardSpec("b", "", "b.toml", hook=HOOK), ignore)
    assert str(caught.value) == (
        "board b: this release has no adapter for [hook] yet,"
        " and gpiozero is missing (apt install python3-gpiozero),"
        " and gpiod is missing (apt install python3-libgpiod)"
    )


def test_with_all_libraries_only_the_adapter_is_missing(installed):
    installed("gpiozero", "gpiod", "serial")
    serial = SerialSpec("/dev/serial0", 115_200, None, ())
    with pytest.raises(DeviceError) as caught:
        open_board(BoardSpec("b", "", "b.toml", hook=HOOK, serial=serial), ignore)
    assert str(caught.value) == (
        "board b: this release has no adapter for [hook] yet;"
        " this release has no adapter for [serial] yet"
    )


def test_the_mock_pins_need_gpiozero_alone(installed):
    installed("gpiozero")
    with pytest.raises(DeviceError, match=r"yet$"):
        open_board(BoardSpec("b", "", "b.toml", pin_factory="mock", hook=HOOK), ignore)
