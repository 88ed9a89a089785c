"""docs/boards.md is true: its example loads, its tables name every board, key and key cap."""

import re
import tomllib
from pathlib import Path

import pytest

from hal.boards.loader import PIN_FACTORIES, board_names, load_board
from hal.card_spec import PATHS
from hal.keys import Key
from hal.tables.cards import CARD_KINDS
from hal.tables.display import CHIP_SIZES
from hal.toml_table import Table

DOCUMENT = Path(__file__).parents[4] / "docs/boards.md"


@pytest.fixture(scope="module")
def text():
    return DOCUMENT.read_text(encoding="utf-8")


@pytest.fixture
def example(text, tmp_path):
    """The path of the example file in the document."""
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "desk.toml"
    path.write_text(block)
    return str(path)


def test_the_example_loads_as_it_stands(example):
    board = load_board(example)
    assert board.name == "desk"
    assert {key.digit for key in board.keys if key.digit} == set("0123456789*#")
    assert board.hook is not None
    assert set(board.cards) == {"handset", "ringer"}


def test_every_board_is_listed(text):
    table = text.partition("| name | what it is |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == set(board_names())


def documented(text):
    return set(re.findall(r"^\| `([\w.]+)` \|.*\|.*\|$", text, re.MULTILINE)) - set(board_names())


def generic(name):
    """`lamps.message.pin` as the document has it: `lamps.NAME.pin`."""
    name = re.sub(r"^lamps\.\w+", "lamps.NAME", name)
    name = re.sub(r"^cards\.\w+", "cards.PATH", name)
    name = re.sub(r"^mixer\..*", "mixer.DEVICE.CONTROL", name)
    name = re.sub(r"^buttons\.\w+", "buttons.KEY", name)
    name = re.sub(r"^usb\.lamps\.\w+", "usb.lamps.NAME", name)
    return re.sub(r"^usb\.keys\.\w+", "usb.keys.CODE", name)


EVERYTHING = """
[gpio]
[panel]
size = [128, 64]
[keypad]
rows = [5]
columns = [6]
keys = [["1"]]
[buttons]
mute = 7
[hook]
pin = 12
[rotary]
pulse = 13
[display]
chip = "ssd1306"
size = [128, 64]
bus = "spi"
device = 0
data_command = 16
[lamps]
message = { pin = 17 }
[ringer]
kind = "buzzer"
pins = [22]
[headset]
pin = 23
[serial]
port = "/dev/ttyUSB0"
size = [128, 64]
[usb.keys]
KEY_PHONE = "1"
[usb.lamps]
mute = "LED_MUTE"
[cards.handset]
kind = "null"
[mixer."id:Device"]
"Mic Capture" = true
"""


def test_the_keys_that_are_read_are_the_keys_that_are_documented(text, tmp_path, monkeypatch):
    path = tmp_path / "everything.toml"
    path.write_text(EVERYTHING)
    read, tables = set(), set()
    plain_get, plain_table = Table._get, Table.table

    def get(self, key):
        read.add(self.where(key))
        return plain_get(self, key)

    def table(self, key, *like):
        tables.add(self.where(key))
        return plain_table(self, key, *like)

    monkeypatch.setattr(Table, "_get", get)
    monkeypatch.setattr(Table, "table", table)
    load_board(str(path))
    assert {generic(name) for name in read - tables} == documented(text)


@pytest.mark.parametrize("words", [PIN_FACTORIES, CHIP_SIZES, CARD_KINDS, PATHS])
def test_every_choice_is_named(text, words):
    assert all(f"`{word}`" in text for word in words)


@pytest.mark.parametrize("chip", CHIP_SIZES)
def test_the_sizes_of_every_screen_are_named(text, chip):
    (row,) = re.findall(r"^\| `display.size` \|.*$", text, re.MULTILINE)
    (part,) = [part for part in row.split(";") if chip.upper() in part]
    assert set(re.findall(r"(\d+)×(\d+)", part)) == {(f"{w}", f"{h}") for w, h in CHIP_SIZES[chip]}


def test_every_key_cap_is_named(text):
    named = set(re.findall(r"`([^`]+)`", text.split("Keys are named by")[1]))
    for key in Key:
        stem, _, number = key.value.rpartition("_")
        in_range = number.isdigit() and f"{stem}_1" in named
        assert key.value in named or in_range or key.digit


def test_the_differences_of_the_building_guide_can_be_so():
    """Both blocks of its step 5, as they would stand in one file."""
    guide = DOCUMENT.with_name("building.md").read_text(encoding="utf-8")
    rows = re.findall(r"^    (\[board.*|[a-z]+ = .*)$", guide, re.MULTILINE)
    board = tomllib.loads("\n".join(rows))["board"]
    name, without = board.pop("name"), board.pop("without")
    spec = load_board(name, board, without)
    assert spec.hook.pin == 4
    assert {card.device for card in spec.cards.values()} == {"id:Headset"}
