"""A USB handset or keypad: its thread reads the events, lights its lamps, and waits for its return.

While it is plugged in nothing polls. While it is not, the folder of devices is looked at every two
seconds, so that it works again a moment after it is back, whatever the last try was.
"""

import math
import time
from collections.abc import Callable

from hal.board_spec import Contact, UsbSpec
from hal.device_thread import DeviceThread
from hal.errors import DeviceError, DeviceGoneError
from hal.evdev.devices import Codes, find, signature, young
from hal.evdev.evdev_library import Evdev, library
from hal.evdev.hid import USAGES
from hal.evdev.reading import EV_HID, Code, Reading
from hal.evdev.sources import Source
from hal.events import Event
from hal.health import Health
from hal.ports import LampPattern, Post
from hal.rhythm import BLINKING, phase

DEVICE = "USB handset"
STEADY: dict[Code, tuple[LampPattern, ...]] = {
    (EV_HID, USAGES["HID_RING"]): (
        LampPattern.ON,
        LampPattern.SLOW_BLINK,
        LampPattern.FAST_BLINK,
    ),
    (EV_HID, USAGES["HID_OFF_HOOK"]): (LampPattern.ON, LampPattern.SLOW_BLINK),
}
"""What is no lamp, and the patterns that switch it on: a bell of its own, which would stutter, and
that a call is up, which a line that rings (it blinks fast) is not."""
_LOOK_EVERY = 2.0
_SETTLING = 0.5
"""Seconds that the devices of a handset need to appear, and udev to give them to their group."""


class UsbHandset:
    """An `InputPort`, and its `lamps` if the board names any."""

    def __init__(
        self,
        spec: UsbSpec,
        health: Callable[[Post], Health],
        load: Callable[[], Evdev] = library,
        clock: Callable[[], float] = time.monotonic,
        look_every: float = _LOOK_EVERY,
    ) -> None:
        self._spec = spec
        self._health_of = health
        self._load = load
        self._clock = clock
        self._look_every = look_every
        self._reading: Reading | None = None
        self._thread = DeviceThread("usb handset", self._serve, self._rest)
        self.lamps = UsbLamps(tuple(name for name, _ in spec.lamps), self._thread.wake)

    def start(self, post: Post) -> None:
        self._thread.start(post, self._health_of(post))

    def close(self) -> None:
        self._thread.close()

    # The thread

    def _rest(self, _post: Post, seconds: float) -> None:
        """Until the next try, or until the devices are others than now."""
        before, until = signature(), self._clock() + seconds
        while self._clock() < until and not self._thread.pause(min(self._look_every, seconds)):
            if signature() != before:
                self._thread.pause(_SETTLING)
                return

    def _found(self, codes: Codes) -> list[Source]:
        """Its devices, which come one after the other: one that is late would never be found."""
        if young(_SETTLING):
            self._thread.pause(_SETTLING)
        return find(self._spec, codes)

    def _serve(self, post: Post, health: Health) -> None:
        """Read until the phone is done with it.

        Raises:
            hal.errors.DeviceError: it is not there, cannot be used, or was unplugged.
        """
        codes = Codes(self._spec, self._load)
        sources = self._found(codes)
        if self._reading is None:
            self._reading = _reading(self._spec, codes)
        # Kept from then on: where the handset is does not change by its cable being pulled.
        reading = self._reading
        reading.offer({code for source in sources for code in source.codes})
        try:
            if self._spec.grab:
                _grab(sources)
            session = _Session(sources, reading, codes.lamps, self.lamps, post, self._clock)
            session.begin()
            health.works()
            while not self._thread.closing:
                session.turn(self._thread)
            session.darken()
        except OSError as error:
            if isinstance(error, DeviceError):
                raise
            raise DeviceGoneError("it was unplugged") from error
        finally:
            for source in sources:
                source.close()
            for event in reading.gone(self._clock()):
                post(event)


def _reading(spec: UsbSpec, codes: Codes) -> Reading:
    lifted = spec.lifted is not Contact.OPEN
    return Reading(codes.keys, codes.hook, lifted=lifted, flash_max=spec.flash_max_ms / 1000)


def _grab(sources: list[Source]) -> None:
    for source in sources:
        source.grab()


class UsbLamps:
    """A `LampPort`: what is wanted; the handset's thread lights them."""

    def __init__(self, names: tuple[str, ...], wake: Callable[[], None]) -> None:
        self._wake = wake
        self._since = dict.fromkeys(names, (LampPattern.OFF, 0.0))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._since)

    def set(self, lamp: str, pattern: LampPattern) -> None:
        if lamp in self._since and self._since[lamp][0] is not pattern:
            self._since[lamp] = (pattern, time.monotonic())
            self._wake()

    def close(self) -> None:
        for lamp in self.names:
            self.set(lamp, LampPattern.OFF)

    def at(self, lamp: str, code: Code, now: float) -> tuple[bool, float]:
        """Whether it is lit now, and for how long it stays so."""
        pattern, since = self._since[lamp]
        if code in STEADY:
            return pattern in STEADY[code], math.inf
        return phase(BLINKING[pattern], max(now - since, 0.0))


class _Session:
    """One stay of the handset at its socket."""

    def __init__(
        self,
        sources: list[Source],
        reading: Reading,
        leds: dict[str, Code],
        lamps: UsbLamps,
        post: Post,
        clock: Callable[[], float],
    ) -> None:
        self._sources = {source.fileno(): source for source in sources}
        self._reading = reading
        self._leds = leds
        self._lamps = lamps
        self._post = post
        self._clock = clock

    def begin(self) -> None:
        """Where the handset is; keys that are down are not pressed."""
        self._settle(self._clock())

    def turn(self, thread: DeviceThread) -> None:
        """One thing that happens."""
        wait = self._wait_at(self._clock())
        ready = thread.wait(self._sources, wait)
        now = self._clock()
        for descriptor, source in self._sources.items():
            if descriptor in ready:
                self._read(source, now)
        self._tell(self._reading.expire(now))

    def _read(self, source: Source, now: float) -> None:
        for event in source.read():
            if event is None:
                self._settle(now)
            else:
                self._tell(self._reading.take(*event, now))

    def darken(self) -> None:
        """Every lamp off."""
        self._light(dict.fromkeys(self._leds.values(), False))

    def _wait_at(self, now: float) -> float | None:
        """Light what is due; seconds until the next lamp or key is."""
        waits = [] if self._reading.deadline is None else [max(self._reading.deadline - now, 0.0)]
        shines = {code: self._lamps.at(lamp, code, now) for lamp, code in self._leds.items()}
        self._light({code: lit for code, (lit, _) in shines.items()})
        waits += [stays for _, stays in shines.values() if stays != math.inf]
        return min(waits, default=None)

    def _light(self, lamps: dict[Code, bool]) -> None:
        if lamps:
            for source in self._sources.values():
                source.light(lamps)

    def _settle(self, now: float) -> None:
        """Believe what the devices say they are now."""
        on: set[Code] = set()
        unknown: set[Code] = set()
        for source in self._sources.values():
            mine, doubtful = source.state()
            on |= mine
            unknown |= doubtful
        self._tell(self._reading.settle(on, now, unknown - on))

    def _tell(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._post(event)


def open_handset(spec: UsbSpec, clock: Callable[[], float] = time.monotonic) -> UsbHandset:
    """The handset that the board file names; what is wrong is told once it is started."""
    return UsbHandset(spec, lambda post: Health(DEVICE, post, clock), clock=clock)
