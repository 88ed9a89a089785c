"""A telephone on real pins of the kernel's (gpio-sim): lifted, dialled, heard, rung and hung up.

The phone is the one that systemd runs, in its sandbox, with a board of the test's own: an old
telephone with a cradle, a dial, three keys, a lamp and two coils, and snd-aloop as its handset. A
matrix of keys needs wires that follow within microseconds, which another process cannot play:
`test_pin_contract.py` has that.
"""

import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from firmware.control import schema as s
from tests.support.waiting import wait_for
from tests.vm.inside import desk
from tests.vm.inside.gpio_sim import SimulatedPins
from tests.vm.inside.loopback import FarSide

HOOK, PULSE, OFF_NORMAL, SIX, NOUGHT, SPEAKER, LAMP = 17, 23, 24, 5, 6, 27, 22
COILS = (12, 13)
BELL_HERTZ = 20
TELEPHONE = f"""\
name = "telephone"
title = "An old telephone"
[gpio]
factory = "gpiod"
chip = "{{chip}}"
[hook]
pin = {HOOK}
lifted = "closed"
[rotary]
pulse = {PULSE}
off_normal = {OFF_NORMAL}
[buttons]
0 = {NOUGHT}
6 = {SIX}
speaker = {SPEAKER}
[lamps]
ring = {{{{ pin = {LAMP} }}}}
[ringer]
kind = "bell"
pins = [{COILS[0]}, {COILS[1]}]
hertz = {BELL_HERTZ}
[cards]
handset = {{{{ device = "id:Loopback" }}}}
speaker = {{{{ device = "id:Loopback" }}}}
"""
DIAL_TONE = (350, 440)  # ITU-T E.180 Suppl. 2: the United States
VOICE = 700
PULSE_SECONDS = 0.1
BREAK = 0.6


@pytest.fixture(scope="module")
def pins():
    """The phone's pins; the phone has this board for as long as the tests run."""
    with SimulatedPins() as pins:
        for open_contact in (HOOK, OFF_NORMAL, SIX, NOUGHT, SPEAKER):
            pins.pull(open_contact, up=True)
        with desk.board(TELEPHONE.format(chip=pins.path)):
            close(pins, PULSE)
            yield pins


@pytest.fixture
def far():
    with FarSide() as far_side:
        yield far_side


def close(pins, pin):
    """A contact to ground closes."""
    pins.pull(pin, up=False)


def release(pins, pin):
    pins.pull(pin, up=True)


def press(pins, key):
    close(pins, key)
    pause(0.08)
    release(pins, key)
    pause(0.08)


def pause(seconds):
    """How much longer it took, in seconds."""
    end = time.monotonic() + seconds
    time.sleep(seconds)  # noqa: TID251 - a finger takes its time
    return time.monotonic() - end


def coils(pins):
    """The coils of one moment; None if it was longer than it takes the clapper to come back."""
    began = time.monotonic()
    first, second = COILS
    before, other, after = (pins.value(coil) for coil in (first, second, first))
    quick = time.monotonic() - began < 0.5 / BELL_HERTZ
    return (before, other) if quick and before == after else None


def dial(pins, digit):
    """The finger plate goes round and comes back: the pulse contact opens once a pulse.

    Returns whether every pulse was as long as it should be: a machine that stands still for a
    tenth of a second dials another digit.
    """
    late = 0.0
    close(pins, OFF_NORMAL)
    pause(0.15)
    for _ in range(int(digit) or 10):
        release(pins, PULSE)
        late = max(late, pause(PULSE_SECONDS * BREAK))
        close(pins, PULSE)
        late = max(late, pause(PULSE_SECONDS * (1 - BREAK)))
    pause(0.1)
    release(pins, OFF_NORMAL)
    pause(0.3)
    return late < PULSE_SECONDS * BREAK


def dial_all(pins, far, number):
    """Dial a number with the handset off; once more from the start if the machine stood still."""
    for _ in range(4):
        far.wait_tone(DIAL_TONE[0])
        right = [dial(pins, digit) for digit in number]
        if all(right):
            return
        release(pins, HOOK)
        desk.wait("rest", lambda found: found.state == "idle")
        close(pins, HOOK)
    raise AssertionError("this machine is too slow for a dial")


def test_a_call_by_hand_from_the_cradle_to_the_echo_and_back(pins, far, record_property):
    began = time.monotonic()
    close(pins, HOOK)
    for hertz in DIAL_TONE:
        far.wait_tone(hertz)
    took = time.monotonic() - began
    record_property("hook contact to dial tone at the ear, ms (emulated)", round(took * 1000))

    dial_all(pins, far, "6")
    far.wait_silence(DIAL_TONE[0])
    press(pins, NOUGHT)
    press(pins, NOUGHT)
    found = desk.wait("the echo", lambda found: found.state == "talking", 30)
    assert "600" in found.calls[0].remote
    far.say(VOICE)
    far.wait_tone(VOICE)

    release(pins, HOOK)
    desk.wait("the end of the call", lambda found: not found.calls)


def test_the_bell_and_the_lamp_of_a_call_that_comes(pins, far):
    """605 asks to hang up and calls back."""
    close(pins, HOOK)
    far.wait_tone(DIAL_TONE[0])
    desk.ask(s.Dial(target="605"))
    desk.wait("605", lambda found: found.state == "talking", 30)
    release(pins, HOOK)

    desk.wait("the call back", lambda found: found.state == "ringing", 30)
    wait_for("the lamp", lambda: pins.value(LAMP))
    wait_for("the bell", lambda: any(pins.value(coil) for coil in COILS))
    swings = {coils(pins) for _ in range(200)}

    def to_and_fro():
        swings.add(coils(pins))
        return {(True, False), (False, True)} <= swings

    wait_for("the clapper to go to and fro", to_and_fro, every=0.001)
    assert (True, True) not in swings, "both coils pull at once"

    close(pins, HOOK)
    desk.wait("the answer", lambda found: found.state == "talking")
    wait_for("the bell to be silent", lambda: not any(pins.value(coil) for coil in COILS))
    wait_for("the lamp to be dark", lambda: not pins.value(LAMP))
    release(pins, HOOK)
    desk.wait("the end", lambda found: not found.calls)


