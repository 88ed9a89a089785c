"""A whole phone on GPIO pins: keypad, hook, lamp and bell, on mock pins of a PC.

The program is `deskphone run` with a board file of the builder's own; hands move its wires.
"""

import tempfile
from pathlib import Path

import pytest

from firmware.control import schema as s
from firmware.sip.notifications import CallEnded
from tests.support.far_end import pitch
from tests.support.gpio.wired_phone import LATE, Hands
from tests.support.phone import line
from tests.support.waiting import wait_for

BOARD = """
[gpio]
factory = "mock"
[keypad]
rows = [5, 6, 13, 19]
columns = [12, 16, 20]
keys = [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"], ["*", "0", "#"]]
[hook]
pin = 17
lifted = "closed"
[lamps]
ring = { pin = 22 }
[ringer]
kind = "bell"
pins = [7, 8]
[cards.handset]
kind = "null"
"""
ROWS, COLUMNS = (5, 6, 13, 19), (12, 16, 20)
PLACE = {
    name: (ROWS[row], COLUMNS[column])
    for row, names in enumerate(["123", "456", "789", "*0#"])
    for column, name in enumerate(names)
}
HOOK, LAMP, COILS = 17, 22, (7, 8)


@pytest.fixture
def hands():
    with tempfile.TemporaryDirectory(prefix="dp-") as folder:
        hands = Hands(Path(folder) / "wires")
        yield hands
        hands.close()


@pytest.fixture
def phone(start_phone, far_end, hands, tmp_path):
    board = tmp_path / "desk.toml"
    board.write_text(BOARD)
    made = start_phone(line("101", far_end.server), board=str(board), program=hands.program())
    made.wait_registered()
    return made


def test_the_boards_that_come_with_the_phone_run_on_a_pc_with_mock_pins(start_phone, far_end):
    pins = '[board.gpio]\nfactory = "mock"\n'
    phone = start_phone(line("101", far_end.server), pins, board="keypad")
    phone.wait_registered()
    phone.ask(s.Key(key=s.KeyCap("2")))
    phone.wait_state("dialling")
    failed = [row for row in phone.log().splitlines() if " failed: " in row]
    assert all("screen failed: there is no I²C bus" in row for row in failed)


def press(hands, name):
    """Hold a key for some forty milliseconds: four scans, in which its row is low and let go."""
    row, column = PLACE[name]
    before = hands.edges(row)
    hands.move("connect", row, column)
    wait_for("the scans", lambda: hands.edges(row) >= before + 20)
    hands.move("disconnect", row, column)


def ended(far_end, call):
    return any(isinstance(each, CallEnded) and each.call == call for each in far_end.notifications)


def test_a_call_is_made_by_wire_and_another_is_taken_by_it(phone, far_end, hands):
    hands.move("close", HOOK)
    phone.wait_state("off_hook")
    for name in "204#":
        press(hands, name)
    assert far_end.wait_call().called_user == "204"
    phone.wait_state("talking")
    wait_for("our voice", lambda: len(far_end.heard) > 25)
    wait_for("our voice", lambda: pitch(far_end.heard[-10:]) == pytest.approx(440, abs=40))
    hands.move("open", HOOK)
    phone.wait_state("idle")

    call = far_end.call(f"sip:101@{phone.address}")
    phone.wait_state("ringing")
    wait_for("the lamp", lambda: hands.level(LAMP))
    wait_for("the bell", lambda: any(hands.level(coil) for coil in COILS))
    hands.move("close", HOOK)
    phone.wait_state("talking")
    wait_for("silence", lambda: not any(hands.level(coil) for coil in COILS))
    hands.move("open", HOOK)
    wait_for("the end", lambda: ended(far_end, call))


def test_f38_a_handset_that_is_off_when_the_power_comes_gives_dial_tone(
    start_phone, far_end, hands, tmp_path
):
    board = tmp_path / "desk.toml"
    board.write_text(BOARD)
    lines = line("101", far_end.server)
    phone = start_phone(lines, board=str(board), program=hands.program(HOOK))
    phone.wait_state("off_hook")
    hands.move("open", HOOK)
    phone.wait_state("idle")


def test_f41_a_chip_that_comes_when_the_phone_is_up_is_used(start_phone, far_end, hands, tmp_path):
    """A driver that loads late: no restart, and until then it is said what is missing."""
    board = tmp_path / "desk.toml"
    board.write_text(BOARD.replace('"mock"', '"gpiod"'))
    lines = line("101", far_end.server)
    phone = start_phone(lines, board=str(board), program=hands.program(HOOK, LATE))
    phone.wait_registered()
    missing = phone.wait("what is missing", lambda found: "GPIO" in found.reason)
    assert (missing.state, missing.reason) == ("idle", "GPIO failed: there is no chip")
    hands.move("plug")
    phone.wait("the handset", lambda found: (found.state, found.reason) == ("off_hook", ""))
    hands.move("open", HOOK)
    phone.wait_state("idle")


def test_f40_the_hook_flaps_while_the_caller_gives_up(phone, far_end, hands):
    call = far_end.call(f"sip:101@{phone.address}")
    phone.wait_state("ringing")
    for _ in range(20):
        hands.move("close", HOOK)
        hands.move("open", HOOK)
    far_end.hang_up(call)
    phone.wait_state("idle")
    assert phone.status().calls == ()
    wait_for("silence", lambda: not any(hands.level(coil) for coil in COILS))
