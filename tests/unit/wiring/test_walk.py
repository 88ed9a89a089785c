"""A builder walks through a board: what is wrong is found, named and put right; nothing hangs."""

import random

import pytest

from firmware.wiring.evidence import Answer, Answering, Draw, Light, Ring, Say, Scan
from firmware.wiring.findings import findings_of, lessons_of
from firmware.wiring.outputs import screen_wires
from firmware.wiring.walk import Walk
from firmware.wiring.wires import wires
from hal.board_spec import DisplaySpec, PanelSpec, SerialSpec
from hal.events import (
    STUCK,
    DeviceFailed,
    DeviceRecovered,
    HookLifted,
    HookReplaced,
    KeyDown,
    KeyUp,
)
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
        ("row_silent", {"number": "2", "pin": "GPIO 6 (pin 31)", "keys": "4 5 6 hold"}),
        ("key_silent", {"key": "9", "pins": "GPIO 13 (pin 33), GPIO 20 (pin 38)"}),
    ]


def test_a_column_without_a_wire(desk):
    dead = {row[2] for row in KEYS}
    builder = Builder(desk, lambda key: [] if key in dead else [key]).go()
    assert [(text, said["pin"]) for text, said in builder.found] == [
        ("column_silent", "GPIO 20 (pin 38)")
    ]


def test_a_keypad_that_is_not_plugged_in_is_one_finding(desk):
    builder = Builder(desk, lambda _key: []).go()
    assert [text for text, _ in builder.found] == ["no_keypad"]


def test_two_rows_that_touch(desk):
    twice = {Key.DIGIT_1: [Key.DIGIT_1, Key.DIGIT_4], Key.DIGIT_4: [Key.DIGIT_4, Key.DIGIT_1]}
    builder = Builder(desk, lambda key: twice.get(key, [key])).go()
    assert builder.found == [("touching", {"pins": "GPIO 5 (pin 29), GPIO 6 (pin 31)"})]


def test_a_key_that_bounces_gets_a_longer_lockout(desk):
    builder = Builder(desk, lambda key: [key] * (3 if key is Key.DIGIT_7 else 1)).go()
    pins = "GPIO 13 (pin 33), GPIO 12 (pin 32)"
    assert builder.found == [("bounces", {"key": "7", "times": "3", "pins": pins})]
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
    pins = "GPIO 13 (pin 33), GPIO 16 (pin 36)"
    assert builder.found == [("stuck", {"key": "8", "pins": pins})]


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
    no = Answer.NO
    builder = Builder(desk, answers={"lamp message": no, "lamp message off": no, "bell": no}).go()
    assert builder.found == [
        ("lamp_dark", {"lamp": "message", "pins": "GPIO 22 (pin 15)"}),
        ("bell_silent", {"pins": "GPIO 7 (pin 26), GPIO 8 (pin 24)"}),
    ]


def test_a_lamp_that_shines_when_it_is_off_is_active_low(desk):
    builder = Builder(desk, answers={"lamp message": Answer.NO}).go()
    assert builder.texts == ["lamp_reversed"]
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


def test_parts_whose_chip_comes_while_one_walks_are_asked_for_after_all():
    """A driver that loads late: what was not tried would seem to be right."""
    builder = under_way(board(display=SCREEN), without="GPIO")
    assert builder.asked == ["picture"]
    builder.give(DeviceRecovered("GPIO", builder.now))
    builder.go()
    assert builder.asked[1:3] == ["press", "press"]
    assert builder.asked.count("press") == len(PLACES)
    assert builder.asked[-2] == "lift"
    assert builder.found == []
    assert set(builder.walk.evidence.arrived) == {*PLACES}


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


# Devices that come and go


SCREEN = DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3C, 0, None, None, 0)


def under_way(spec, asked="picture", *, without=""):
    """A builder who has come as far as this question, of a board that lacks this device."""
    builder = Builder(spec)
    if without:
        builder.give(DeviceFailed(without, "it is not there", builder.now))
    for _ in range(200):
        asks, _ = builder.drain()
        if builder.asked[-1:] == [asked]:
            return builder
        if asks and builder.walk._step is not None:
            builder.act(builder.walk._step)
        else:
            builder.now = max(builder.now, builder.walk.deadline)
            builder.walk.expire(builder.now)
    raise AssertionError(builder.asked)


