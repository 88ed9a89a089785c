"""One direction of an ALSA device, as 16-bit mono whatever the device itself wants.

A device is asked for the engine's rate, one channel and 16 bits, and taken in the nearest shape it
really has: a card that only knows 48 kHz stereo is served as such. It is always opened so that no
call waits: an ordinary open of a busy device would wait for as long as somebody else plays on it.
Waiting, and when to wait, is `hal.sound.alsa`'s.

The library is reached by its module's name, so that a machine without it can still load this file.
What it answers was read from pyalsaaudio 0.11: `read` and `write` give -EPIPE after an xrun and
have prepared the device again by then; `avail` gives a negative errno and raises nothing.
"""

import errno
import importlib
import itertools
import os
import sys
import warnings
from types import ModuleType
from typing import Protocol, cast

from hal.errors import DeviceError, DeviceGoneError

with warnings.catch_warnings():
    # The standard library's copy announces its end on import; audioop-lts follows it from 3.13.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_RATES = (16_000, 48_000, 44_100, 32_000, 8_000)
"""Tried in this order after the one that was asked for."""
_PERIOD = 0.01
_PERIODS = 10
_STABLE, _PORT = "id:", "usb:"

RAN = -1
"""What `room` says of a buffer that ran over or dry."""


class _Pcm(Protocol):
    """What we use of `alsaaudio.PCM`."""

    def info(self) -> dict[str, object]: ...
    def avail(self) -> int: ...
    def read(self) -> tuple[int, bytes]: ...
    def write(self, data: bytes) -> int: ...
    def close(self) -> None: ...


class _Library(Protocol):
    """What we use of the module `alsaaudio`."""

    PCM_PLAYBACK: int
    PCM_CAPTURE: int
    PCM_NONBLOCK: int
    PCM_FORMAT_S16_LE: int
    PCM_FORMAT_S16_BE: int
    PCM_FORMAT_S32_LE: int
    PCM_FORMAT_S32_BE: int
    ALSAAudioError: type[Exception]

    def PCM(self, **shape: object) -> _Pcm: ...  # noqa: N802 - the library's own name


def pcm_name(device: str, root: str = "") -> str:
    """ALSA's name of a device: `id:NAME` is the card whose kernel id is NAME, wherever it sits.

    An id stays the same over a restart where an index does not. `usb:1-1.2` is the card in that USB
    port, whatever its id. Anything else is a name of ALSA's configuration and is left as it is.

    Raises:
        DeviceError: there is no card in this USB port.
    """
    if device.startswith(_PORT):
        port, comma, part = device.removeprefix(_PORT).partition(",")
        card = _card_at(port, root)
        if not card:
            raise no_such_card(device, root)
        return f"hw:CARD={card}{comma}{part}"
    if device.startswith(_STABLE):
        return f"hw:CARD={device.removeprefix(_STABLE)}"
    return device or "default"


def _card_at(port: str, root: str) -> str:
    from hal.sound.present import card_at  # noqa: PLC0415 - few phones name a port

    return card_at(port, root)


def absent(device: str, root: str = "") -> bool:
    """Whether this card, known by its id or its USB port, is certainly not there.

    ALSA writes a line to our standard error each time it is asked for one, and a phone whose card
    was pulled out asks once a second.
    """
    if device.startswith(_PORT):
        return not _card_at(device.removeprefix(_PORT).partition(",")[0], root)
    cards = f"{root}/proc/asound"
    name = device.removeprefix(_STABLE).partition(",")[0]
    if not device.startswith(_STABLE) or os.access(f"{cards}/{name}", os.F_OK):
        return False
    # Before the first card comes, a kernel has neither; a card has its nodes in any case.
    return os.access(cards, os.F_OK) or not os.access(f"{root}/dev/snd", os.F_OK)


class AlsaPcm:
    """See the module; made by `open_playback` and `open_capture`."""

    def __init__(self, library: _Library, pcm: _Pcm, device: str) -> None:
        found = pcm.info()
        self._pcm = pcm
        self._device = device
        self._trouble = library.ALSAAudioError
        self._channels = int(str(found["channels"]))
        self._width = int(str(found["physical_bits"])) // 8
        self.rate = int(str(found["rate"]))
        """Samples a second."""
        self.buffer = int(str(found["buffer_size"]))
        """Samples that the device's buffer holds."""

    def room(self) -> int:
        """Samples that may be written or read now; `RAN` if the buffer ran over or dry.

        Raises:
            DeviceGoneError: the device is not there any more.
        """
        available = self._pcm.avail()
        if available >= 0:
            return available
        if -available in (errno.EPIPE, errno.ESTRPIPE):
            return RAN
        raise self._gone(errno.errorcode.get(-available, str(available)))

    def write(self, pcm: bytes) -> bool:
        """Queue samples; False if the buffer had run dry: it is ready now, and these are lost.

        Raises:
            DeviceGoneError: the device is not there any more.
        """
        if self._width != 2:
            pcm = audioop.lin2lin(pcm, 2, self._width)
        if self._channels == 2:
            pcm = audioop.tostereo(pcm, self._width, 1, 1)
        try:
            return self._pcm.write(pcm) >= 0
        except self._trouble as error:
            raise self._gone(str(error)) from error

    def read(self) -> bytes | None:
        """What was recorded, at most a period; None if the buffer had run over: it is ready now.

        The first call starts the device.

        Raises:
            DeviceGoneError: the device is not there any more.
        """
        try:
            count, pcm = self._pcm.read()
        except self._trouble as error:
            raise self._gone(str(error)) from error
        if count < 0:
            return None
        if self._channels == 2:
            pcm = audioop.tomono(pcm, self._width, 0.5, 0.5)
        return pcm if self._width == 2 else audioop.lin2lin(pcm, self._width, 2)

    def close(self) -> None:
        """Release the device."""
        self._pcm.close()

    def _gone(self, why: str) -> DeviceGoneError:
        return DeviceGoneError(f"card {self._device}: it is gone ({why.partition(' [')[0]})")