def test_f37_a_cradle_that_bounces_lifts_once(pins, far):
    for _, pin_up in itertools.product(range(100), (False, True)):
        pins.pull(HOOK, up=pin_up)
    close(pins, HOOK)
    far.wait_tone(DIAL_TONE[0])
    assert desk.status().off_hook

    release(pins, HOOK)
    desk.wait("rest", lambda found: not found.off_hook and found.state == "idle")


def test_f39_with_the_cradle_stuck_down_the_speaker_key_still_works(pins, far):
    press(pins, SPEAKER)
    far.wait_tone(DIAL_TONE[0])
    assert desk.status().audio.path == "speaker"

    press(pins, SPEAKER)
    desk.wait("rest", lambda found: found.state == "idle")
    far.wait_silence(DIAL_TONE[0])


def test_f41_another_program_cannot_take_the_phone_s_pins(pins):
    import gpiod  # noqa: PLC0415 - only here

    with pytest.raises(OSError, match="busy"):
        gpiod.request_lines(str(pins.path), config={HOOK: gpiod.LineSettings()})


def test_killed_while_it_rings_it_comes_to_rest_and_is_back(pins, far, record_property):
    """Nobody says good-bye to the pins: the kernel takes them back, and the next start has them."""
    desk.ask(s.Dial(target="605"))
    desk.wait("605", lambda found: found.state == "talking", 30)
    desk.ask(s.HangUp())
    desk.wait("the call back", lambda found: found.state == "ringing", 30)
    wait_for("the bell", lambda: any(pins.value(coil) for coil in COILS))
    before, began = desk.main_pid(), time.monotonic()
    os.kill(before, signal.SIGKILL)
    wait_for("rest", lambda: not any(pins.value(pin) for pin in (*COILS, LAMP)), 5)
    wait_for("the next start", lambda: desk.main_pid() not in (0, before), 20, every=0.2)
    ready = ["systemctl", "-q", "is-active", "deskphone"]
    wait_for("it to be ready", lambda: subprocess.run(ready, check=False).returncode == 0, 60,
             every=0.5)  # fmt: skip
    desk.wait("registration", lambda found: found.lines[0].registered, 60)
    record_property("killed to registered again, s (emulated)", round(time.monotonic() - began, 1))
    close(pins, HOOK)
    far.wait_tone(DIAL_TONE[0], 20)
    release(pins, HOOK)
    desk.wait("rest", lambda found: found.state == "idle")


def test_f41_a_chip_that_goes_is_told_and_the_phone_talks_on(pins, far):
    """As a chip on a USB cable that is pulled."""
    pid = desk.main_pid()
    pins.unplug()
    said = wait_for("what the journal says", lambda: journal("does not answer"), 20, every=0.5)
    assert "hook failed" in said or "hook: " in said, said
    spent = cpu(pid)
    time.sleep(5)  # noqa: TID251 - a thread that turns in circles would be seen
    assert cpu(pid) - spent < 1.0
    assert desk.main_pid() == pid
    desk.ask(s.Dial(target="600"))
    desk.wait("the echo", lambda found: found.state == "talking", 30)
    far.say(VOICE)
    far.wait_tone(VOICE)
    desk.ask(s.HangUp())
    desk.wait("the end", lambda found: not found.calls)


def test_f41_the_chip_comes_back_and_with_it_cradle_bell_and_lamp(pins, far, record_property):
    pid, path, began = desk.main_pid(), pins.path, time.monotonic()
    assert "does not answer" in desk.status().reason
    pins.plug()
    assert pins.path == path, "somebody still has the chip that went"
    desk.wait("its pins", lambda found: "does not answer" not in found.reason, 40)
    took = time.monotonic() - began
    record_property("chip back to its pins in use, s (emulated)", round(took, 1))
    close(pins, PULSE)
    assert desk.status().state == "idle"
    close(pins, HOOK)
    far.wait_tone(DIAL_TONE[0])
    dial_all(pins, far, "6")
    release(pins, HOOK)
    desk.wait("rest", lambda found: found.state == "idle")

    press(pins, SPEAKER)
    far.wait_tone(DIAL_TONE[0])
    desk.ask(s.Dial(target="605"))
    desk.wait("605", lambda found: found.state == "talking", 30)
    press(pins, SPEAKER)
    desk.wait("the call back", lambda found: found.state == "ringing", 30)
    wait_for("the lamp", lambda: pins.value(LAMP))
    wait_for("the bell", lambda: any(pins.value(coil) for coil in COILS))
    close(pins, HOOK)
    desk.wait("the answer", lambda found: found.state == "talking")
    wait_for("the lamp to be dark", lambda: not pins.value(LAMP))
    release(pins, HOOK)
    desk.wait("the end", lambda found: not found.calls)
    assert desk.main_pid() == pid


def journal(words):
    """The lines of the phone's that have these words."""
    command = ["journalctl", "-u", "deskphone", "-o", "cat", "--since", "-1min"]
    rows = subprocess.check_output(command, text=True).splitlines()
    return "\n".join(row for row in rows if words in row)


def cpu(pid):
    """Seconds of the processor that it had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
