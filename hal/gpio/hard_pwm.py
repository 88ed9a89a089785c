"""A buzzer on the processor's own PWM: a clean tone that costs nothing (/sys/class/pwm).

An overlay of the kernel's connects a controller with a pin; here a channel of it is exported, given
its period and switched on and off. Whatever is on stays on when a program dies, so a channel that
is taken is silenced first: a phone that was killed while it rang is silent when it is back. One
that does not come back is silenced by systemd, as deskphone.service has it: a link in the folder of
this run leads to our channel.

The rules are the kernel's ("Pulse Width Modulation interface", the section on sysfs): nanoseconds;
a period before anything else; what is on is never longer than the period.
"""

import contextlib
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from hal.errors import DeviceError, DeviceGoneError
from hal.gpio.left_behind import own_file
from hal.header import PWM_OVERLAY

FOLDER = Path("/sys/class/pwm")
HARDWARE = "hardware"
_BY_PIN: dict[str, dict[int, int]] = {
    "20c000.pwm": {12: 0, 13: 1, 18: 0, 19: 1},
    "98000.pwm": {12: 0, 13: 1, 18: 2, 19: 3},
}
"""The ends of the names of controllers whose tone comes out at the header (Pi 1 to 4; Pi 5), and
the channel of each pin. The sound of a headphone socket is made by another one."""
LINK = "buzzer"
"""The name of the link to the channel that is ours; that of deskphone.service, too."""
_PATIENCE = 1.0
"""Seconds that udev has to give a new channel to its group."""
_LOOK = 0.02
_WRITTEN = ("period", "duty_cycle", "enable")
_SECOND = 1_000_000_000
_sleep = time.sleep  # noqa: TID251 - until another program has done its part


class HardPwm:
    """One channel, on for `part` (0 to 1) of each of `hertz` periods a second when it sounds."""

    def __init__(self, channel: Path, hertz: int, part: float, link: Path | None = None) -> None:
        """Take an exported channel and silence it; `link` is to lead to it as long as we have it.

        Raises:
            hal.errors.DeviceGoneError: it cannot be set.
        """
        self._channel, self._link = channel, link
        self._on = round(_SECOND / hertz * part)
        try:
            used = int((channel / "period").read_text())
        except (OSError, ValueError):
            used = 0
        if used:
            self.sound(on=False)
        self._set("period", round(_SECOND / hertz))
        if link is not None:
            _point(link, channel)

    def sound(self, *, on: bool) -> None:
        """Give it its frequency, or nothing.

        Raises:
            hal.errors.DeviceGoneError: the controller is gone.
        """
        # Some controllers leave the pin as it was when they are switched off: so low comes first.
        self._set("duty_cycle", self._on if on else 0)
        self._set("enable", int(on))

    def close(self) -> None:
        """Silence it and give it back; one that is gone has nothing to give back."""
        number = self._channel.name.removeprefix("pwm")
        try:
            self.sound(on=False)
            write(self._channel.parent / "unexport", number)
        except (DeviceGoneError, OSError):
            return
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _set(self, what: str, value: int) -> None:
        try:
            write(self._channel / what, str(value))
        except OSError as error:
            raise DeviceGoneError(f"its PWM does not answer: {error.strerror}") from error


def _point(link: Path, channel: Path) -> None:
    """Without it the phone rings as well."""
    with contextlib.suppress(OSError):
        link.unlink(missing_ok=True)
        link.symlink_to(channel)


def write(file: Path, text: str) -> None:
    """Tell the kernel something."""
    file.write_text(text)


def open_hard_pwm(
    pin: int,
    where: str,
    hertz: int,
    part: float,
    folder: Path = FOLDER,
    sleep: Callable[[float], None] = _sleep,
) -> HardPwm:
    """The channel behind a pin of the header (`hardware`), or another by name (`pwmchip2/1`).

    Raises:
        hal.errors.DeviceError: there is none, another program has it, or we may not.
    """
    chip, number = _of_pin(pin, folder) if where == HARDWARE else _named(where, folder)
    channel = chip / f"pwm{number}"
    try:
        if not channel.exists():
            write(chip / "export", str(number))
        _wait_for_udev(channel, sleep)
    except OSError as error:
        raise DeviceError(_why(error, chip, number)) from error
    return HardPwm(channel, hertz, part, own_file(LINK))


def _of_pin(pin: int, folder: Path) -> tuple[Path, int]:
    seen = []
    for chip in sorted(folder.glob("pwmchip*")):
        name = (chip / "device").resolve().name
        for end, channels in _BY_PIN.items():
            if name.endswith(end) and pin in channels:
                return chip, channels[pin]
        seen.append(f"{chip.name} is {name}")
    overlay = f"; is dtoverlay={PWM_OVERLAY[pin]} in config.txt?" if pin in PWM_OVERLAY else ""
    there = "; ".join(seen) or f"{folder} is empty"
    raise DeviceError(f"there is no hardware PWM at GPIO {pin}: {there}{overlay}")


def _named(where: str, folder: Path) -> tuple[Path, int]:
    chip, _, number = where.partition("/")
    if not (folder / chip).is_dir():
        raise DeviceError(f"there is no {chip} in {folder}")
    return folder / chip, int(number)


def _wait_for_udev(channel: Path, sleep: Callable[[float], None]) -> None:
    for _ in range(round(_PATIENCE / _LOOK)):
        if all(os.access(channel / name, os.W_OK) for name in _WRITTEN):
            return
        sleep(_LOOK)
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(channel))


def _why(error: OSError, chip: Path, number: int) -> str:
    match error.errno:
        case errno.EBUSY:
            return f"another program has channel {number} of {chip.name}"
        case errno.ENODEV:
            return f"{chip.name} has no channel {number}"
        case errno.EACCES | errno.EPERM:
            return f"no permission for {error.filename}; is this user in the group gpio?"
        case errno.EROFS:
            return f"{error.filename} may not be written; ReadWritePaths of the unit must name it"
        case _:
            return f"{chip.name}, channel {number}: {error.strerror}"
