"""The Python modules that adapters stand on, and the command that brings each. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Library:
    """A Python module and the command that brings it."""

    module: str
    install: str

    @property
    def lacks(self) -> str:
        """That it is missing, as a clause."""
        return f"{self.module} is missing ({self.install})"


GPIO = Library("gpiozero", "apt install python3-gpiozero")
PIN_LIBRARIES = {
    "gpiod": Library("gpiod", "apt install python3-libgpiod"),
    "lgpio": Library("lgpio", "pip install lgpio"),
    "rpigpio": Library("RPi", "apt install python3-rpi.gpio"),
}
OLED = Library("luma", "apt install python3-luma.oled")
SPI = Library("spidev", "apt install python3-spidev")
SERIAL = Library("serial", "apt install python3-serial")
EVDEV = Library("evdev", "apt install python3-evdev")


def lacks(module: str | None, usual: Library) -> str:
    """That the module an import asked for is missing; one that is not known here by its name."""
    known = {library.module: library for library in (OLED, SPI, SERIAL, EVDEV, GPIO)}
    top = (module or usual.module).partition(".")[0]
    return known[top].lacks if top in known else f"{top} is missing ({usual.install})"