def test_a_screen_that_gives_no_answer_is_named_with_its_wires():
    builder = Builder(board(keypad=None, display=SCREEN))
    reason = "no answer at 0x3c on I²C bus 1"
    builder.give(DeviceFailed("screen", reason, builder.now))
    builder.go()
    pins = "GPIO 2 (pin 3), GPIO 3 (pin 5)"
    assert builder.found == [("screen_gone", {"reason": reason, "pins": pins})]
    assert "picture" not in builder.asked


def test_a_screen_that_dies_while_it_is_looked_at_is_told_at_once_and_not_asked_about():
    builder = under_way(board(keypad=None, hook=None, display=SCREEN))
    builder.give(DeviceFailed("screen", "no answer at 0x3c on I²C bus 1", builder.now))
    builder.drain()
    assert [each.phrase.text for each in builder.said[-2:-1]] == ["board.test.aside"]
    assert builder.said[-1] == Scan()
    builder.go()
    assert builder.texts == ["screen_gone"]
    assert [what.text for what in builder.walk.evidence.skipped] == ["board.test.screen"]


def test_a_device_that_was_gone_for_a_moment_has_a_loose_wire(desk):
    builder = under_way(desk, "rings")
    builder.give(DeviceFailed("keypad", "keypad row 1: GPIO 5 does not answer: x", builder.now))
    builder.give(DeviceRecovered("keypad", builder.now))
    builder.go()
    assert builder.texts == ["flaky"]


def test_a_device_that_is_there_a_second_after_the_start_is_right(desk):
    builder = Builder(desk)
    builder.give(DeviceFailed("front panel", "it was unplugged", builder.now))
    builder.give(DeviceRecovered("front panel", builder.now))
    assert builder.go().found == []


def test_the_keys_of_a_keypad_that_fails_on_the_way_are_asked_for_no_more(desk):
    builder = under_way(desk, "press")
    builder.give(DeviceFailed("keypad", "its wire changes all the time", builder.now))
    builder.go()
    assert builder.asked[:2] == ["press", "lift"]
    assert builder.texts == ["device"]


def test_a_key_that_is_known_to_be_stuck_is_not_asked_for(desk):
    builder = Builder(desk)
    builder.give(DeviceFailed("key 5", STUCK, builder.now))
    builder.go()
    assert builder.asked.count("press") == 15
    assert builder.texts == ["stuck"]


def test_a_key_that_is_told_to_be_stuck_while_it_is_asked_for_is_stuck_and_not_dead(desk):
    builder = Builder(desk, lambda key: [] if key is Key.DIGIT_1 else [key])
    builder.now += 2
    builder.walk.expire(builder.now)
    builder.give(DeviceFailed("key 1", STUCK, builder.now))
    assert builder.go().texts == ["stuck"]


def test_a_factory_that_does_not_work_here_is_named_with_one_that_would():
    builder = Builder(board(pin_factory="rpigpio"))
    builder.give(DeviceFailed("GPIO", "Cannot determine SOC peripheral base", builder.now))
    builder.go()
    assert builder.texts == ["factory"]
    assert builder.asked == []


def test_pins_that_are_only_pretended_are_no_pins():
    builder = Builder(board(pin_factory="mock"), lambda _key: []).go()
    assert builder.texts[0] == "pretended"


# Front panels


PANEL = SerialSpec("/dev/serial0", 115200, None, ("mute",), bell=True, letters=(20, 4))


def test_a_front_panel_is_gone_through_although_its_keys_have_no_names():
    builder = Builder(board(keypad=None, hook=None, serial=PANEL)).go()
    assert builder.asked == ["any_keys", "lift", "replace", "shines", "rings", "letters"]
    assert Draw() in builder.said
    assert builder.found == []


def test_each_key_of_a_front_panel_is_said():
    builder = under_way(board(keypad=None, hook=None, serial=PANEL), "any_keys")
    builder.give(KeyDown(Key.MUTE, builder.now))
    builder.drain()
    assert dict(builder.said[-1].phrase.args) == {"keys": "mute"}
    builder.give(Answer.NO)
    assert builder.go().texts == ["panel_key"]


def test_nothing_of_a_front_panel_that_is_not_there_is_asked_for():
    builder = Builder(board(keypad=None, hook=None, serial=PANEL))
    builder.give(DeviceFailed("front panel", "/dev/serial0: No such file", builder.now))
    assert builder.go().asked == []


def test_letters_that_are_wrong_are_a_matter_of_the_board_file():
    spec = board(keypad=None, hook=None, serial=PANEL)
    assert Builder(spec, answers={"screen": Answer.NO}).go().texts == ["screen_other"]


