"""Which factory, on which chip, and what is said where there is none."""

import errno
import importlib.util
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import gpiod
import pytest
from gpiozero.pins.local import LocalPiFactory

from hal.boards.loader import PIN_FACTORIES
from hal.errors import DeviceError
from hal.gpio.factories import FACTORIES, find_chip, open_factory
from hal.gpio.local import pi_revision
from tests.support.gpio.bench import stand_in
from tests.support.gpio.wires import Wires

HAS_LGPIO = importlib.util.find_spec("lgpio") is not None
NO_CHIP = not list(Path("/dev").glob("gpiochip*"))


def test_every_factory_that_a_board_may_name_is_there():
    assert set(FACTORIES) == set(PIN_FACTORIES)


DENIED = "Permission denied; is this user in the group gpio?"
LABELS = {"gpiochip0": "raspberrypi-exp-gpio", "gpiochip1": "pinctrl-bcm2711"}


class Chip:
    """A chip with a label, at a path."""

    opened: ClassVar[list] = []

    def __init__(self, path):
        name = path.rsplit("/", 1)[1]
        if name == "gpiochip2":
            raise PermissionError(13, "Permission denied")
        self.path, self.label, self.closed = path, LABELS[name], False
        Chip.opened.append(self)

    def get_info(self):
        return SimpleNamespace(label=self.label)

    def close(self):
        self.closed = True


@pytest.fixture
def dev(tmp_path, monkeypatch):
    for number in range(3):
        (tmp_path / f"gpiochip{number}").touch()
    monkeypatch.setattr(gpiod, "Chip", Chip)
    monkeypatch.setattr(Chip, "opened", [])
    return tmp_path


def test_the_chip_behind_the_header_is_found_by_its_label(dev):
    chip = find_chip("", dev)
    assert chip.path.endswith("gpiochip1")
    assert [one.closed for one in Chip.opened] == [True, False], "the others are left alone"


def test_a_chip_is_found_by_the_label_of_the_board_file(dev):
    assert find_chip("raspberrypi-exp-gpio", dev).path.endswith("gpiochip0")


def test_a_chip_is_found_by_its_path(dev):
    assert find_chip(f"{dev}/gpiochip0", dev).label == "raspberrypi-exp-gpio"
    with pytest.raises(DeviceError, match=re.escape(f"gpiochip2: {DENIED}")):
        find_chip(f"{dev}/gpiochip2", dev)


@pytest.mark.parametrize("path", ["/dev/null", __file__])
def test_a_file_of_another_kind_is_no_chip(path):
    with pytest.raises(DeviceError, match=r"this is no GPIO chip$"):
        find_chip(path)


def test_a_path_that_is_not_there_may_come_to_be(tmp_path):
    with pytest.raises(DeviceError, match=r"No such file or directory; when it is plugged in .*"):
        find_chip(f"{tmp_path}/gpiochip9")


def test_what_there_is_is_told_where_the_wanted_one_is_not(dev):
    with pytest.raises(DeviceError) as caught:
        find_chip("gpio-sim.0", dev)
    assert str(caught.value) == (
        f"no GPIO chip gpio-sim.0: {dev}/gpiochip0 is raspberrypi-exp-gpio;"
        f" {dev}/gpiochip1 is pinctrl-bcm2711; {dev}/gpiochip2: {DENIED};"
        " when it is plugged in and its driver loaded, it is found within half a minute"
    )
    assert all(chip.closed for chip in Chip.opened)


def test_another_chip_that_goes_while_one_looks_keeps_nobody_from_his_own(dev, monkeypatch):
    def label(chip):
        if chip.path.endswith("gpiochip0"):
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return SimpleNamespace(label=chip.label)

    monkeypatch.setattr(Chip, "get_info", label)
    assert find_chip("", dev).path.endswith("gpiochip1")
    assert [one.closed for one in Chip.opened] == [True, False]
    with pytest.raises(DeviceError, match=r"gpiochip0: this is no GPIO chip; .*gpiochip1 is"):
        find_chip("gpio-sim.0", dev)


def test_a_machine_without_any_chip_says_so(tmp_path):
    with pytest.raises(DeviceError, match=r"there is no .*/gpiochip"):
        find_chip("", tmp_path)


def test_an_old_libgpiod_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gpiod", SimpleNamespace(Chip=None))
    monkeypatch.delitem(sys.modules, "hal.gpio.gpiod_factory", raising=False)
    with pytest.raises(DeviceError, match="libgpiod 2 is needed, this machine has 1"):
        open_factory("gpiod")


def test_a_library_that_cannot_be_loaded_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "RPi", None)
    monkeypatch.delitem(sys.modules, "hal.gpio.rpigpio_factory", raising=False)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.rpigpio", raising=False)
    with pytest.raises(DeviceError, match=r"^rpigpio: .*RPi"):
        open_factory("rpigpio")


def test_rpi_gpio_off_a_pi_is_refused_in_its_own_words(monkeypatch, tmp_path):
    """The real one raises a RuntimeError while it is imported."""
    (tmp_path / "RPi").mkdir()
    (tmp_path / "RPi/__init__.py").touch()
    words = "This module can only be run on a Raspberry Pi!"
    (tmp_path / "RPi/GPIO.py").write_text(f"raise RuntimeError({words!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("RPi", "RPi.GPIO", "hal.gpio.rpigpio_factory", "gpiozero.pins.rpigpio"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(DeviceError, match=re.escape(f"rpigpio: {words}")):
        open_factory("rpigpio")
    sys.modules.pop("RPi", None)


if HAS_LGPIO and NO_CHIP:

    def test_the_real_lgpio_says_that_there_is_no_chip_and_leaves_no_file(tmp_path, monkeypatch):
        """It makes a pipe in the working directory when it is imported."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DeviceError, match=r"^lgpio: can not open gpiochip$"):
            open_factory("lgpio")
        assert list(tmp_path.iterdir()) == []
        assert Path.cwd() == tmp_path


def test_lgpio_takes_a_number(monkeypatch):
    endings = []
    stand_in("lgpio", Wires(), monkeypatch, endings)
    factory, _ = open_factory("lgpio", "/dev/gpiochip3")
    assert factory.chip == 3
    factory.close()
    with pytest.raises(DeviceError, match=r"'gpio-sim\.0'; lgpio takes /dev/gpiochip0"):
        open_factory("lgpio", "gpio-sim.0")
    for end in endings:
        end()


@pytest.mark.parametrize("name", ["lgpio", "rpigpio", "mock"])
def test_no_factory_shares_its_pins_with_the_rest_of_the_process(name, monkeypatch):
    endings = []
    if name != "mock":
        stand_in(name, Wires(), monkeypatch, endings)
    factory, _ = open_factory(name)
    assert factory.pins is not LocalPiFactory.pins
    assert factory._reservations is not LocalPiFactory._reservations
    factory.close()
    for end in endings:
        end()


def test_off_a_pi_the_header_is_that_of_a_pi_4(monkeypatch):
    monkeypatch.setattr("hal.gpio.local.get_pi_revision", lambda: 0x902120)
    assert pi_revision() == 0x902120
    monkeypatch.undo()
    if not Path("/proc/device-tree/system/linux,revision").exists():
        assert pi_revision() == 0xC03115
