"""Board files by people who try: whatever stands there, it is read or refused in sentences."""

import datetime as dt
import math
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.boards.loader import FOLDER, board_names, load_board
from hal.errors import BoardError
from hal.parts import TABLES

KEYS = [
    *("pin", "pins", "rows", "columns", "keys", "pulse", "off_normal"),
    *("order", "lifted", "plugged", "kind", "hertz", "chip", "size"),
    *("bus", "port", "address", "device", "data_command", "reset", "rotate"),
    *("contrast", "speed", "lamps", "bell", "letters", "header_pins", "vendor"),
    *("product", "name", "phys", "hook", "grab", "factory", "lockout_ms"),
    *("flash_max_ms", "active_low", "pwm", "brightness", "message", "mute", "handset"),
    *("speaker", "1", "*", "KEY_PHONE", "ring", "play"),
]
ODD = st.one_of(
    st.integers(),
    st.sampled_from([-1, 0, 27, 28, 255, 2**31, 2**63, 10**4000, -(10**4000)]),
    st.floats(),
    st.sampled_from([math.nan, math.inf, True, False, "", "\0", "läuchte\n", "1" * 500]),
    st.text(max_size=8),
    st.just(dt.date(2026, 1, 1)),
)
NAME = st.sampled_from(KEYS) | st.text(max_size=4)
VALUE = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAME, inner, max_size=4),
    max_leaves=8,
)
OWN = st.dictionaries(st.sampled_from(TABLES) | NAME, VALUE, max_size=4)


def judged(name, own=None):
    """What is said of it, line by line; nothing if it is taken."""
    try:
        load_board(name, own)
    except BoardError as error:
        text = str(error)
    else:
        return []
    lines = text.split("\n")
    assert lines == text.splitlines(), "a line of nobody"
    assert all(line.isprintable() and len(line) < 700 for line in lines), lines
    return lines


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(board_names()), OWN)
def test_whatever_somebody_wishes_of_his_board_is_taken_or_refused_by_key(name, own):
    for line in judged(name, own):
        assert line.startswith("your [board]: "), line


@settings(max_examples=50, deadline=None)
@given(
    name=st.sampled_from(board_names()),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=3)), max_size=4),
)
def test_a_file_with_wrong_bytes_is_taken_or_refused(name, places, tmp_path_factory):
    octets = bytearray((FOLDER / f"{name}.toml").read_bytes())
    for place, wrong in places:
        at = int(place * len(octets))
        octets[at : at + 1] = wrong
    path = tmp_path_factory.getbasetemp() / "broken.toml"
    path.write_bytes(octets)
    for line in judged(str(path)):
        assert re.match(rf"{re.escape(str(path))}(:[0-9]+)?: ", line), line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[hook]\npin = " + "9" * 5000, "not a TOML file: Exceeds the limit"),
        ("[hook]\npin = 0x" + "f" * 5000, "hook.pin: what stands there is not a whole number"),
        ("a = " + "[" * 5000, "not a TOML file: "),
        ("name" + ".a" * 30_000 + " = 1", "not a TOML file: its key has too many names"),
        ("name" + ".a" * 20 + " = 1", "name: {'a': {'a': "),
        ("name = " + "[" * 60 + "]" * 60, f"name: {'[' * 60}{']' * 20}… is not a text"),
        ('"a\\nb" = 1', "'a\\nb': there is no such key"),
        ('[lamps]\n"" = 1', "lamps.'': "),
        ("[hook]\npin = nan", "hook.pin: nan is not a whole number from 0 to 27"),
        ("[hook]\npin = -1", "hook.pin: -1 is not a whole number from 0 to 27"),
        ("[keypad]\nrows = []\ncolumns = []\nkeys = []", "keypad.rows: is empty"),
        ('[display]\nchip = "ssd1306"\nsize = []', "display.size: is empty"),
        (
            "[keypad]\nrows = [5, 5]\ncolumns = [6]\nkeys = [['1'], ['2']]",
            "keypad.rows: keypad.rows[1] and keypad.rows[0] both use GPIO 5",
        ),
        (
            "[serial]\nport = '/dev/ttyS0'\nsize = [344, 64]",
            "serial.size: a line to a panel carries 336 columns at most",
        ),
    ],
)
def test_what_goes_beyond_all_measure_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "board.toml"
    path.write_text(text)
    lines = judged(str(path))
    pattern = rf"{re.escape(str(path))}(:[0-9]+)?: {re.escape(said)}"
    assert any(re.match(pattern, line) for line in lines), lines


def test_what_can_be_read_for_ever_is_no_board(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    for path in ("/dev/zero", str(tmp_path / "pipe.toml")):
        assert judged(path) == [f"{path}: it is a device, not a file"]


def test_a_file_that_has_no_end_to_speak_of_is_no_board(tmp_path):
    path = tmp_path / "board.toml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert judged(str(path)) == [f"{path}: it has more than 262144 bytes, this is no board"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_an_editor_on_windows_makes_of_a_board_is_read(tmp_path, mark, end):
    path = tmp_path / "board.toml"
    path.write_bytes((mark + f"# mine{end}[hook]{end}\tpin\t=\t4{end}").encode())
    assert load_board(str(path)).hook.pin == 4
    path.write_bytes((mark + f"# mine{end}[hook]{end}\tpin\t=\t44{end}").encode())
    assert judged(str(path)) == [f"{path}:3: hook.pin: 44 is not a whole number from 0 to 27"]


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(BoardError, match="null"):
        load_board("boards/\0.toml")


def test_a_strip_of_the_widest_panel_fits_into_a_line():
    """What the loader allows, the wire carries (docs/serial-panel.md)."""
    from hal.packing import blank  # noqa: PLC0415 - this test alone
    from hal.ports import LampPattern  # noqa: PLC0415 - likewise
    from hal.uart import link  # noqa: PLC0415 - likewise
    from hal.uart.framing import LONGEST, Message, encode  # noqa: PLC0415 - likewise

    wanted = link.Wanted(
        blank((336, 1024)), {"line_99": LampPattern.FAST_BLINK}, (), ("\N{SNOWMAN}" * 80,) * 80
    )
    for slot, args in link._slots(wanted, strips=True):
        assert len(encode(Message(255, slot[0], (*slot[1:], *args)))) <= LONGEST + 2
