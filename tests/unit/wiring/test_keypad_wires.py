"""Wires of a keypad that are elsewhere: found by the keys that come, written where they are."""

import itertools

import pytest

from firmware.wiring.evidence import Answer
from firmware.wiring.solving import OFF, _Search, places_of
from firmware.wiring.wires import HEADER_PINS
from hal.board_spec import KeypadSpec
from hal.events import KeyDown, KeyUp
from hal.keys import Key
from tests.unit.wiring.conftest import COLUMNS, KEYS, NAMES, PLACES, ROWS, Builder, board

PINS = (*ROWS, *COLUMNS)
STRAIGHT = tuple(range(8))


def on(places):
    """Wire w (rows, then columns) is on the pin of wire `places[w]`."""

    def wires(key):
        row, column = PLACES[key]
        ends = sorted((places[row], places[column + 4]))
        if OFF in ends or (ends[0] < 4) == (ends[1] < 4):
            return []
        return [KEYS[ends[0]][ends[1] - 4]]

    return wires


def exchanged(*pairs):
    places = list(STRAIGHT)
    for one, other in pairs:
        places[one], places[other] = places[other], places[one]
    return tuple(places)


def where(pin):
    return f"GPIO {pin} (pin {HEADER_PINS[pin]})"


@pytest.mark.parametrize("pair", list(itertools.combinations(range(8), 2)), ids=str)
def test_any_two_wires_that_are_exchanged_are_named_and_written_where_they_are(desk, pair):
    places = exchanged(pair)
    builder = Builder(desk, on(places)).go()
    kinds = ["row" if wire < 4 else "column" for wire in pair]
    verb = "moved" if kinds[0] == kinds[1] else "crossed"
    assert builder.found == [
        (
            f"{kind}_{verb}",
            {
                "number": str(wire % 4 + 1),
                "pin": where(PINS[places[wire]]),
                "planned": where(PINS[wire]),
            },
        )
        for wire, kind in zip(pair, kinds, strict=True)
    ]
    right = tuple(PINS[place] for place in places)
    wanted = {"keypad.rows": right[:4], "keypad.columns": right[4:]}
    planned = {"keypad.rows": ROWS, "keypad.columns": COLUMNS}
    assert builder.learned == {key: pins for key, pins in wanted.items() if pins != planned[key]}


@pytest.mark.parametrize("pairs", [((0, 1), (4, 5)), ((0, 4), (1, 5)), ((0, 3), (3, 7))], ids=str)
def test_two_exchanges_at_once(desk, pairs):
    places = exchanged(*pairs)
    builder = Builder(desk, on(places)).go()
    assert builder.found
    right = tuple(PINS[place] for place in places)
    learned = builder.learned
    assert learned.get("keypad.rows", ROWS) == right[:4]
    assert learned.get("keypad.columns", COLUMNS) == right[4:]


@pytest.mark.parametrize(("by", "text"), [(1, "shifted_up"), (-1, "shifted_down")])
def test_a_plug_that_sits_one_pin_beside_its_place_is_one_finding(desk, by, text):
    places = tuple(place if place in STRAIGHT else OFF for place in (w + by for w in STRAIGHT))
    builder = Builder(desk, on(places)).go()
    assert builder.texts == [text]
    assert builder.learned == {}


def test_a_plug_that_sits_two_pins_beside_its_place_is_not_said_to_be_one():
    places = tuple(place if place in STRAIGHT else OFF for place in (w + 2 for w in STRAIGHT))
    builder = Builder(board(), on(places)).go()
    assert "shifted_up" not in builder.texts
    assert {"row_moved", "column_moved"} <= set(builder.texts)
    assert builder.learned == {}


def test_a_wire_that_is_off_beside_two_that_are_exchanged(desk):
    places = (1, 0, OFF, *range(3, 8))
    builder = Builder(desk, on(places)).go()
    assert builder.texts == ["row_silent", "row_moved", "row_moved"]
    assert builder.found[0][1]["pin"] == where(ROWS[2])
    assert builder.learned == {}, "a file with half of it would be wrong, too"


def test_where_nobody_pressed_nothing_is_guessed(desk):
    """The first row comes as the second; then the builder has enough."""
    builder = Builder(desk, on(exchanged((0, 1))))
    builder._answers = {}
    act = builder.act

    def some(step):
        if getattr(step, "_key", None) in KEYS[0]:
            act(step)
        else:
            builder.give(Answer.QUIT)

    builder.act = some
    builder.go()
    assert builder.texts == ["row_moved"]
    assert builder.learned == {}


