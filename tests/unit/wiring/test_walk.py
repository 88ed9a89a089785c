"""A builder walks through a board: what is wrong is found, named and put right; nothing hangs."""

import pytest

from firmware.wiring.evidence import Answer, Level, Light, Listen, NoSound, Ring
from firmware.wiring.walk import Walk
from hal.board_spec import Contact, DisplaySpec, HookSpec, RotarySpec
from hal.card_spec import CardSpec
from hal.events import STUCK, DeviceFailed, KeyDown, KeyUp
from hal.keys import Key
from tests.unit.wiring.conftest import COLUMNS, KEYS, PLACES, ROWS, Builder, board


def moved(rows=(0, 1, 2, 3), columns=(0, 1, 2, 3)):
    """The wire of row r is where row `rows[r]` should be."""

    def wires(key):
        row, column = PLACES[key]
        return [KEYS[rows[row]][columns[column]]]

    return wires


def across(key):
    row, column = PLACES[key]
    return [KEYS[column][row]]


def test_a_board_that_is_right_has_no_finding(desk):
    builder = Builder(desk).go()
    assert builder.found == []
    assert builder.learned == {}
    assert builder.walk.evidence.skipped == []
    assert len(builder.walk) == 0


def test_rows_and_columns_that_are_exchanged_are_recognised_and_exchanged_back(desk):
    builder = Builder(desk, across).go()
    ((text, said),) = builder.found
    assert text == "transposed"
    assert "GPIO 12" in said["columns"]
    assert "GPIO 5" in said["rows"]
    assert builder.learned == {"keypad.rows": COLUMNS, "keypad.columns": ROWS}


def test_exchanged_rows_of_which_two_wires_are_exchanged_as_well(desk):
    builder = Builder(desk, lambda key: across(moved(rows=(1, 0, 2, 3))(key)[0])).go()
    assert [text for text, _ in builder.found] == ["transposed"]
    # The wire of row 1 is on the pin of column 2, that of row 2 on that of column 1.
    assert builder.learned["keypad.rows"] == (COLUMNS[1], COLUMNS[0], *COLUMNS[2:])


@pytest.mark.parametrize("kind", ["row", "column"])
def test_two_wires_that_are_exchanged_are_named_with_their_pins(desk, kind):
    pins = ROWS if kind == "row" else COLUMNS
    builder = Builder(desk, moved(**{f"{kind}s": (1, 0, 2, 3)})).go()
    assert builder.found == [
        (f"{kind}_moved", {"number": "1", "pin": str(pins[1]), "planned": str(pins[0])}),
        (f"{kind}_moved", {"number": "2", "pin": str(pins[0]), "planned": str(pins[1])}),
    ]
    assert builder.learned == {f"keypad.{kind}s": (pins[1], pins[0], *pins[2:])}


def test_three_rows_in_a_ring_are_written_where_they_are(desk):
    builder = Builder(desk, moved(rows=(1, 2, 0, 3))).go()
    assert builder.learned == {"keypad.rows": (6, 13, 5, 19)}


def test_one_key_that_comes_as_another_is_no_exchange_of_wires(desk):
    other = {Key.DIGIT_5: [Key.DIGIT_9]}
    builder = Builder(desk, lambda key: other.get(key, [key])).go()
    assert [(text, said["key"], said["came"]) for text, said in builder.found] == [
        ("key_other", "5", "9")
    ]
    assert builder.learned == {}


def test_a_row_without_a_wire_is_named_once_and_a_single_dead_key_by_itself(desk):
    dead = {*KEYS[1], Key.DIGIT_9}
    builder = Builder(desk, lambda key: [] if key in dead else [key]).go()
    assert builder.found == [
        ("row_silent", {"number": "2", "pin": "6", "keys": "4 5 6 hold"}),
        ("key_silent", {"key": "9", "pins": "GPIO 13, GPIO 20"}),
    ]


def test_a_column_without_a_wire(desk):
    dead = {row[2] for row in KEYS}
    builder = Builder(desk, lambda key: [] if key in dead else [key]).go()
    assert [(text, said["pin"]) for text, said in builder.found] == [("column_silent", "20")]


