"""The open sound cards: which path plays on which, and what to do when one breaks.

Paths with equal cards share one device. A device is opened with its first path, so that the phone
knows early what works, and its microphone only while somebody talks on it. A device that fails is
reported once, tried again every second, and never stops a call.
"""

from collections.abc import Callable, Collection, Iterator

from firmware.media.kinds import CARD_RATE
from firmware.media.messages import AnyReport, Card, PathName, PathReport
from firmware.media.wire import close_descriptors
from hal.card_spec import CardSpec
from hal.errors import DeviceGoneError, HalError
from hal.ports import Pacing, PcmPort

OpenCard = Callable[[CardSpec, tuple[int, ...], int], PcmPort]

_RETRY = 0.5
"""Seconds a card is left alone after it failed."""
_DEAF = 5.0
"""Seconds its microphone is: each try leaves a line of ALSA's in the log."""


class Device:
    """One sound card and the paths that use it."""

    __slots__ = (
        "capturing",
        "card",
        "descriptors",
        "heard_on",
        "microphone",
        "openings",
        "paths",
        "port",
        "reason",
        "remark",
        "retry_at",
        "routed",
        "xruns_before",
    )

    def __init__(self, card: Card, descriptors: tuple[int, ...]) -> None:
        self.card = card
        self.descriptors = descriptors
        self.paths: set[PathName] = set()
        self.routed = any(control.paths for control in card.mixer)
        """Whether its outputs depend on the paths that are heard."""
        self.heard_on: set[str] = set()
        """What it was told of them."""
        self.port: PcmPort | None = None
        """The open card, None while it is broken."""
        self.capturing = False
        self.microphone = b""
        """The frame that was recorded last; empty if the microphone is closed or gave nothing."""
        self.reason = ""
        """Why the card, or its microphone, does not work; empty while it does."""
        self.remark = ""
        """What is wrong with it though it is open."""
        self.retry_at = 0.0
        self.xruns_before = 0
        """Those of the times it was open before."""
        self.openings = 0

    @property
    def rate(self) -> int:
        """Samples a second of its frames."""
        return self.port.rate if self.port is not None else CARD_RATE

    @property
    def xruns(self) -> int:
        """How often its buffer ran over or dry."""
        return self.xruns_before + (self.port.xruns if self.port is not None else 0)

    @property
    def upsets(self) -> int:
        """Grows when loudspeaker and microphone may have come to be another time apart."""
        return self.openings + self.xruns

    @property
    def paces(self) -> bool:
        """Whether this device can be the engine's clock."""
        if self.port is None or self.port.pacing is Pacing.NONE:
            return False
        return self.capturing or self.port.pacing is Pacing.PLAYBACK

    def release(self) -> None:
        """Close the card; its descriptors stay, so that it can be opened again."""
        self.xruns_before = self.xruns
        port, self.port = self.port, None
        self.capturing = False
        self.microphone = b""
        if port is not None:
            port.close()


