import re
from dataclasses import replace
from pathlib import Path

import pytest

from hal.board import CardSpec
from hal.board_spec import Contact, DisplaySpec, HookSpec, KeypadSpec, LampSpec, RingerSpec
from hal.boards.loader import board_names, load_board
from hal.errors import BoardError
from hal.keys import Key
from hal.parts import TABLES

SMALL = """
name = "bench"
title = "A keypad on the bench"
[keypad]
rows = [5, 6]
columns = [12, 16]
keys = [["1", "2"], ["", "hold"]]
[hook]
pin = 17
"""


def test_a_small_board_is_read_as_written(load):
    board = load(SMALL)
    assert (board.name, board.title) == ("bench", "A keypad on the bench")
    assert board.keypad == KeypadSpec(
        rows=(5, 6),
        columns=(12, 16),
        keys=((Key.DIGIT_1, Key.DIGIT_2), (None, Key.HOLD)),
        lockout_ms=20,
    )
    assert board.hook == HookSpec(17, Contact.AUTO, 50, 500)
    assert board.has_hook
    assert board.keys == {Key.DIGIT_1, Key.DIGIT_2, Key.HOLD}


def test_every_part_has_its_place(load):
    board = load(
        SMALL
        + """
[gpio]
factory = "lgpio"
[buttons]
mute = 4
[display]
chip = "ssd1306"
size = [128, 32]
address = 0x3d
[lamps]
message = { pin = 22, active_low = true }
[ringer]
kind = "bell"
pins = [23, 24]
[headset]
pin = 25
[rotary]
pulse = 26
[cards.handset]
device = "id:Device"
[cards.speaker]
kind = "null"
"""
    )
    assert board.pin_factory == "lgpio"
    assert board.buttons == ((Key.MUTE, 4),)
    assert board.display == DisplaySpec(
        "ssd1306", (128, 32), "i2c", 1, 0x3D, 0, data_command=None, reset=None, rotate=0
    )
    assert board.lamps == (("message", LampSpec(22, active_low=True)),)
    assert board.ringer == RingerSpec("bell", (23, 24), 25)
    assert board.headset.plugged is Contact.CLOSED
    assert board.rotary.off_normal is None
    assert board.cards == {"handset": CardSpec("alsa", "id:Device"), "speaker": CardSpec("null")}


def test_an_empty_file_is_a_board_without_parts(load):
    board = load("")
    assert (board.name, board.keys, board.has_hook, board.cards) == ("bench", set(), False, {})


def test_every_problem_is_told_at_once(complaints):
    text = """
nam = "x"
[keypad]
rows = [5, 40]
columns = [12]
keys = [["1"], ["holt"], ["1"]]
[hook]
pin = "17"
lifted = "up"
[display]
chip = "ssd1307"
size = [100, 64]
bus = "spi"
[ringer]
kind = "bell"
pins = [23]
[lamps]
message = 4
[buttons]
mutte = 4
[cards.kitchen]
device = "x"
"""
    assert complaints(text) == [
        "keypad.rows: 40 is not a whole number from 0 to 27",
        "keypad.keys: '1' stands at two crossings",
        "keypad.keys: there is no key 'holt'; is it 'hold'?",
        "buttons.mutte: there is no key 'mutte'; is it 'mute'?",
        "hook.pin: '17' is not a whole number from 0 to 27",
        "hook.lifted: 'up' is not one of auto, closed, open",
        "lamps.message: must be a table, like [lamps.message]",
        "ringer.pins: a bell has 2, here are 1",
        "display.chip: 'ssd1307' is not one of sh1106, ssd1306, ssd1309, ssd1322",
        "display.size: must be [width, height] in multiples of 8, like [128, 64]",
        "display.data_command: is missing",
        "cards.kitchen: there is no such key",
        "nam: there is no such key; is it name?",
    ]


def test_a_file_that_is_no_toml_says_where(complaints):
    (line,) = complaints("[keypad\nrows = 1")
    assert line.startswith("not a TOML file: expected ']'")
    (line,) = complaints("a = " + "9" * 5000)
    assert line.startswith("not a TOML file: Exceeds the limit")


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(BoardError, match=r"absent\.toml: No such file"):
        load_board(str(tmp_path / "absent.toml"))


def test_an_unknown_name_gets_the_nearest_or_the_list():
    with pytest.raises(BoardError, match=r"there is no board 'moc'; is it mock\?"):
        load_board("moc")
    with pytest.raises(BoardError, match=f"there are {', '.join(board_names())}"):
        load_board("zzzzzz")


OWN = {"hook": {"pin": 4}, "lamps": {"mute": {"pin": 26}}, "display": {"rotate": 2}}


def test_a_person_may_say_what_is_different_on_their_phone():
    as_it_comes, here = load_board("keypad"), load_board("keypad", OWN, ("ringer",))
    assert here.hook == replace(as_it_comes.hook, pin=4)
    assert here.display == replace(as_it_comes.display, rotate=2)
    assert dict(here.lamps).keys() == {"message", "mute"}
    assert here.keypad == as_it_comes.keypad


def test_a_part_that_this_phone_has_not_needs_no_pins():
    here = load_board("keypad", {"hook": {"pin": 2}}, ("display",))
    assert (here.display, here.hook.pin) == (None, 2)


def test_what_is_wrong_with_the_difference_is_told_like_any_other_mistake():
    with pytest.raises(BoardError) as caught:
        load_board("keypad", {"hook": {"pin": 5, "lifted": "up"}, "keypad": 7})
    lines = str(caught.value).splitlines()
    assert lines == [
        "your [board]: keypad: must be a table, like [keypad]",
        "your [board]: hook.lifted: 'up' is not one of auto, closed, open",
    ]


