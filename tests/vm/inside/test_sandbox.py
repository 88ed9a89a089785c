"""What the sandbox of deskphone.service leaves: the phone's devices, and nothing else.

A copy of the installed unit runs `probe.py` in place of the phone, with every other line as it is.
"""

import json
import subprocess
import sys
from pathlib import Path

import evdev
import pytest

from tests.support.waiting import wait_for
from tests.vm.inside.gpio_sim import SimulatedPins

UNIT = Path("/usr/lib/systemd/system/deskphone.service")
ADDED = UNIT.with_name("deskphone.service.d") / "identity.conf"
COPY = Path("/run/systemd/system/probe.service")
SAID = Path("/run/probe.out")
PROGRAM = Path(__file__).with_name("probe.py")
NOT_COPIED = ("ExecReload", "WatchdogSec", "Restart", "RuntimeDirectory")


@pytest.fixture(scope="module")
def found():
    """What the program could do."""
    modprobe("i2c-dev")
    modprobe("i2c-stub", "chip_addr=0x3c")
    modprobe("uinput")
    modprobe("evdev")
    codes = evdev.ecodes
    buttons = {codes.EV_KEY: [codes.KEY_PHONE], codes.EV_LED: [codes.LED_MUTE]}
    with SimulatedPins() as pins, evdev.UInput(buttons, name="handset") as handset:
        pins.pull(17, up=True)
        wait_for("the handset's device", lambda: handset.device is not None)
        yield run(str(pins.path), stub_bus(), handset.device.path)


def run(*arguments):
    """Run the program as the phone would run."""
    rows = []
    for row in (UNIT.read_text() + ADDED.read_text()).splitlines():
        key = row.partition("=")[0]
        if key == "ExecStart":
            rows.append(f"ExecStart={sys.executable} /usr/local/lib/probe.py {' '.join(arguments)}")
            rows.append(f"StandardOutput=file:{SAID}")
        elif key == "Type":
            rows.append("Type=exec")
        elif key not in NOT_COPIED:
            rows.append(row)
    # The sandbox hides where the tests lie.
    Path("/usr/local/lib/probe.py").write_bytes(PROGRAM.read_bytes())
    SAID.unlink(missing_ok=True)
    COPY.write_text("\n".join(rows) + "\n")
    try:
        systemctl("daemon-reload")
        systemctl("start", "probe")
        wait_for("its end", lambda: shown("ActiveState") in ("inactive", "failed"), 40)
        assert shown("Result") == "success", SAID.read_text()
        return json.loads(SAID.read_text())
    finally:
        COPY.unlink()


def systemctl(*words):
    subprocess.run(["systemctl", *words], check=True, timeout=60)


def shown(name):
    command = ["systemctl", "show", "-P", name, "probe"]
    return subprocess.check_output(command, text=True).strip()


def modprobe(*words):
    subprocess.run(["modprobe", *words], check=True)


def stub_bus():
    names = Path("/sys/class/i2c-dev").glob("*/name")
    return f"/dev/{next(each.parent.name for each in names if 'stub' in each.read_text())}"


def test_header_pins_can_be_read_and_driven(found):
    assert found["pins"] == [True, True]


def test_an_i2c_bus_can_be_talked_to(found):
    assert found["bus"] is True


def test_a_usb_handset_can_be_read_and_its_lights_lit(found):
    assert found["handset"] == ["handset", True]


def test_sound_can_be_opened(found):
    assert found["sound"] is True


def test_the_keys_of_a_call_can_be_agreed_on(found):
    assert found["callbacks"] is True


def test_the_configuration_can_be_rewritten(found):
    assert found["configuration"] is True


@pytest.mark.parametrize("what", ["system", "disk", "memory", "kernel log", "others"])
def test_nothing_else_can_be_reached(found, what):
    assert found[what] in ("EACCES", "ENOENT", "EPERM", "EROFS")