class Cards:
    """All devices. Iterates over those that exist, working or not."""

    def __init__(self, open_card: OpenCard, report: Callable[[AnyReport], None]) -> None:
        self._open_card = open_card
        self._report = report
        self._devices: dict[Card, Device] = {}
        self._xruns_before = 0
        self.leader: Device | None = None
        """The device that is the engine's clock, None if there is none."""
        self.failures = 0
        """How often a card could not be opened or broke, tries again included."""

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(self._devices.values())

    @property
    def rate(self) -> int:
        """The highest sampling rate in use: what a codec that can choose should choose."""
        return max((device.rate for device in self), default=CARD_RATE)

    @property
    def xruns(self) -> int:
        """How often a card's buffer ran over or dry, those that are gone included."""
        return self._xruns_before + sum(device.xruns for device in self)

    @property
    def drifts(self) -> tuple[tuple[PathName, float], ...]:
        """How much faster the clocks of those are that do not set the pace, in ppm, by path."""
        return tuple(
            (path, round(device.port.drift_ppm, 1))
            for device in self
            if device.port is not None and device.port.drift_ppm is not None
            for path in sorted(device.paths, key=lambda each: each.value)
        )

    def of(self, path: PathName | None) -> Device | None:
        """The device that serves a path."""
        for device in self:
            if path in device.paths:
                return device
        return None

    def assign(self, path: PathName, card: Card, descriptors: tuple[int, ...], now: float) -> None:
        """Serve a path by a card from now on; opens the card if it is new."""
        device = self._devices.get(card)
        if device is None or path not in device.paths:
            self.withdraw(path)
        if device is None:
            device = self._devices[card] = Device(card, descriptors)
        elif device.descriptors:
            close_descriptors(descriptors)
        else:
            device.descriptors = descriptors
        device.paths.add(path)
        if device.port is None:
            self._try(device, now)
        else:
            self._report(PathReport(path, open=True, reason=device.reason or device.remark))

    def withdraw(self, path: PathName) -> None:
        """Forget a path; the last one of a card closes it."""
        device = self.of(path)
        if device is None:
            return
        device.paths.discard(path)
        if not device.paths:
            device.release()
            self._xruns_before += device.xruns
            close_descriptors(device.descriptors)
            del self._devices[device.card]

    def retry(self, now: float) -> None:
        """Open again what is broken; to be called once a second."""
        for device in self:
            if device.port is None and now >= device.retry_at:
                self._try(device, now)

    @property
    def broken(self) -> bool:
        """Whether a card does not work and should be tried again."""
        return any(device.port is None for device in self)

    def capture(self, path: PathName | None, now: float) -> None:
        """Open the microphone of this path's card and close every other.

        A card plays on while its microphone cannot be opened: it may have none, or another program
        has it. It is tried again for as long as it is wanted.
        """
        for device in self:
            self._capture(device, now, wanted=path is not None and path in device.paths)

    def _capture(self, device: Device, now: float, *, wanted: bool) -> None:
        waits = wanted and device.reason != "" and now < device.retry_at
        if device.port is None or waits:
            return
        try:
            if wanted != device.capturing:
                device.microphone = b""
                device.port.set_capture(wanted)
                device.capturing = wanted
        except DeviceGoneError as error:
            self._fail(device, error, now)
        except HalError as error:
            self._note(device, error, now + _DEAF)
        else:
            if device.reason:
                device.reason = ""
                self._tell(device)

    def lead(self, playing: tuple[Device, ...]) -> bool:
        """Choose the engine's clock among the devices at work; whether there is one.

        An open microphone before a loudspeaker: what is recorded cannot wait. Every other device
        follows without blocking, and one that is not at work rests.
        """
        paces = [device for device in playing if device.paces]
        leader = next((each for each in paces if each.capturing), paces[0] if paces else None)
        for device in self:
            if device.port is not None:
                device.port.lead(device is leader)
                if device not in playing:
                    device.port.rest()
        self.leader = leader
        return leader is not None

    @property
    def routed(self) -> bool:
        """Whether a card wants to know what is heard on which path."""
        return any(device.routed for device in self)

    def sound_on(self, paths: Collection[PathName]) -> None:
        """Something is heard on these paths: each card whose outputs depend on that is told once.

        When nothing is heard any more, everything stays as it was.
        """
        for device in self:
            if device.routed and device.port is not None:
                heard_on = {path.value for path in device.paths if path in paths}
                if heard_on and heard_on != device.heard_on:
                    device.heard_on = heard_on
                    device.port.heard_on(heard_on)

    def listen(self, now: float) -> None:
        """Read a frame from every open microphone."""
        for device in self:
            if not device.capturing or device.port is None:
                continue
            try:
                device.microphone = device.port.read()
            except HalError as error:
                self._fail(device, error, now)

    def play(self, device: Device, frame: bytes, now: float) -> None:
        """Write a frame to one device."""
        if device.port is None:
            return
        try:
            device.port.write(frame)
        except HalError as error:
            self._fail(device, error, now)

    def rest(self, device: Device) -> None:
        """This device has nothing to play just now."""
        if device.port is not None:
            device.port.rest()

    def forget(self, device: Device, now: float) -> None:
        """What a device's microphone heard until now is not heard by anybody."""
        if device.port is None:
            return
        device.microphone = b""
        try:
            device.port.forget()
        except HalError as error:
            self._fail(device, error, now)

    def close(self) -> None:
        """Release everything."""
        for device in self:
            device.release()
            close_descriptors(device.descriptors)
        self._devices.clear()

    def _try(self, device: Device, now: float) -> None:
        card = device.card
        spec = CardSpec(card.kind, card.device, card.play, card.record, card.mixer)
        try:
            device.port = self._open_card(spec, device.descriptors, CARD_RATE)
        except HalError as error:
            self._fail(device, error, now)
            return
        device.reason = ""
        device.remark = device.port.remark
        device.heard_on = set()
        device.openings += 1
        self._tell(device)

    def _fail(self, device: Device, error: HalError, now: float) -> None:
        """The card is closed until it is tried again."""
        device.release()
        self._note(device, error, now + _RETRY)

    def _note(self, device: Device, error: HalError, again: float) -> None:
        news = str(error) != device.reason
        device.reason = str(error)
        self.failures += 1
        device.retry_at = again
        if news:
            self._tell(device)

    def _tell(self, device: Device) -> None:
        works, reason = device.port is not None, device.reason or device.remark
        for path in sorted(device.paths, key=lambda each: each.value):
            self._report(PathReport(path, open=works, reason=reason))
