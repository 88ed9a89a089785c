"""A telephone on three USB cables: plugged in, used, pulled out in a call, and given back.

The phone is the one that systemd runs, in its sandbox. Its sound card, its keypad and its front
panel are USB for this kernel from the socket up (`tests/vm/hands.py`): they are enumerated, drivers
are loaded for them, udev gives them their groups, and they vanish when they are pulled. The cards
have no microphone.
"""

import contextlib
from pathlib import Path

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.sine import Sine
from hal.board import CardSpec
from hal.boards.cards import open_card
from hal.errors import DeviceError
from tests.support.waiting import wait_for
from tests.vm.inside import desk
from tests.vm.inside.hands import ask, wait_heard
from tests.vm.inside.kernel_cards import has_card

PORT = "/dev/ttyUSB0"
KEYS = "\n".join(f'KEY_KP{digit} = "{digit}"' for digit in range(10)) + '\nKEY_KPENTER = "ok"'
BOARD = f"""\
name = "cables"
title = "A telephone on three USB cables"
[serial]
port = "{PORT}"
size = [128, 64]
lamps = ["message", "mute"]
[usb]
vendor = 0x0627
product = 0x0001
[usb.keys]
{KEYS}
[cards]
handset = {{ device = "id:Audio" }}
"""
CARD, SECOND = "Audio", "Audio_1"
RATE, LOUD = 16_000, -40
DIAL_TONE = 350, 440
ANNOUNCEMENT = 1000
BROKEN = (
    *("No sound", "sound card error", "devices fail"),
    *("USB handset failed", "front panel failed"),
)
UNPLUGGED = "failed: it was unplugged"


@pytest.fixture(scope="module")
def phone():
    """The phone with this board; when it starts nothing is plugged in."""
    with desk.board(BOARD, "id:Audio"):
        yield
    for name in ("left", "keypad", "panel"):
        with contextlib.suppress(AssertionError):  # a test may have failed while it was away
            ask("pull", name=name)


@pytest.fixture
def call(phone):
    """A call to the announcement: dialled on the keypad, with the panel's handset off."""
    everything_works()
    ask("hook", lifted=True)
    wait_heard("left", DIAL_TONE[0])
    ask("press", digits="601\n")
    found = desk.wait("the answer", lambda found: found.state == "talking", 40)
    assert "601" in found.calls[0].remote
    yield
    ask("hook", lifted=False)
    desk.wait("the end of the call", lambda found: found.state == "idle" and not found.calls)


def is_broken(found):
    return any(word in found.reason for word in BROKEN)


def everything_works(seconds=20.0):
    desk.wait("all to be well", lambda found: not is_broken(found), seconds)


def socket_of(card_id):
    """The USB socket of a card as the kernel calls it, like 1-2."""
    number = Path(f"/proc/asound/{card_id}").readlink().name.removeprefix("card")
    return Path(f"/sys/class/sound/card{number}/device").resolve().parent.name