def test_a_keypad_that_is_not_plugged_in_is_one_finding(desk):
    builder = Builder(desk, lambda _key: []).go()
    assert [text for text, _ in builder.found] == ["no_keypad"]


def test_two_rows_that_touch(desk):
    twice = {Key.DIGIT_1: [Key.DIGIT_1, Key.DIGIT_4], Key.DIGIT_4: [Key.DIGIT_4, Key.DIGIT_1]}
    builder = Builder(desk, lambda key: twice.get(key, [key])).go()
    assert builder.found == [("touching", {"pins": "GPIO 5, GPIO 6"})]


def test_a_key_that_bounces_gets_a_longer_lockout(desk):
    builder = Builder(desk, lambda key: [key] * (3 if key is Key.DIGIT_7 else 1)).go()
    assert builder.found == [("bounces", {"key": "7", "times": "3", "pins": "GPIO 13, GPIO 12"})]
    assert builder.learned == {"keypad.lockout_ms": 40}


def test_a_key_that_does_not_come_up_is_stuck(desk):
    walk = Builder(desk).walk
    walk.expire(101.0)
    walk.receive(KeyDown(Key.DIGIT_1, 102.0), 102.0)
    assert walk.deadline == pytest.approx(110.0)
    walk.expire(110.0)
    assert walk.evidence.stuck == {Key.DIGIT_1}


def test_a_key_that_is_down_from_the_beginning_is_waited_for(desk):
    """The keypad ignores it and tells after half a minute: until then it looks like a dead one."""
    builder = Builder(desk, lambda key: [] if key is Key.DIGIT_8 else [key])
    walk = builder.walk
    fire = walk.expire

    def expire(now):
        if walk._waited:
            walk.receive(DeviceFailed("key 8", STUCK, now), now)
        fire(now)

    walk.expire = expire
    walk._began = builder.now + 60
    builder.go()
    assert builder.found == [("stuck", {"key": "8", "pins": "GPIO 13, GPIO 16"})]


@pytest.mark.parametrize(("contact", "right"), [(Contact.OPEN, "closed"), (Contact.CLOSED, "open")])
def test_a_hook_that_is_reversed_is_turned_round(contact, right):
    spec = board(hook=HookSpec(17, contact, 50, 500))
    builder = Builder(spec, hook=(False, True)).go()
    assert builder.found == [("hook_reversed", {"pins": "GPIO 17", "right": right})]
    assert builder.learned == {"hook.lifted": right}


@pytest.mark.parametrize(("told", "right"), [((True, False), "closed"), ((False, True), "open")])
def test_a_hook_of_unknown_kind_is_found_out_without_a_complaint(told, right):
    spec = board(hook=HookSpec(17, Contact.AUTO, 50, 500))
    builder = Builder(spec, hook=told).go()
    assert builder.found == []
    assert builder.learned == {"hook.lifted": right}


@pytest.mark.parametrize(
    ("told", "text"),
    [((None, None), "hook_silent"), ((True, None), "hook_once"), ((True, True), "hook_once")],
)
def test_a_hook_that_is_silent_or_sticks(desk, told, text):
    assert [found for found, _ in Builder(desk, hook=told).go().found] == [text]


def test_lamps_and_bell_are_on_while_it_is_asked_and_off_afterwards(desk):
    builder = Builder(desk).go()
    moves = [each for each in builder.said if isinstance(each, Light | Ring)]
    assert moves == [
        Light("message", on=True),
        Light("message", on=False),
        Ring(on=True),
        Ring(on=False),
    ]


def test_a_dark_lamp_and_a_silent_bell_are_named_with_their_pins(desk):
    builder = Builder(desk, answers={"lamp message": Answer.NO, "bell": Answer.NO})
    given = iter([Answer.NO, Answer.NO])
    act = builder.act

    def answer(step):
        if getattr(step, "device", "") == "lamp message":
            for each in given:
                builder.give(each)
        else:
            act(step)

    builder.act = answer
    builder.go()
    assert builder.found == [
        ("lamp_dark", {"lamp": "message", "pins": "GPIO 22"}),
        ("bell_silent", {"pins": "GPIO 7, GPIO 8"}),
    ]