def open_playback(device: str, rate: int) -> AlsaPcm:
    """The loudspeaker of a device.

    Raises:
        DeviceError: it cannot be opened; the message says why and what to do.
    """
    library = _library(device)
    return _open(library, device, library.PCM_PLAYBACK, rate)


def open_capture(device: str, rate: int) -> AlsaPcm:
    """The microphone of a device.

    Raises:
        DeviceError: it cannot be opened; the message says why and what to do.
    """
    library = _library(device)
    return _open(library, device, library.PCM_CAPTURE, rate)


def _library(device: str) -> _Library:
    return cast("_Library", alsa(device))


def alsa(device: str) -> ModuleType:
    """The library, for this device.

    Raises:
        DeviceError: it is not installed; the message names its Debian package.
    """
    try:
        return importlib.import_module("alsaaudio")
    except ImportError as error:
        raise DeviceError(f"card {device}: {missing(error)}") from error


def missing(error: ImportError) -> str:
    """What ALSA lacks here: the shared library, or the Python module above it."""
    if "libasound" in str(error):
        return "libasound.so.2 is missing (apt install libasound2)"
    return "alsaaudio is missing (apt install python3-alsaaudio; in a venv pip install pyalsaaudio)"


def _open(library: _Library, device: str, direction: int, rate: int) -> AlsaPcm:
    """The device in the first shape that it takes."""
    little = sys.byteorder == "little"
    formats = (
        library.PCM_FORMAT_S16_LE if little else library.PCM_FORMAT_S16_BE,
        library.PCM_FORMAT_S32_LE if little else library.PCM_FORMAT_S32_BE,
    )
    rates = (rate, *(each for each in _RATES if each != rate))
    name = pcm_name(device)
    refused = _WRONG_SHAPE
    for form, asked, channels in itertools.product(formats, rates, (1, 2)):
        try:
            pcm = library.PCM(
                type=direction,
                mode=library.PCM_NONBLOCK,
                device=name,
                rate=asked,
                channels=channels,
                format=form,
                periodsize=round(asked * _PERIOD),
                periods=_PERIODS,
            )
        except library.ALSAAudioError as error:
            refused = str(error).partition(" [")[0]
            if refused == _WRONG_SHAPE:
                continue
            break
        if _fits(pcm.info(), asked, channels, form):
            return AlsaPcm(library, pcm, device)
        pcm.close()
    if refused in _NO_CARD:
        heard = direction == library.PCM_PLAYBACK
        raise _no_such_end(device, "loudspeaker" if heard else "microphone")
    raise DeviceError(f"card {device}: {_WORDS.get(refused, refused)}")


def _no_such_end(device: str, end: str) -> DeviceError:
    """A card that is there may still lack what was asked for."""
    if _is_there(device):
        return DeviceError(f"card {device}: it has no {end}")
    return no_such_card(device)


def _is_there(device: str) -> bool:
    known = device.startswith((_STABLE, _PORT)) and os.access("/proc/asound", os.F_OK)
    return known and not absent(device)


def no_such_card(device: str, root: str = "") -> DeviceError:
    """What is said of a card that is not there, with those that are."""
    from hal.sound.present import there_are  # noqa: PLC0415 - for a phone that misses one

    return DeviceError(f"card {device}: there is no such card; {there_are(root)}")


def _fits(found: dict[str, object], rate: int, channels: int, form: int) -> bool:
    """Whether the device took what was asked for: the library rounds without a word."""
    return (found["rate"], found["channels"], found["format"]) == (rate, channels, form)


_WRONG_SHAPE = "Invalid argument"
_NO_CARD = ("No such device", "No such file or directory")
_WORDS = {
    _WRONG_SHAPE: "it knows no 16-bit or 32-bit sound of one or two channels",
    "Device or resource busy": "another program is using it",
    "Permission denied": "this user may not use it; it has to be in the group audio",
}
"""What ALSA says → what a person should be told."""
