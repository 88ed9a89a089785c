"""The processor's PWM on files that refuse what the kernel refuses."""

import errno
import os
from functools import partial

import pytest

from hal.errors import DeviceError, DeviceGoneError
from hal.events import DeviceFailed
from hal.gpio import hard_pwm
from hal.gpio.hard_pwm import open_hard_pwm
from tests.support.gpio.bench import Workbench
from tests.support.gpio.mock_pins import WiredFactory
from tests.support.gpio.wires import Wires


class Kernel:
    """/sys/class/pwm with some controllers; `taken` are channels that somebody else has."""

    def __init__(self, folder, **chips):
        self.folder, self.taken, self.gone, self.log = folder / "class", set(), False, []
        for chip, device in chips.items():
            (folder / device).mkdir()
            (self.folder / chip).mkdir(parents=True)
            (self.folder / chip / "device").symlink_to(folder / device)
        self.folder.mkdir(exist_ok=True)

    def write(self, file, text):
        """What the kernel does with it (drivers/pwm: a state without a period is no state)."""
        if self.gone:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if file.name == "export":
            self.export(file.parent, text)
            return
        if file.name == "unexport":
            for each in (file.parent / f"pwm{text}").iterdir():
                each.unlink()
            (file.parent / f"pwm{text}").rmdir()
            return
        state = self.state(file.parent) | {file.name: int(text)}
        if not state["period"] or state["duty_cycle"] > state["period"]:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        file.write_text(text)
        self.log.append((file.name, int(text)))

    def export(self, chip, number):
        if (chip.name, number) in self.taken:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if int(number) > 3:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        self.make(chip.name, number)

    def make(self, chip, number, **state):
        """A channel that is exported."""
        channel = self.folder / chip / f"pwm{number}"
        channel.mkdir()
        for name in ("period", "duty_cycle", "enable"):
            (channel / name).write_text(str(state.get(name, 0)))

    @staticmethod
    def state(channel):
        return {
            name: int((channel / name).read_text()) for name in ("period", "duty_cycle", "enable")
        }

    def shown(self, chip, number):
        """Hertz, part that is on, and whether it sounds."""
        state = self.state(self.folder / chip / f"pwm{number}")
        part = round(state["duty_cycle"] / state["period"], 3)
        return round(1e9 / state["period"]), part, state["enable"]


