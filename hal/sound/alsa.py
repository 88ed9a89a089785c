"""A real sound card, through ALSA: frames of 20 ms to its loudspeaker and from its microphone.

    write ─▶ steer ─▶ buffer of the card ─▶ loudspeaker          fill before a frame: 10 ms
    read  ◀─ 20 ms gathered ◀─ buffer of the card ◀─ microphone  open only while it is wanted

If the card leads, it is the engine's clock: `read` waits for a whole frame while the microphone is
open, otherwise `write` waits until the loudspeaker needs one. A card that does not lead never
waits: its clock is another, so its queue is held at one level by `hal.sound.steering`, and what
would only add delay is left out. The same goes for the loudspeaker while the microphone leads. How
long to wait is read from the card's own buffer each time, so that no error adds up.

A buffer that ran dry or over is refilled at once and counted. A card that says it is gone raises;
opening it again is the engine's affair.

Some devices of ALSA's configuration (`file`, `null`) swallow everything at once. They are
recognised by that and keep no time.
"""

import time
from collections.abc import Callable, Collection
from functools import partial

from hal.card_spec import CardSpec
from hal.errors import DeviceGoneError
from hal.ports import Pacing
from hal.sound.alsa_pcm import RAN, AlsaPcm, absent, no_such_card, open_capture, open_playback
from hal.sound.convert import RateConverter
from hal.sound.frames import frame_bytes
from hal.sound.steering import Steering

_MARGIN = 0.010
"""Seconds that must still be queued when a frame is added: the engine may be that late."""
_CAP = 0.060
"""Seconds queued beyond which a frame is left out, or forgotten if they were recorded."""
_SHORTEST_WAIT = 0.0005
_PATIENCE = 0.06
"""Seconds that a frame is waited for: the call goes on without this microphone meanwhile."""
_sleep = time.sleep  # noqa: TID251 - until the card's own clock has moved on
_STALLS = 16
"""Frames in a row that never came, after which the card is taken for gone."""


