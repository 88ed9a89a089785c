"""Reads a WAV file whole, to be played into a call. Blocking: for a thread."""

from pathlib import Path
from typing import TYPE_CHECKING

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.base.phrase import Phrase, phrase
from firmware.storage.errors import StorageError, unreadable

if TYPE_CHECKING:
    import wave

LONGEST_SECONDS = 300
"""What fits into the audio process's memory beside everything else: 29 MB at 48 kHz."""
_RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def read_wav(path: Path) -> tuple[bytes, int]:
    """16-bit mono PCM of the machine's byte order, and its rate; two channels are averaged.

    Raises:
        StorageError: it cannot be read or played; its phrase says why.
    """
    import wave  # noqa: PLC0415 - few phones ever play a file

    try:
        with path.open("rb") as file, wave.open(file, "rb") as sound:
            shape = sound.getparams()
            if (unfit := _unfit(path, shape)) is not None:
                raise StorageError(unfit)
            pcm = sound.readframes(LONGEST_SECONDS * shape.framerate + 1)
    except (wave.Error, EOFError) as error:
        raise StorageError(phrase("storage.wav_none", what=path, reason=error)) from error
    except OSError as error:
        raise unreadable(str(path), error) from error
    if shape.nchannels == 2:
        pcm = audioop.tomono(pcm, SAMPLE_BYTES, 0.5, 0.5)
    if not pcm:
        raise StorageError(phrase("storage.wav_empty", what=path))
    if len(pcm) > LONGEST_SECONDS * shape.framerate * SAMPLE_BYTES:
        minutes = LONGEST_SECONDS // 60
        raise StorageError(phrase("storage.wav_long", what=path, minutes=minutes))
    return pcm, shape.framerate


def _unfit(path: Path, shape: "wave._wave_params") -> Phrase | None:
    if shape.sampwidth != SAMPLE_BYTES:
        return phrase("storage.wav_bits", what=path, bits=8 * shape.sampwidth)
    if shape.nchannels > 2:
        return phrase("storage.wav_channels", what=path, channels=shape.nchannels)
    if shape.framerate not in _RATES:
        return phrase("storage.wav_rate", what=path, rate=shape.framerate)
    return None
