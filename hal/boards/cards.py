"""A card specification becomes an open sound card: the one place that knows all of them.

Each kind is imported when one is opened: an audio process has one card, and memory to spare for
no other.
"""

# ruff: noqa: PLC0415 - see above

import importlib
from collections.abc import Callable

from hal.card_spec import CardSpec
from hal.errors import DeviceError
from hal.ports import PcmPort

Opener = Callable[[CardSpec, tuple[int, ...], int], PcmPort]


def _open_alsa(spec: CardSpec, _descriptors: tuple[int, ...], rate: int) -> PcmPort:
    from hal.sound.alsa import open_alsa_card

    return open_alsa_card(spec, rate)


def lacking(spec: CardSpec) -> str:
    """What stands between this machine and cards of this kind; empty if nothing does."""
    if spec.kind != "alsa":
        return ""
    from hal.sound.alsa_pcm import missing

    try:
        importlib.import_module("alsaaudio")
    except ImportError as error:
        return missing(error)
    return ""


def _open_browser(_spec: CardSpec, descriptors: tuple[int, ...], rate: int) -> PcmPort:
    from hal.sound.browser import open_browser_card

    return open_browser_card(descriptors, rate)


def _open_file(spec: CardSpec, descriptors: tuple[int, ...], rate: int) -> PcmPort:
    from hal.sound.file import open_file_card

    return open_file_card(spec.play, descriptors, rate)


def _open_mock(_spec: CardSpec, _descriptors: tuple[int, ...], rate: int) -> PcmPort:
    from hal.sound.mock import MockCard

    return MockCard(rate)


def _open_null(_spec: CardSpec, _descriptors: tuple[int, ...], rate: int) -> PcmPort:
    from hal.sound.null import NullCard

    return NullCard(rate)


CARDS: dict[str, Opener] = {
    "alsa": _open_alsa,
    "browser": _open_browser,
    "file": _open_file,
    "mock": _open_mock,
    "null": _open_null,
}


def open_card(spec: CardSpec, descriptors: tuple[int, ...], rate: int) -> PcmPort:
    """Open a sound card at `rate` samples a second, microphone closed.

    `descriptors`: for a `file` card the socket to its writer (or none), for a `browser` card the
    listening `audio.sock`. They stay the caller's: the card works on duplicates and closes only
    those, so the same card may be opened again.

    Raises:
        hal.errors.DeviceError: the card cannot be opened; the message says why.
    """
    opener = CARDS.get(spec.kind)
    if opener is None:
        known = ", ".join(sorted(CARDS))
        raise DeviceError(f"there is no card of kind {spec.kind!r}; there are {known}")
    return opener(spec, descriptors, rate)