class AlsaCard:
    """See the module; `sleep` waits, `device` is `id:NAME` or a name of ALSA's."""

    def __init__(self, device: str, rate: int, sleep: Callable[[float], None] = _sleep) -> None:
        """Open the loudspeaker.

        Raises:
            hal.errors.DeviceError: it cannot be opened; the message says why.
        """
        self._device = device
        self._sleep = sleep
        self._ear = open_playback(device, rate)
        self._mouth: _Mouth | None = None
        self._frame = frame_bytes(self._ear.rate) // 2
        self._margin = round(self._ear.rate * _MARGIN)
        self._steering = Steering(self._ear.rate, self._margin)
        self._leads = True
        self._resting = True
        self._clocked = True
        self._steered = False
        self._xruns = 0
        self.dropped = 0
        """Frames that were left out because too much was queued."""
        self.remark = ""
        """See `hal.ports.PcmPort`; what its mixer lacks."""
        self.route: Callable[[Collection[str]], None] | None = None
        """What sets the controls that depend on the paths that are heard."""
        # A little silence shows whether the device keeps time at all.
        self._begin()
        self.rest()

    @property
    def rate(self) -> int:
        return self._ear.rate

    @property
    def pacing(self) -> Pacing:
        return Pacing.PLAYBACK if self._clocked else Pacing.NONE

    @property
    def xruns(self) -> int:
        return self._xruns + (self._mouth.xruns if self._mouth is not None else 0)

    @property
    def drift_ppm(self) -> float | None:
        return self._steering.drift_ppm if self._steered else None

    def lead(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        self._leads = wanted

    # The loudspeaker

    def write(self, frame: bytes) -> None:
        fill = self._queued()
        if not self._clocked:
            self._ear.write(frame)
        elif self._leads and (self._mouth is None or not self._mouth.clocked):
            self._steered = False
            self._wait_until_needed(fill)
            self._put(frame)
        elif fill > self._ear.rate * _CAP:
            self.dropped += 1
        else:
            self._steered = True
            self._put(self._steering.frame(frame, fill))

    def rest(self) -> None:
        """Nothing is played for a while; what is queued still sounds."""
        self._resting = True

    def _queued(self) -> int:
        """Samples that wait to be heard; a buffer that is at its end is begun anew."""
        room = self._ear.room()
        if room != RAN and not self._resting:
            return self._ear.buffer - room
        if not self._resting:
            self._xruns += 1
        return self._begin()

    def _begin(self) -> int:
        """Silence first, so that a frame that comes a little late still comes in time."""
        self._resting = False
        self._steering.begin()
        silence = bytes(self._margin * 2)
        if not self._ear.write(silence):
            self._ear.write(silence)
        room = self._ear.room()
        self._clocked = room < self._ear.buffer
        return self._ear.buffer - max(room, 0)

    def _put(self, frame: bytes) -> None:
        if not self._ear.write(frame):
            # It ran dry since it was looked at.
            self._xruns += 1
            self._begin()
            self._ear.write(frame)

    def _wait_until_needed(self, fill: int) -> None:
        waited = 0.0
        while fill > self._margin and waited < _PATIENCE:
            pause = max((fill - self._margin) / self._ear.rate, _SHORTEST_WAIT)
            self._sleep(pause)
            waited += pause
            fill = self._queued()

    # The microphone

    def read(self) -> bytes:
        if self._mouth is None:
            return b""
        return self._mouth.read(self._sleep if self._leads else None)

    def set_capture(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        if not wanted:
            self._close_mouth()
        elif self._mouth is None:
            self._mouth = _Mouth(open_capture(self._device, self.rate), self.rate, self._device)

    def forget(self) -> None:
        if self._mouth is not None:
            self._mouth.forget()

    def _close_mouth(self) -> None:
        mouth, self._mouth = self._mouth, None
        if mouth is not None:
            self._xruns += mouth.xruns
            mouth.close()

    def heard_on(self, paths: Collection[str]) -> None:
        if self.route is not None:
            self.route(paths)

    def close(self) -> None:
        self._close_mouth()
        self._ear.close()


class _Mouth:
    """The open microphone: gathers what the card recorded to whole frames."""

    def __init__(self, pcm: AlsaPcm, rate: int, device: str) -> None:
        self._pcm = pcm
        self._device = device
        self._convert = RateConverter(pcm.rate, rate).convert
        self._rate = rate
        self._size = frame_bytes(rate)
        self._heard = b""
        self._stalls = 0
        self.xruns = 0
        self.clocked = True
        """Whether the card records in real time."""
        self._start()

    def _start(self) -> None:
        self._pcm.read()
        self.clocked = self._pcm.room() < self._pcm.buffer

    def read(self, sleep: Callable[[float], None] | None) -> bytes:
        """20 ms, or nothing if they are not there and `sleep` is None or they never came."""
        waited = 0.0
        while len(self._heard) < self._size:
            lacking = self._gather()
            if lacking <= 0:
                continue
            if sleep is None or waited >= _PATIENCE:
                return self._stall(waited)
            pause = max(lacking / self._pcm.rate, _SHORTEST_WAIT)
            sleep(pause)
            waited += pause
        self._stalls = 0
        frame, self._heard = self._heard[: self._size], self._heard[self._size :]
        return frame

    def _gather(self) -> int:
        """Take what is there; how many of the card's samples are still lacking for a frame."""
        lacking = -(-(self._size - len(self._heard)) // 2 * self._pcm.rate // self._rate)
        room = self._pcm.room()
        if room != RAN and self.clocked:
            if room < lacking:
                return lacking - room
            if room > self._pcm.rate * _CAP:
                self._forget(room)
        pcm = self._pcm.read()
        if pcm is None:
            self.xruns += 1
            self._pcm.read()
            return lacking
        self._heard += self._convert(pcm)
        return 0

    def _forget(self, recorded: int) -> None:
        """What was recorded while nobody listened is the past: only the newest frame counts."""
        self.xruns += 1
        while recorded * 50 > self._pcm.rate:
            pcm = self._pcm.read()
            if not pcm:
                break
            recorded -= len(pcm) // 2

    def forget(self) -> None:
        """Silence instead of what is there, so that what follows comes at its time."""
        if self.clocked:
            while self._pcm.room() > 0 and (pcm := self._pcm.read()):
                self._heard += self._convert(pcm)
        self._heard = bytes(len(self._heard))
        self._convert = RateConverter(self._pcm.rate, self._rate).convert

    def _stall(self, waited: float) -> bytes:
        self._stalls += waited > 0.0
        if self._stalls >= _STALLS:
            raise DeviceGoneError(f"card {self._device}: its microphone gives no sound any more")
        return b""

    def close(self) -> None:
        self._pcm.close()


def open_alsa_card(spec: CardSpec, rate: int) -> AlsaCard:
    """The card of a specification.

    Raises:
        hal.errors.DeviceError: it cannot be opened; the message says why.
    """
    mix = _mixing(spec)
    if absent(spec.device):
        raise no_such_card(spec.device)
    card = AlsaCard(spec.device, rate)
    mix(card)
    return card


def _mixing(spec: CardSpec) -> Callable[[AlsaCard], None]:
    """What sets a card's mixer; loaded before the card is there, so that no call waits for it."""
    if not spec.mixer:
        return lambda _card: None
    from hal.sound.mixer import apply_mixer, route_mixer  # noqa: PLC0415 - most need no setting

    def mix(card: AlsaCard) -> None:
        card.remark = apply_mixer(spec)
        if any(control.paths for control in spec.mixer):
            card.route = partial(route_mixer, spec)

    return mix
