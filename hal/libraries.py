"""The Python modules that adapters stand on, and the commands that bring each. Pure.

Both ways are named, because a phone in a virtual environment, as docs/building.md makes one, does
not see what apt installs.
"""

from dataclasses import dataclass


def both_ways(debian: str, pip: str) -> str:
    """The command that brings a library to the system, and that for a virtual environment."""
    return f"apt install {debian}; in a venv pip install {pip}"


@dataclass(frozen=True, slots=True)
class Library:
    """A Python module, the Debian package that has it (empty: none), and its name for pip."""

    module: str
    debian: str
    pip: str

    @property
    def install(self) -> str:
        """The command, or both of them."""
        return both_ways(self.debian, self.pip) if self.debian else f"pip install {self.pip}"

    @property
    def lacks(self) -> str:
        """That it is missing, as a clause."""
        return f"{self.module} is missing ({self.install})"


GPIO = Library("gpiozero", "python3-gpiozero", "gpiozero")
PIN_LIBRARIES = {
    "gpiod": Library("gpiod", "python3-libgpiod", "gpiod"),
    "lgpio": Library("lgpio", "", "lgpio"),
    "rpigpio": Library("RPi", "python3-rpi.gpio", "RPi.GPIO"),
}
OLED = Library("luma", "python3-luma.oled", "luma.oled")
SPI = Library("spidev", "python3-spidev", "spidev")
SERIAL = Library("serial", "python3-serial", "pyserial")
EVDEV = Library("evdev", "python3-evdev", "evdev")


def lacks(module: str | None, usual: Library) -> str:
    """That the module an import asked for is missing; one that is not known here by its name."""
    known = {library.module: library for library in (OLED, SPI, SERIAL, EVDEV, GPIO)}
    top = (module or usual.module).partition(".")[0]
    return known[top].lacks if top in known else f"{top} is missing ({usual.install})"