WRONG = """\
name = "bench"
[hook]
pin = 17
lockout_ms = 0

[buttons]
mute = 17
hod = 4
[lamps.mute]
active_low = true
"""


def test_a_fault_is_told_with_the_line_of_its_file(tmp_path):
    path = tmp_path / "desk.toml"
    path.write_text(WRONG)
    with pytest.raises(BoardError) as caught:
        load_board(str(path))

    assert [(fault.line, fault.path) for fault in caught.value.faults] == [
        (8, ("buttons", "hod")),
        (3, ("hook", "pin")),
        (4, ("hook", "lockout_ms")),
        # A key that is missing is missing in its table.
        (9, ("lamps", "mute", "pin")),
    ]
    assert str(caught.value).splitlines()[1] == (
        f"{path}:3: hook.pin: hook.pin and buttons.mute both use GPIO 17; give one another pin"
    )
    path.write_text("[hook]\npin = 4\n[lamps")
    with pytest.raises(BoardError, match=rf"^{re.escape(str(path))}:3: not a TOML file: "):
        load_board(str(path))


@pytest.mark.parametrize(
    ("own", "path"),
    [
        # What stands there, and what is missing there.
        ({"hook": {"pin": 99}}, ("hook", "pin")),
        ({"display": {"bus": "spi"}}, ("display", "data_command")),
        # The file's hook is as it always was; it was this person who gave its pin away.
        ({"keypad": {"rows": [5, 6, 13, 17]}}, ("keypad", "rows")),
        # A file whose size is as good as ever.
        ({"display": {"chip": "sh1106", "size": [96, 16]}}, ("display", "size")),
        ({"display": {"chip": "ssd1322"}}, ("display", "bus")),
    ],
)
def test_what_the_file_alone_would_not_have_is_the_persons(own, path):
    with pytest.raises(BoardError) as caught:
        load_board("keypad", own)
    assert {fault.file for fault in caught.value.faults} == {""}
    assert path in {fault.path for fault in caught.value.faults}


def test_a_fault_of_the_file_stays_the_files_beside_those_of_the_person(tmp_path):
    path = tmp_path / "desk.toml"
    path.write_text(WRONG.replace("mute = 17\nhod = 4", "mute = 18").replace("active_low", "pin"))
    with pytest.raises(BoardError) as caught:
        load_board(str(path), {"hook": {"pin": 18}})
    assert [(Path(fault.file).name, fault.line, fault.path) for fault in caught.value.faults] == [
        ("", 0, ("hook", "pin")),
        ("desk.toml", 4, ("hook", "lockout_ms")),
        ("desk.toml", 9, ("lamps", "mute", "pin")),
    ]


def test_a_pin_taken_twice_by_the_difference_names_both_users():
    with pytest.raises(BoardError, match=r"hook\.pin and keypad\.rows\[0\] both use GPIO 5"):
        load_board("keypad", {"hook": {"pin": 5}})


def test_the_tables_that_are_read_are_the_ones_that_settings_know(tmp_path):
    spec = tmp_path / "odd.toml"
    spec.write_text("")
    with pytest.raises(BoardError) as caught:
        load_board(str(spec), dict.fromkeys(TABLES, 7))
    told = {line.removeprefix("your [board]: ") for line in str(caught.value).splitlines()}
    assert told == {f"{table}: must be a table, like [{table}]" for table in TABLES}


OVERRIDES = {
    "gpio": ("keypad", {"factory": "lgpio"}, lambda board: board.pin_factory, "lgpio"),
    "keypad": ("keypad", {"lockout_ms": 30}, lambda board: board.keypad.lockout_ms, 30),
    "buttons": ("wm8960", {"mute": 0}, lambda board: dict(board.buttons)[Key.MUTE], 0),
    "hook": ("rotary", {"lifted": "open"}, lambda board: board.hook.lifted, Contact.OPEN),
    "rotary": ("rotary", {"order": "0123456789"}, lambda board: board.rotary.order, "0123456789"),
    "display": ("wm8960", {"chip": "ssd1309"}, lambda board: board.display.chip, "ssd1309"),
    "lamps": ("keypad", {"message": {"brightness": 5}}, lambda b: b.lamps[0][1].brightness, 5),
    "ringer": ("rotary", {"hertz": 20}, lambda board: board.ringer.hertz, 20),
    "headset": ("wm8960", {"plugged": "open"}, lambda board: board.headset.plugged, Contact.OPEN),
    "serial": ("serial-panel", {"speed": 9600}, lambda board: board.serial.speed, 9600),
    "usb": ("usb-handset", {"hook": "KEY_PHONE"}, lambda board: board.usb.hook, "KEY_PHONE"),
    "panel": ("mock", {"bell": False}, lambda board: board.panel.bell, False),
    "cards": (
        "keypad",
        {"ringer": {"device": "id:Headphones"}},
        lambda board: board.cards["ringer"].device,
        "id:Headphones",
    ),
}


@pytest.mark.parametrize("table", OVERRIDES)
def test_one_value_of_any_table_may_be_another_and_all_else_is_as_it_comes(table):
    name, own, value, expected = OVERRIDES[table]
    plain, here = load_board(name), load_board(name, {table: own})
    assert value(plain) != value(here) == expected
    differs = {"gpio": "pin_factory"}.get(table, table)
    assert replace(here, **{differs: getattr(plain, differs)}) == plain