def test_a_lamp_that_shines_when_it_is_off_is_active_low(desk):
    walk = Builder(desk).walk
    walk.evidence.answers |= {"lamp message": Answer.NO, "lamp message off": Answer.YES}
    builder = Builder(desk)
    builder.walk = walk
    assert [text for text, _ in builder.found] == ["lamp_reversed"]
    assert builder.learned == {"lamps.message.active_low": True}


def test_a_screen_at_another_address_is_found_there():
    display = DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3C, 0, None, None, 0)
    builder = Builder(board(display=display))
    reason = "no answer at 0x3c on I²C bus 1, but somebody does at 0x3d"
    builder.give(DeviceFailed("screen", reason, builder.now))
    builder.go()
    assert builder.found == [("device", {"device": "screen", "reason": reason})]
    assert builder.learned == {"display.address": 0x3D}


def test_a_part_that_could_not_be_opened_is_not_asked_for(desk):
    builder = Builder(desk)
    builder.give(DeviceFailed("GPIO", "gpiod is missing", builder.now))
    builder.go()
    assert [text for text, _ in builder.found] == ["device"]
    assert builder.walk.evidence.arrived == {}


@pytest.mark.parametrize(
    ("level", "text"),
    [
        (Level("handset", 0.0, 0.0), "mic_silent"),
        (Level("handset", 1.0, 0.2), "mic_clipped"),
        (NoSound("handset", "there is no card Device"), "no_card"),
    ],
)
def test_a_microphone_that_is_silent_or_clips_and_a_card_that_is_not_there(level, text):
    spec = board(keypad=None, hook=None, cards={"handset": CardSpec("alsa", "id:Device")})
    builder = Builder(spec)
    builder.act = lambda step: builder.give(level if "Microphone" in repr(step) else Answer.YES)
    builder.go()
    assert [found for found, _ in builder.found] == [text]


def test_the_microphone_of_a_card_that_is_not_there_is_not_asked_for():
    spec = board(keypad=None, hook=None, cards={"handset": CardSpec("alsa", "id:Device")})
    builder = Builder(spec)
    builder.act = lambda _step: builder.give(NoSound("handset", "there is no card Device"))
    builder.go()
    assert [said for said in builder.said if isinstance(said, Listen)] == []


def test_a_dial_gives_another_digit_than_was_dialled():
    spec = board(keypad=None, hook=None, rotary=RotarySpec(23, 24, "1234567890"))
    builder = Builder(spec, lambda key: [Key.DIGIT_2 if key is Key.DIGIT_3 else key]).go()
    assert [(text, said["key"]) for text, said in builder.found] == [("key_other", "3")]


def test_nobody_is_there_and_the_walk_ends_by_itself(desk):
    walk, now = Walk(desk, 0.0), 0.0
    for _ in range(100):
        if walk.deadline is None:
            break
        now = walk.deadline
        walk.expire(now)
    assert walk.deadline is None
    assert now < 600


def test_skipped_is_not_faulty_and_the_end_comes_when_asked_for(desk):
    walk = Walk(desk, 0.0)
    walk.expire(1.0)
    walk.receive(Answer.SKIP, 2.0)
    walk.receive(KeyDown(Key.DIGIT_2, 3.0), 3.0)
    walk.receive(KeyUp(Key.DIGIT_2, 3.1), 3.1)
    walk.receive(Answer.QUIT, 3.15)
    assert walk.deadline is None
    skipped = [dict(what.args).get("key") for what in walk.evidence.skipped]
    assert skipped[:2] == ["1", "2"]
    assert not walk.evidence.silent


def test_without_anybody_to_answer_only_questions_are_left_out(desk):
    builder = Builder(desk)
    builder.give(Answer.GONE)
    builder.go()
    assert [what.text for what in builder.walk.evidence.skipped] == [
        "board.test.lamp",
        "board.test.bell",
    ]
    assert builder.found == []
