"""The control verb `play`: a WAV file into a call, for both ends to hear.

    no call named     the call in front, else one that is up, else one on hold
    a call            that one, on hold as well: music for whoever waits
    one of a          everybody in the conversation; the audio process knows who that is
    conversation      just now. If all of it is on hold: everybody who waits, unless one is named

The file is read in a thread and handed to the audio process as memory, because that process opens
no file.
"""

import asyncio
import os
from pathlib import Path

from firmware.base.phrase import phrase
from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import PlayClip
from firmware.phone.view import CallState, CallView, PhoneView
from firmware.runtime.house import House
from firmware.storage.errors import StorageError, from_os
from firmware.storage.wav_reader import read_wav


async def play(house: House, view: PhoneView, request: s.Play) -> None:
    """Begin to play; it ends by itself, with the call, or with the next file.

    Raises:
        RefusedError: there is no such call, or the file cannot be played.
    """
    calls = {call.ref for call in _meant(view, request.call)}
    if not view.audio_alive:
        raise RefusedError(phrase("refused.no_sound"))
    try:
        descriptor, rate = await asyncio.to_thread(_load, Path(request.file))
    except StorageError as error:
        raise RefusedError(error.phrase) from error
    try:
        streams = [stream for stream, ref in house.streams.items() if ref in calls]
        if not streams:
            raise RefusedError(phrase("refused.no_call"))
        for stream in streams:
            house.engine.send(PlayClip(stream, rate), (descriptor,))
    finally:
        os.close(descriptor)


def _meant(view: PhoneView, name: str | None) -> list[CallView]:
    """The call of this name, or the one that is talked in, or all that wait together."""
    named = [call for call in view.calls if name is None or str(call.ref) == name]
    if name is not None and not named:
        raise RefusedError(phrase("refused.no_such_call", call=name))
    talking = [call for call in named if call.state is CallState.TALKING]
    if not talking:
        raise RefusedError(phrase("refused.no_call"))
    meant = min(talking, key=lambda call: (call.held, call.ref != view.front))
    if meant.held and meant.ref in view.conference:
        return [call for call in talking if call.ref in view.conference]
    return [meant]


def _load(path: Path) -> tuple[int, int]:
    """A file as memory: its descriptor and rate."""
    pcm, rate = read_wav(path)
    descriptor = os.memfd_create("clip")
    try:
        with open(descriptor, "wb", closefd=False) as memory:
            memory.write(pcm)
    except OSError as error:
        os.close(descriptor)
        raise from_os(str(path), error) from error
    return descriptor, rate
