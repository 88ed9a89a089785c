"""What a board file says: which parts a board has and where each is connected. Pure data.

Pins are BCM numbers. Nothing is opened here; `hal.boards` reads files into these types and makes
devices of them.
"""

import enum
from dataclasses import dataclass, field

from hal.board import CardSpec
from hal.keys import Key
from hal.mixer_table import Mixers

SOFTWARE = "software"
"""Who makes the tone of a buzzer, unless the board file names another: a thread of ours."""


class Contact(enum.Enum):
    """What a switch to ground does in the state that names it; auto = found out at start."""

    OPEN = "open"
    CLOSED = "closed"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """The virtual phone in place of hardware; `size` None = no screen."""

    keys: tuple[Key, ...]
    size: tuple[int, int] | None
    lamps: tuple[str, ...]
    bell: bool
    hook: bool


@dataclass(frozen=True, slots=True)
class KeypadSpec:
    """A matrix: `keys[row][column]`, None = no key at this crossing."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    keys: tuple[tuple[Key | None, ...], ...]
    lockout_ms: int


@dataclass(frozen=True, slots=True)
class HookSpec:
    """A cradle switch; `lifted` is the contact when the handset is off. `flash_max_ms` 0 = off."""

    pin: int
    lifted: Contact
    lockout_ms: int
    flash_max_ms: int


@dataclass(frozen=True, slots=True)
class RotarySpec:
    """A dial: `pulse` opens once a pulse, `off_normal` closes while the dial turns (None = absent).

    `order` gives the digit of one pulse, two pulses … ten.
    """

    pulse: int
    off_normal: int | None
    order: str


@dataclass(frozen=True, slots=True)
class DisplaySpec:
    """A screen by luma.oled's chip name; `address` counts for I²C, the other pins for SPI.

    `size` is the panel's own; `rotate` turns the picture clockwise by quarters; `contrast` is 0 to
    255.
    """

    chip: str
    size: tuple[int, int]
    bus: str
    port: int
    address: int
    device: int
    data_command: int | None
    reset: int | None
    rotate: int
    contrast: int = 127


@dataclass(frozen=True, slots=True)
class LampSpec:
    """One lamp on one pin; below 100 % brightness it is pulsed."""

    pin: int
    active_low: bool
    brightness: int = 100


@dataclass(frozen=True, slots=True)
class RingerSpec:
    """A `buzzer` on one pin, or a two-coil `bell` on two, driven at `hertz`.

    `pwm` is who makes a buzzer's tone: a thread (`software`), the processor by its own pin
    (`hardware`), or a channel of a controller (`pwmchip2/1`).
    """

    kind: str
    pins: tuple[int, ...]
    hertz: int
    pwm: str = SOFTWARE


@dataclass(frozen=True, slots=True)
class HeadsetSpec:
    """The switch in a headset socket."""

    pin: int
    plugged: Contact


@dataclass(frozen=True, slots=True)
class SerialSpec:
    """A front panel of its own behind a serial port; `letters` are columns and rows of a display.

    A display has pixels (`size`) or letters, not both.
    """

    port: str
    speed: int
    size: tuple[int, int] | None
    lamps: tuple[str, ...]
    bell: bool = False
    flash_max_ms: int = 500
    letters: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class UsbSpec:
    """An input device known by USB ids, name or path, each with wildcards; evdev names become keys.

    0 or empty = not asked; if nothing is, any device that has all its dial keys, or its hook.
    `hook` is the name of the cradle switch, of evdev (`KEY_PHONE`) or of `hal.evdev.hid`
    (`HID_HOOK`), empty if there is none; `lifted` is that contact with the handset off (closed =
    the key is down). `lamps` are such names by the lamp's; `grab` keeps the keys from the console.
    """

    vendor: int
    product: int
    keys: tuple[tuple[str, Key], ...]
    hook: str
    name: str = ""
    phys: str = ""
    lifted: Contact = Contact.CLOSED
    flash_max_ms: int = 500
    lamps: tuple[tuple[str, str], ...] = ()
    grab: bool = True


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """A whole board file; a part that is None or empty does not exist. `file` is its path.

    `gpio_chip` is the label or path of the chip with the pins; empty = that of the header.
    """

    name: str
    title: str
    file: str
    pin_factory: str = "gpiod"
    gpio_chip: str = ""
    panel: PanelSpec | None = None
    keypad: KeypadSpec | None = None
    buttons: tuple[tuple[Key, int], ...] = ()
    hook: HookSpec | None = None
    rotary: RotarySpec | None = None
    display: DisplaySpec | None = None
    lamps: tuple[tuple[str, LampSpec], ...] = ()
    ringer: RingerSpec | None = None
    headset: HeadsetSpec | None = None
    serial: SerialSpec | None = None
    usb: UsbSpec | None = None
    cards: dict[str, CardSpec] = field(default_factory=dict)
    mixers: Mixers = field(default_factory=dict)

    @property
    def has_hook(self) -> bool:
        """Whether a handset can be lifted."""
        by_usb = self.usb is not None and bool(self.usb.hook)
        by_panel = self.panel is not None and self.panel.hook
        return self.hook is not None or by_usb or by_panel or self.serial is not None

    @property
    def rings(self) -> bool:
        """Whether there is anything that a call is heard from."""
        bells = (
            self.ringer is not None,
            self.serial is not None and self.serial.bell,
            self.panel is not None and self.panel.bell,
        )
        return any(bells) or not {"ringer", "speaker"}.isdisjoint(self.cards)

    @property
    def guesses_hook(self) -> bool:
        """Whether the handset is believed to lie on its cradle at the start, wherever it is."""
        return self.hook is not None and self.hook.lifted is Contact.AUTO

    @property
    def keys(self) -> frozenset[Key]:
        """Every key that a person can press on this board; a serial panel's are not known here."""
        found = {key for key, _ in self.buttons}
        if self.panel is not None:
            found.update(self.panel.keys)
        if self.keypad is not None:
            found.update(key for row in self.keypad.keys for key in row if key is not None)
        if self.usb is not None:
            found.update(key for _, key in self.usb.keys)
        if self.rotary is not None:
            found.update(key for key in Key if key.digit and key.digit.isdigit())
        return frozenset(found)
