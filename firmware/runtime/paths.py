"""Which sound card serves which way to ear and mouth, and the descriptors the engine needs for it.

The engine opens no file and binds no name: a recording leaves it through a socket to the WAV
writer, the page reaches it through `audio.sock`, which is bound here.
"""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from firmware.config.schema import AudioSettings, PathSettings, TalkPathSettings
from firmware.media.messages import Card, Microphone, OpenPath, PathName
from hal.board import CardSpec
from hal.mixer_table import NO_MIXERS, Mixers, mixer_of

_BACKLOG = 2
_DEVICES = ("id:", "usb:")
"""What the name of a card of ALSA begins with; other words are kinds of cards."""


def path_settings(audio: AudioSettings, path: PathName) -> PathSettings:
    """The `[audio.…]` section of a path."""
    match path:
        case PathName.HANDSET:
            return audio.handset
        case PathName.HEADSET:
            return audio.headset
        case PathName.SPEAKER:
            return audio.speaker
        case PathName.RINGER:
            return audio.ringer


def cards_of(
    audio: AudioSettings, board: Mapping[str, CardSpec], mixers: Mixers = NO_MIXERS
) -> dict[PathName, Card]:
    """The card of each path that this board has.

    `[audio.PATH] card` goes before `[audio] card`, and that before what the board file says.
    `mixers` are the controls of each device, of the board's own and of any other.
    """
    cards: dict[PathName, Card] = {}
    for path in PathName:
        spec = board.get(path.value)
        if spec is not None:
            cards[path] = _card(audio, path_settings(audio, path).card, spec, mixers)
    return cards


def _card(audio: AudioSettings, own: str, spec: CardSpec, mixers: Mixers) -> Card:
    if own.startswith(_DEVICES):
        return Card("alsa", device=own, mixer=mixer_of(mixers, own))
    kind = own or audio.card or spec.kind
    if kind == "file":
        return Card("file", play=audio.play, record=audio.record)
    if kind == spec.kind:
        return Card(spec.kind, spec.device, spec.play, spec.record, spec.mixer)
    return Card(kind)


def open_orders(
    cards: Mapping[PathName, Card], audio: AudioSettings, volumes: Mapping[PathName, int]
) -> Iterator[OpenPath]:
    """One `OpenPath` per path, with the kept volume or the configured one."""
    for path, card in cards.items():
        settings = path_settings(audio, path)
        volume = volumes.get(path, settings.volume)
        yield OpenPath(path, card, volume, _microphone(settings, card))


def _microphone(settings: PathSettings, card: Card) -> Microphone | None:
    """What is done to a path's microphone; a file or a page is passed on as it is."""
    if card.kind != "alsa" or not isinstance(settings, TalkPathSettings):
        return None
    return Microphone(
        gain_db=settings.gain,
        sidetone_db=settings.sidetone,
        echo=settings.echo_cancellation,
        noise=settings.noise_suppression,
        level=settings.automatic_gain,
    )


def listen_audio(path: Path) -> socket.socket:
    """Bind `audio.sock`, where the page's sound comes and goes; a stale one is replaced.

    Raises:
        OSError: it cannot be bound.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        previous = os.umask(0o117)
        try:
            listener.bind(str(path))
        finally:
            os.umask(previous)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
