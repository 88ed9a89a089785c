"""Whatever one part does at the end, the others are closed: no bell rings on."""

import pytest

from hal.board import Board
from hal.lamp_group import LampGroup


class Part:
    """Writes down that it was closed; `fails` = and says no."""

    def __init__(self, log, name, *, fails=False):
        self._log, self._name, self._fails = log, name, fails

    def close(self):
        self._log.append(self._name)
        if self._fails:
            raise OSError(5, "Input/output error")


NAMES = ("keypad", "panel", "bell", "lamps", "screen")


def board(log, *failing):
    parts = {name: Part(log, name, fails=name in failing) for name in NAMES}
    return Board(
        "desk",
        (parts["keypad"], parts["panel"]),
        parts["screen"],
        parts["lamps"],
        parts["bell"],
    )


def test_inputs_are_closed_first():
    log = []
    board(log).close()
    assert tuple(log) == NAMES


@pytest.mark.parametrize("failing", NAMES)
def test_a_part_that_cannot_be_closed_leaves_no_other_open(failing):
    log = []
    with pytest.raises(OSError, match="Input/output"):
        board(log, failing).close()
    assert tuple(log) == NAMES


def test_nor_do_lamps_of_several_devices():
    log = []
    with pytest.raises(OSError, match="Input/output"):
        LampGroup(Part(log, "pins", fails=True), Part(log, "panel", fails=True)).close()
    assert sorted(log) == ["panel", "pins"]
