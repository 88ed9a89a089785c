"""F41: the screen does not answer, the USB handset is not there, and the phone rings and talks.

A whole phone as a program, on a board of its own: a front panel behind a serial port (the reference
firmware), an I²C bus that this machine has not, a USB handset that nobody plugged in.
"""

import pytest

from firmware.sip.notifications import CallEnded
from tests.support.far_end import pitch
from tests.support.front_panel import PluggedIn
from tests.support.phone import line
from tests.support.waiting import wait_for

BOARD = """
[display]
chip = "ssd1306"
size = [128, 64]
port = 6
[usb]
vendor = 0xffff
hook = "KEY_PHONE"
[serial]
port = "{port}"
lamps = ["mute"]
bell = true
[cards.handset]
kind = "null"
[cards.ringer]
kind = "null"
"""


@pytest.fixture
def panel():
    plugged = PluggedIn()
    yield plugged
    plugged.pull()


@pytest.fixture
def phone(start_phone, far_end, panel, tmp_path):
    """A phone whose only keys, hook and bell are those of the front panel."""
    board = tmp_path / "desk.toml"
    board.write_text(BOARD.format(port=panel.path))
    made = start_phone(line("101", far_end.server), board=str(board))
    made.wait_registered()
    return made


def test_f41_without_screen_and_handset_the_phone_still_rings_and_talks(phone, far_end, panel):
    wait_for("the panel", lambda: panel.panel.greeted)
    wait_for("the screen's fault", lambda: "screen" in phone.log())

    call = far_end.call(f"sip:101@{phone.address}")
    wait_for("the bell", lambda: panel.hardware.ringing)
    panel.hardware.handset_off = True
    phone.wait_state("talking")
    wait_for("our voice", lambda: len(far_end.heard) > 25)
    wait_for("our voice", lambda: pitch(far_end.heard[-10:]) == pytest.approx(440, abs=40))
    wait_for("the bell's end", lambda: not panel.hardware.ringing)
    panel.hardware.handset_off = False

    wait_for("the end", lambda: any(
        isinstance(event, CallEnded) and event.call == call for event in far_end.notifications
    ))  # fmt: skip
    wait_for("the handset's fault", lambda: "USB handset" in phone.log())
    both = phone.wait("both of them named", lambda found: "2 devices fail: " in found.reason)
    assert "screen (there is no I²C bus 6" in both.reason
    assert "USB handset (" in both.reason
    log = phone.log()
    assert log.count("there is no I²C bus 6") == 1
    assert log.count("USB handset") == 1


def told(panel, digit, down):
    """Whether the phone has acknowledged that this key is down, or up."""
    contact = panel.keys.get(digit)
    settled = contact is not None and contact.closed == bool(down)
    return settled and not panel.queue and panel.sent is None


def test_f41_a_number_is_dialled_on_a_front_panel(phone, far_end, panel):
    wait_for("the panel", lambda: panel.panel.greeted)
    panel.hardware.handset_off = True
    phone.wait_state("off_hook")
    for digit in "204#":
        for down in ({digit}, set()):
            panel.hardware.down = down
            wait_for("the key to be told", lambda d=digit, down=down: told(panel.panel, d, down))
    phone.wait_state("talking")