def comes_out_of(card, device):
    """Whether a tone that is played on a device of ours is heard from that card."""
    port = open_card(CardSpec("alsa", device), (), RATE)
    tone, since = Sine(ANNOUNCEMENT, port.rate), ask("played", card=card)
    try:
        for number in range(500):
            port.write(audioop.mul(tone.block(port.rate // 50), 2, 0.25))
            if number % 10 == 0:
                level = ask("level", card=card, since=since, hertz=ANNOUNCEMENT)
                if level is not None and level > LOUD:
                    return True
    finally:
        port.close()
    return False


def test_two_equal_cards_are_told_apart_by_their_sockets():
    """Which of them the kernel calls Audio depends on which was there first."""
    ask("plug", name="left")
    wait_for("the first card", lambda: has_card(CARD), 30)
    ask("plug", name="right")
    wait_for("the second card", lambda: has_card(SECOND), 30)
    left, right = socket_of("Audio"), socket_of("Audio_1")
    assert left != right
    assert comes_out_of("right", f"usb:{right}")
    for name in ("left", "right"):
        ask("pull", name=name)
    wait_for("both to be gone", lambda: not has_card(CARD) and not has_card(SECOND))
    with pytest.raises(DeviceError, match=f"usb:{right}: there is no such card"):
        open_card(CardSpec("alsa", f"usb:{right}"), (), RATE)

    ask("plug", name="right")
    wait_for("a card", lambda: has_card(CARD), 30)
    ask("plug", name="left")
    wait_for("another", lambda: has_card(SECOND), 30)
    assert socket_of("Audio") == right, "now it is the other one"
    assert comes_out_of("right", f"usb:{right}")
    assert comes_out_of("left", f"usb:{left}")
    for name in ("left", "right"):
        ask("pull", name=name)


def test_f34_f41_with_nothing_plugged_in_the_phone_registers_and_says_what_is_missing(phone):
    found = desk.wait("what it says", is_broken)
    assert found.lines[0].registered
    assert found.state == "idle"
    assert "id:Audio" in found.reason
    wait_for("the keypad in the log", lambda: "it is not plugged in" in desk.journal(), every=0.5)
    wait_for("the panel in the log", lambda: f"{PORT}: " in desk.journal(), every=0.5)


def test_f34_what_is_plugged_in_later_is_used(phone, record_property):
    """Kernel modules that only these devices need are loaded now, with the phone at work."""
    for name in ("left", "keypad", "panel"):
        ask("plug", name=name)
    everything_works(60)
    wait_for("a picture on the panel", lambda: 0 < ask("panel")["lit"] < 128 * 64, 30)
    ask("hook", lifted=True)
    took = max(wait_heard("left", hertz) for hertz in DIAL_TONE)
    record_property("hook on a USB cable to dial tone on a USB card, ms (emulated)",
                    round(took * 1000))  # fmt: skip
    ask("hook", lifted=False)
    desk.wait("rest", lambda found: found.state == "idle")


def test_f34_a_card_that_the_phone_has_is_busy(phone):
    with pytest.raises(DeviceError, match="another program is using it"):
        open_card(CardSpec("alsa", "id:Audio"), (), RATE)


def test_f33_the_card_is_pulled_out_in_a_call_and_comes_back(call, record_property):
    wait_heard("left", ANNOUNCEMENT, 40)
    ask("pull", name="left")
    wait_for("the card to be gone", lambda: not has_card(CARD))
    gone = desk.wait("what the phone says", is_broken)
    assert gone.state == "talking"
    assert gone.calls

    ask("plug", name="left")
    took = wait_heard("left")
    record_property("sound again after a USB card came back, s (emulated)", round(took, 2))
    wait_heard("left", ANNOUNCEMENT, 40)
    assert desk.status().state == "talking"
    # Promised are two seconds; this machine has to enumerate it first, and is emulated.
    assert took < 10


def test_f41_keypad_and_panel_are_pulled_out_in_a_call_and_the_handset_is_still_off(call):
    ask("pull", name="keypad")
    wait_for("what the phone says", lambda: f"USB handset {UNPLUGGED}" in desk.journal(), every=0.5)
    ask("plug", name="keypad")
    assert desk.status().state == "talking"

    ask("pull", name="panel")
    wait_for("what the phone says", lambda: f"front panel {UNPLUGGED}" in desk.journal(), every=0.5)
    assert desk.status().state == "talking"
    ask("plug", name="panel", lifted=True)
    wait_for("a picture on the panel", lambda: 0 < ask("panel")["lit"] < 128 * 64, 30)
    found = desk.status()
    assert (found.state, found.calls[0].held) == ("talking", False), "nobody touched the hook"


def test_what_came_back_still_works(call):
    """All three were away once: the call was dialled with them, and is heard."""
    wait_heard("left", ANNOUNCEMENT, 40)