def test_whatever_is_pressed_and_typed_the_walk_ends(desk):
    """Keys without sense, the handset, all letters, again and again."""
    walk, now = Walk(desk, 0.0), 0.0
    keys = [key for row in KEYS for key in row]
    answers = [Answer.YES, Answer.NO, Answer.SKIP]
    for turn in range(5000):
        if walk.deadline is None:
            break
        now += 0.05
        key = keys[turn * 7 % len(keys)]
        walk.receive(KeyDown(key, now) if turn % 2 else KeyUp(key, now), now)
        walk.receive(answers[turn // 40 % 3], now)
        walk.expire(now)
        walk.take_effects()
    assert walk.deadline is None
    assert all(isinstance(each, Say | Light | Ring) for each in walk.take_effects())


@pytest.mark.parametrize("seed", range(40))
def test_what_was_switched_on_is_switched_off_however_it_goes(desk, seed):
    lots = random.Random(seed)  # noqa: S311 - no secret depends on it
    keys = [key for row in KEYS for key in row]
    walk, now, effects = Walk(desk, 0.0), 0.0, []
    for _ in range(3000):
        if walk.deadline is None:
            break
        now = lots.choice([now + 0.01, max(now, walk.deadline)])
        given = lots.choice(
            [
                KeyDown(lots.choice(keys), now),
                KeyUp(lots.choice(keys), now),
                HookLifted(now),
                HookReplaced(now),
                *(DeviceFailed(device, "x", now) for device in ("lamp message", "bell", "keypad")),
                DeviceRecovered(lots.choice(["lamp message", "bell", "keypad", "screen"]), now),
                *list(Answer) * (lots.random() < 0.3),
            ]
        )
        walk.receive(given, now)
        walk.expire(now)
        effects += walk.take_effects()
    assert walk.deadline is None
    assert [each for each in effects if isinstance(each, Light)][-1:] in (
        [],
        [Light("message", on=False)],
    )
    assert [each for each in effects if isinstance(each, Ring)][-1:] in ([], [Ring(on=False)])
    findings_of(desk, walk.evidence)
    lessons_of(desk, walk.evidence)


@pytest.mark.parametrize(
    ("bus", "pins"),
    [
        (("i2c", 1, 0), [2, 3]),
        (("i2c", 0, 0), [0, 1, 24]),
        (("i2c", 5, 0), []),
        (("spi", 0, 1), [10, 11, 7, 25, 24]),
    ],
)
def test_the_wires_of_a_screen(bus, pins):
    kind, port, device = bus
    others = [pin for pin in pins if pin in (24, 25)]
    data, reset = 25 if 25 in others else None, 24 if 24 in others else None
    spec = DisplaySpec("sh1106", (128, 64), kind, port, 0x3C, device, data, reset, 0)
    assert screen_wires(spec) == (wires(pins) if pins else None)


@pytest.mark.parametrize(
    ("bus", "text", "others"),
    [((), "bus_empty", None), ((0x1A, 0x3F), "bus_others", "0x1a, 0x3f")],
)
def test_who_else_is_on_the_bus_of_a_screen_tells_what_is_wrong_with_it(bus, text, others):
    builder = Builder(board(keypad=None, display=SCREEN))
    reason = "no answer at 0x3c on I²C bus 1"
    for _ in range(3):
        builder.give(DeviceFailed("screen", reason, builder.now))
    builder.drain()
    assert builder.said.count(Scan()) == 1
    builder.give(Answering(bus))
    builder.go()
    ((found, said),) = builder.found
    assert found == text
    assert said["pins"] == "GPIO 2 (pin 3), GPIO 3 (pin 5)"
    assert said.get("others") == others


def test_a_virtual_screen_cannot_be_upside_down():
    panel = PanelSpec((), (128, 64), (), bell=False, hook=False)
    spec = board(keypad=None, hook=None, panel=panel)
    builder = Builder(spec, answers={"screen": Answer.NO}).go()
    assert builder.asked == ["picture"]
    assert builder.texts == ["screen_other"]


def test_one_who_leaves_at_a_question_leaves_all_questions(desk):
    builder = under_way(desk, "shines")
    builder.give(Answer.GONE)
    builder.go()
    assert [what.text for what in builder.walk.evidence.skipped] == [
        "board.test.lamp",
        "board.test.bell",
    ]
    assert builder.walk.deadline is None
    assert builder.now < 110