PI_4 = {"pwmchip0": "fe20c800.pwm", "pwmchip1": "fe20c000.pwm"}
"""The headphone socket's, and the header's."""
PI_5 = {"pwmchip0": "1f0009c000.pwm", "pwmchip2": "1f00098000.pwm"}
PI_3 = {"pwmchip0": "3f20c000.pwm"}


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes the kernel of a machine."""

    def machine(**chips):
        kernel = Kernel(tmp_path, **chips)
        monkeypatch.setattr(hard_pwm, "write", kernel.write)
        return kernel

    return machine


def no_waiting(_seconds):
    raise AssertionError("root may write at once")


def take(kernel, pin=18, where="hardware", hertz=440, sleep=no_waiting):
    return open_hard_pwm(pin, where, hertz, 0.5, kernel.folder, sleep)


@pytest.mark.parametrize(
    ("machine", "pin", "chip", "channel"),
    [
        (PI_3, 12, "pwmchip0", 0),
        (PI_3, 13, "pwmchip0", 1),
        (PI_4, 18, "pwmchip1", 0),
        (PI_4, 19, "pwmchip1", 1),
        (PI_5, 12, "pwmchip2", 0),
        (PI_5, 18, "pwmchip2", 2),
        (PI_5, 19, "pwmchip2", 3),
    ],
)
def test_the_tone_comes_out_at_the_pin_of_each_pi(make, machine, pin, chip, channel):
    kernel = make(**machine)
    tone = take(kernel, pin)
    assert kernel.shown(chip, channel) == (440, 0, 0)
    tone.sound(on=True)
    assert kernel.shown(chip, channel) == (440, 0.5, 1)
    tone.sound(on=False)
    assert kernel.shown(chip, channel) == (440, 0, 0)


def test_it_is_low_before_it_is_switched_off(make):
    kernel = make(**PI_3)
    tone = take(kernel)
    tone.sound(on=True)
    kernel.log.clear()
    tone.sound(on=False)
    assert kernel.log == [("duty_cycle", 0), ("enable", 0)]


def test_a_channel_of_another_controller_is_taken_by_name(make):
    kernel = make(**PI_4)
    take(kernel, 5, "pwmchip0/1", 1000).sound(on=True)
    assert kernel.shown("pwmchip0", 1) == (1000, 0.5, 1)


@pytest.mark.parametrize("left", [100, 5_000_000])
def test_a_phone_that_was_killed_while_it_rang_is_silent_when_it_is_back(make, left):
    """Its channel is still there, and sounds; whatever its period was."""
    kernel = make(**PI_3)
    kernel.make("pwmchip0", 0, period=left, duty_cycle=left // 2, enable=1)
    tone = take(kernel)
    assert kernel.shown("pwmchip0", 0) == (440, 0, 0)
    tone.sound(on=True)
    assert kernel.shown("pwmchip0", 0) == (440, 0.5, 1)


def test_closing_silences_it_and_gives_it_back(make):
    kernel = make(**PI_3)
    tone = take(kernel)
    tone.sound(on=True)
    tone.close()
    assert kernel.log[-2:] == [("duty_cycle", 0), ("enable", 0)]
    assert not (kernel.folder / "pwmchip0/pwm0").exists()
    kernel.gone = True
    tone.close()


def test_what_is_ours_is_linked_as_long_as_it_is_ours(make, tmp_path, monkeypatch):
    """So systemd silences our channel after our death, and not the fan of somebody else."""
    kernel, link = make(**PI_3), tmp_path / "buzzer"
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/run/other")
    link.symlink_to("what/was/left")
    tone = take(kernel)
    assert link.readlink() == kernel.folder / "pwmchip0/pwm0"
    tone.close()
    assert not link.is_symlink()


def test_a_folder_that_takes_no_link_silences_nobody(make, tmp_path, monkeypatch):
    kernel = make(**PI_3)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "not/there"))
    take(kernel).sound(on=True)
    assert kernel.shown("pwmchip0", 0) == (440, 0.5, 1)


def test_f41_a_controller_that_is_gone_is_told(make):
    kernel = make(**PI_3)
    tone = take(kernel)
    kernel.gone = True
    with pytest.raises(DeviceGoneError, match=r"^its PWM does not answer: No such device$"):
        tone.sound(on=True)
    tone.close()


def refused(kernel, **wanted):
    with pytest.raises(DeviceError) as caught:
        take(kernel, **wanted)
    return str(caught.value)


def test_f34_without_the_overlay_its_line_is_told(make, tmp_path):
    kernel = make()
    assert refused(kernel, pin=18) == (
        f"there is no hardware PWM at GPIO 18: {kernel.folder} is empty;"
        " is dtoverlay=pwm,pin=18,func=2 in config.txt?"
    )
    assert refused(kernel, where="pwmchip7/0") == f"there is no pwmchip7 in {kernel.folder}"


def test_f34_the_socket_of_headphones_is_no_buzzer(make):
    kernel = make(pwmchip0="fe20c800.pwm")
    assert "GPIO 13: pwmchip0 is fe20c800.pwm; is dtoverlay=pwm,pin=13" in refused(kernel, pin=13)


def test_f34_a_channel_that_another_program_has_is_told(make):
    kernel = make(**PI_3)
    kernel.taken.add(("pwmchip0", "0"))
    assert refused(kernel) == "another program has channel 0 of pwmchip0"
    assert refused(kernel, where="pwmchip0/9") == "pwmchip0 has no channel 9"


def test_udev_has_a_moment_to_give_the_channel_to_its_group(make, monkeypatch):
    kernel, waits = make(**PI_3), []
    monkeypatch.setattr(hard_pwm.os, "access", lambda *_: len(waits) > 5)
    take(kernel, sleep=waits.append)
    assert 0 < sum(waits) <= 1
    waits.clear()
    monkeypatch.setattr(hard_pwm.os, "access", lambda *_: False)
    said = refused(kernel, sleep=waits.append)
    assert sum(waits) == pytest.approx(1)
    assert said == (
        f"no permission for {kernel.folder / 'pwmchip0/pwm0'}; is this user in the group gpio?"
    )


BUZZER = '[ringer]\nkind = "buzzer"\npins = [18]\npwm = "hardware"\n'


@pytest.fixture
def ring(tmp_path):
    """Opens a phone with a buzzer."""
    opened = []

    def run(kernel):
        wires = Wires()
        bench = Workbench(
            tmp_path / "buzzer.toml",
            lambda *_: (WiredFactory(wires), ()),
            wires,
            BUZZER,
            pwm=partial(open_hard_pwm, folder=kernel.folder, sleep=no_waiting),
        )
        opened.append(bench)
        return bench

    yield run
    for bench in opened:
        bench.close()


def test_a_buzzer_rings_by_the_processor_in_its_cadence_and_its_pin_is_left_alone(make, ring):
    kernel = make(**PI_3)
    bench = ring(kernel)
    bench.parts.ringer.ring((0.05, 0.05))
    bench.until(lambda: kernel.log.count(("enable", 1)) > 1)
    bench.parts.ringer.silence()
    bench.until(lambda: kernel.log[-1] == ("enable", 0))
    assert bench.wires.lines[18].edges == 0
    assert not bench.wires.lines[18].output
    bench.parts.ringer.ring((1.0,))
    bench.until(lambda: kernel.log[-1] == ("enable", 1))
    bench.close()
    assert kernel.log[-1] == ("enable", 0)


def test_f34_without_it_a_thread_buzzes_and_that_is_told(make, ring):
    bench = ring(make())
    (event,) = bench.heard(0.01)
    assert isinstance(event, DeviceFailed)
    assert event.device == "buzzer"
    assert event.reason.startswith("there is no hardware PWM at GPIO 18: ")
    assert event.reason.endswith("; a thread buzzes in its place")
    bench.parts.ringer.ring((1.0,))
    bench.until(lambda: bench.pulses(18))
    bench.parts.ringer.silence()
    bench.until(lambda: not bench.pulses(18))
