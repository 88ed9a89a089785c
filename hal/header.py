"""The 40-pin header of a Raspberry Pi: the pins of each bus, and those that a PWM can drive.

Pure data, by BCM number; from the Raspberry Pi documentation ("GPIO and the 40-pin header", the
overlays' README) and the peripherals' data sheets (BCM2711 section 5.3, RP1 section 3.1).
"""

Lines = tuple[tuple[int, str], ...]
"""Pins, and what each of them is to a bus."""

BUS_PINS: dict[str, Lines] = {
    "i2c": ((2, "I²C data"), (3, "I²C clock")),
    "spi": ((9, "SPI in"), (10, "SPI out"), (11, "SPI clock")),
    "i2s": ((18, "I²S clock"), (19, "I²S frame"), (20, "I²S in"), (21, "I²S out")),
    "uart": ((14, "serial out"), (15, "serial in")),
}
USUAL_PORT = {"i2c": 1, "spi": 0}
"""The number that the kernel gives to those two."""
_OTHER_PORTS: dict[tuple[str, int], Lines] = {
    ("i2c", 0): ((0, "I²C 0 data"), (1, "I²C 0 clock")),
    ("spi", 1): ((19, "SPI 1 in"), (20, "SPI 1 out"), (21, "SPI 1 clock")),
}
SELECT_PINS: dict[int, tuple[int, ...]] = {0: (8, 7), 1: (18, 17, 16)}
"""By number of the SPI bus: the chip selects of its devices 0, 1 …"""
SERIAL_PORTS = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0", "/dev/ttyS1")
"""What the port of the header is called, by Raspberry Pi OS and by Debian."""
PWM_OVERLAY: dict[int, str] = {
    12: "pwm,pin=12,func=4",
    13: "pwm,pin=13,func=4",
    18: "pwm,pin=18,func=2",
    19: "pwm,pin=19,func=2",
}
"""Where the header's PWM comes out, and the overlay that connects it."""


def bus_lines(bus: str, port: int) -> Lines:
    """What the bus of this number takes; an overlay may put those beyond these anywhere."""
    if port == USUAL_PORT.get(bus, port):
        return BUS_PINS[bus]
    return _OTHER_PORTS.get((bus, port), ())


def select_lines(port: int, device: int) -> Lines:
    """The chip selects that an SPI device takes: the kernel has those before it, too."""
    pins = SELECT_PINS.get(port, ())
    return tuple((pin, f"SPI select {place}") for place, pin in enumerate(pins[: device + 1]))