def test_rows_and_columns_exchanged_where_not_every_crossing_has_a_key():
    """What arrives at a crossing without a key is not told: it looks like a silent key."""
    names = [list(row) for row in NAMES]
    names[3] = ["", "0", "", ""]
    keys = tuple(tuple(Key(name) if name else None for name in row) for row in names)
    spec = board(keypad=KeypadSpec(ROWS, COLUMNS, keys, 20))

    def across(key):
        row, column = PLACES[key]
        return [KEYS[column][row]] if keys[column][row] else []

    builder = Builder(spec, across).go()
    assert builder.texts == ["transposed"]
    assert builder.learned == {"keypad.rows": COLUMNS, "keypad.columns": ROWS}


def test_two_dead_keys_of_different_rows_are_no_exchange_of_wires(desk):
    dead = {Key.DIGIT_1, Key.DIGIT_9}
    builder = Builder(desk, lambda key: [] if key in dead else [key]).go()
    assert builder.texts == ["key_silent", "key_silent"]


def test_a_keypad_of_which_nothing_is_known_costs_no_time():
    """Eight rows, eight columns, and one key that was pressed."""
    places = places_of((8, 8), {(0, 0): (0, 0)}, set(), set())
    assert places == tuple(range(16))


@pytest.mark.parametrize("cut", [2, 11])
def test_a_keypad_of_sixteen_wires_with_one_cut_is_solved(cut):
    keys = set(itertools.product(range(8), range(8)))
    silent = {key for key in keys if cut in (key[0], key[1] + 8)}
    places = places_of((8, 8), {key: key for key in keys - silent}, silent, set())
    assert places == tuple(OFF if wire == cut else wire for wire in range(16))


# A finger slips, a wire does not


def once(slips):
    """Keys that come of the first press of a key only."""
    left = dict(slips)
    return lambda key: left.pop(key, [key])


@pytest.mark.parametrize(
    "slip", [[Key.DIGIT_6], [Key.DIGIT_5, Key.DIGIT_6], [Key.DIGIT_8, Key.DIGIT_2, Key.DIGIT_5]]
)
def test_a_finger_that_slips_is_asked_to_press_again_and_is_no_finding(desk, slip):
    builder = Builder(desk, once({Key.DIGIT_5: slip})).go()
    assert builder.found == []
    assert builder.asked.count("press_again") == 1


def test_a_keypad_that_is_wrong_all_over_is_not_pressed_twice_all_over(desk):
    builder = Builder(desk, on(exchanged((0, 1), (2, 3)))).go()
    assert builder.asked.count("press_again") == 3
    assert builder.texts == ["row_moved"] * 4


def test_a_press_that_is_not_repeated_counts_as_it_came(desk):
    builder = Builder(desk, lambda key: [key] if key is not Key.DIGIT_5 else slipped.pop())
    slipped = [[], [Key.DIGIT_6]]
    builder.go()
    assert builder.found == [
        (
            "key_other",
            {"key": "5", "came": "6", "pins": f"{where(6)}, {where(16)}"},
        )
    ]


def test_several_keys_held_at_once_are_let_go_before_anything_is_said(desk):
    builder = Builder(desk)
    builder.now += 2
    builder.walk.expire(builder.now)
    builder.drain()
    for key in (Key.DIGIT_1, Key.DIGIT_2):
        builder.give(KeyDown(key, builder.now))
    builder.give(KeyUp(Key.DIGIT_1, builder.now))
    assert builder.walk.deadline - builder.now > 5
    builder.give(KeyUp(Key.DIGIT_2, builder.now))
    assert builder.walk.deadline - builder.now < 0.2


def test_fingers_that_slip_prove_nothing_of_the_wires(desk):
    """However often: only what comes twice in the same way does."""
    slips = {key: [Key.DIGIT_6] for key in KEYS[0]} | {Key.DIGIT_4: [Key.DIGIT_1]}
    builder = Builder(desk, once(slips)).go()
    assert builder.found == []
    assert builder.asked.count("press_again") == 5


@pytest.mark.parametrize("rows", [1, 4, 6, 7])
def test_a_keypad_of_which_many_rows_are_silent_is_solved_soon(rows):
    """Guesses are counted, not seconds."""
    keys = set(itertools.product(range(8), range(8)))
    silent = {key for key in keys if key[0] < rows}
    search = _Search((8, 8), {key: key for key in keys - silent}, silent, set())
    search.go(0, 0)
    assert search.best == (OFF,) * rows + tuple(range(rows, 16))
    assert search._left > 0
