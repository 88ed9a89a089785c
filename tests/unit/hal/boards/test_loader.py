import re
from dataclasses import replace
from pathlib import Path

import pytest

from hal.board import CardSpec
from hal.board_spec import Contact, DisplaySpec, HookSpec, KeypadSpec, LampSpec, RingerSpec, UsbSpec
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


@pytest.fixture
def load(tmp_path):
    """Loads a board from text."""

    def from_text(text):
        path = tmp_path / "bench.toml"
        path.write_text(text)
        return load_board(str(path))

    return from_text


@pytest.fixture
def complaints(load, tmp_path):
    """The complaints about a board text, without the file and the line that begin each."""

    def of(text):
        with pytest.raises(BoardError) as caught:
            load(text)
        lines = str(caught.value).splitlines()
        start = re.compile(rf"{re.escape(str(tmp_path / 'bench.toml'))}(:[0-9]+)?: ")
        assert all(start.match(line) for line in lines)
        return [start.sub("", line, count=1) for line in lines]

    return of


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


def test_a_pin_that_two_want_names_both(complaints):
    assert complaints(SMALL.replace("pin = 17", "pin = 6")) == [
        "hook.pin: hook.pin and keypad.rows[1] both use GPIO 6; give one another pin"
    ]


def test_a_pin_of_a_bus_is_taken_by_the_bus(complaints):
    text = SMALL.replace("pin = 17", "pin = 2") + '[display]\nchip = "ssd1306"\nsize = [128, 64]\n'
    assert complaints(text) == [
        "display.bus: the I²C data line and hook.pin both use GPIO 2; give one another pin"
    ]


def test_the_codec_on_the_header_takes_its_pins_too(complaints):
    text = SMALL.replace("[5, 6]", "[5, 19]") + '[cards.handset]\ndevice = "id:x"\nbus = "i2s"\n'
    (line,) = complaints(text)
    assert line.startswith("cards.handset.bus: the I²S frame line and keypad.rows[1] both use")


def test_devices_may_share_a_bus(load):
    load(
        '[display]\nchip = "ssd1306"\nsize = [128, 64]\n'
        '[cards]\nhandset = { device = "id:w", bus = "i2s+i2c" }\n'
        'speaker = { device = "id:w", bus = "i2s+i2c" }\n'
    )


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


def test_a_keypad_has_a_name_for_every_crossing(complaints):
    assert complaints(SMALL.replace('["", "hold"]', '["hold"]')) == [
        "keypad.keys: must be 2 rows of 2 names, as many as there are pins"
    ]


@pytest.mark.parametrize("order", ["123", "1234567899", "abcdefghij"])
def test_a_dial_has_ten_digits(complaints, order):
    assert complaints(f'[rotary]\npulse = 4\norder = "{order}"') == [
        "rotary.order: must be the ten digits in the order of their pulses"
    ]


def test_contact_of_a_headset_cannot_be_found_out(complaints):
    assert complaints('[headset]\npin = 4\nplugged = "auto"') == [
        "headset.plugged: 'auto' is not one of closed, open"
    ]


def test_a_panel_that_no_driver_knows_is_refused_with_those_that_there_are(complaints):
    text = '[display]\nchip = "sh1106"\nsize = [96, 16]\n'
    assert complaints(text) == ["display.size: a sh1106 has 128×64, 128×32, 128×128"]


def test_a_chip_without_i2c_is_asked_for_by_spi(complaints):
    text = '[display]\nchip = "ssd1322"\nsize = [256, 64]\n'
    assert complaints(text) == ['display.bus: a ssd1322 has no I²C; bus = "spi"']


def test_a_usb_handset_is_read_as_written(load):
    board = load(
        """
[usb]
vendor = 0x06e6
product = 0xc31c
name = "VoIP*"
hook = "SW_LID"
lifted = "open"
grab = false
[usb.keys]
KEY_1 = "1"
[usb.lamps]
mute = "LED_MUTE"
"""
    )
    assert board.usb == UsbSpec(
        vendor=0x06E6,
        product=0xC31C,
        keys=(("KEY_1", Key.DIGIT_1),),
        hook="SW_LID",
        name="VoIP*",
        lifted=Contact.OPEN,
        lamps=(("mute", "LED_MUTE"),),
        grab=False,
    )


def test_what_cannot_be_an_input_event_is_refused(complaints):
    text = '[usb]\nhook = "phone"\n[usb.keys]\nkey_1 = "1"\n[usb.lamps]\nmute = "MUTE"\n'
    assert complaints(text) == [
        "usb.keys.key_1: 'key_1' is not the name of an input event, like KEY_PHONE",
        "usb.hook: 'phone' is not the name of an input event, like KEY_PHONE",
        "usb.lamps.mute: 'MUTE' is not the name of a lamp, like LED_MUTE",
    ]


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


def test_a_front_panel_has_pixels_or_letters(load, complaints):
    panel = '[serial]\nport = "/dev/ttyUSB0"\n'
    assert load(panel + "letters = [20, 4]").serial.letters == (20, 4)
    assert load(panel).serial.letters is None
    assert complaints(panel + "letters = [20, 4]\nsize = [128, 64]") == [
        "serial.letters: a display has pixels (size) or letters, not both"
    ]
    assert complaints(panel + "letters = [4, 20]") == [
        "serial.letters: must be [columns, rows], like [20, 4]"
    ]


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


SPI = 'chip = "sh1106"\nsize = [128, 64]\nbus = "spi"\ndata_command = 25\n'
I2C = 'chip = "ssd1306"\nsize = [128, 64]\n'


@pytest.mark.parametrize(
    ("display", "pin", "line"),
    [
        (SPI, 8, "the SPI select 0 line"),
        (SPI + "device = 1\n", 7, "the SPI select 1 line"),
        (SPI + "device = 1\n", 8, "the SPI select 0 line"),
        (SPI + "port = 1\n", 18, "the SPI select 0 line"),
        (SPI + "port = 1\ndevice = 2\n", 16, "the SPI select 2 line"),
        (SPI + "port = 1\n", 20, "the SPI 1 out line"),
        (I2C + "port = 0\n", 1, "the I²C 0 clock line"),
    ],
)
def test_a_bus_takes_the_pins_of_its_number(complaints, display, pin, line):
    (said,) = complaints(f"[hook]\npin = {pin}\n[display]\n{display}")
    assert f"{line} and hook.pin both use GPIO {pin}" in said


@pytest.mark.parametrize(
    ("display", "pin"), [(SPI, 7), (SPI + "port = 1\n", 8), (I2C + "port = 3\n", 2), (I2C, 0)]
)
def test_a_pin_that_a_bus_leaves_may_be_used(load, display, pin):
    load(f"[hook]\npin = {pin}\n[display]\n{display}")


def test_an_spi_bus_has_so_many_devices(complaints):
    assert complaints(f"[display]\n{SPI}device = 2\n") == [
        "display.device: SPI bus 0 has 2 chip selects, from 0"
    ]


def test_a_panel_at_the_port_of_the_header_takes_its_pins_by_itself(complaints, load):
    text = "[hook]\npin = 14\n[serial]\nport = "
    (said,) = complaints(text + '"/dev/ttyAMA0"')
    assert "the serial out line and hook.pin both use GPIO 14" in said
    load(text + '"/dev/ttyUSB0"')
    load(text + '"/dev/ttyAMA0"\nheader_pins = false')


def test_a_bell_swings_no_faster_than_a_clapper_can(complaints, load):
    bell = '[ringer]\nkind = "bell"\npins = [12, 13]\nhertz = '
    assert complaints(bell + "440") == ["ringer.hertz: 440 is not a whole number from 15 to 50"]
    assert load(bell + "20").ringer == RingerSpec("bell", (12, 13), 20)


def test_who_makes_the_tone_of_a_buzzer(complaints, load):
    buzzer = '[ringer]\nkind = "buzzer"\npins = [18]\npwm = '
    assert load(buzzer + '"hardware"').ringer == RingerSpec("buzzer", (18,), 440, "hardware")
    assert load(buzzer.replace("18", "5") + '"pwmchip2/1"').ringer.pwm == "pwmchip2/1"
    assert complaints(buzzer + '"hardwar"') == [
        "ringer.pwm: 'hardwar' is not software, hardware, or like pwmchip2/1"
    ]
    assert complaints(buzzer.replace("18", "5") + '"hardware"') == [
        "ringer.pins: hardware PWM comes out at GPIO 12, 13, 18, 19 alone"
    ]
    assert complaints('[ringer]\nkind = "bell"\npins = [12, 13]\npwm = "hardware"') == [
        "ringer.pwm: a bell has two coils in turn; this is for a buzzer"
    ]


def test_a_lamp_that_nothing_ever_lights_is_told_with_the_nearest(complaints):
    port = 'port = "/dev/ttyUSB0"\n'
    assert complaints("[lamps]\nmesage = { pin = 4 }\nline_0 = { pin = 5 }") == [
        "lamps.mesage: there is no lamp 'mesage'; is it 'message'?",
        "lamps.line_0: there is no lamp 'line_0'; is it 'line_1'?",
    ]
    assert complaints(f'[serial]\n{port}lamps = ["mute", "disco"]') == [
        (
            "serial.lamps: there is no lamp 'disco'; there are message, ring, mute, hold, speaker, "
            "headset, dnd, line_1 …"
        )
    ]
    assert complaints('[usb.lamps]\nmail = "LED_MAIL"')[0].startswith("usb.lamps.mail: there is no")
