"""Sums and gains of 16-bit frames; what is too loud is held at full scale, never wrapped."""

from collections.abc import Sequence

from firmware.base.pcm import SAMPLE_BYTES, audioop


def mix(frames: Sequence[bytes]) -> bytes:
    """The sum of frames of one length; no frames give no samples.

    Raises:
        audioop.error: the frames are not of one length.
    """
    if not frames:
        return b""
    total = frames[0]
    for frame in frames[1:]:
        total = audioop.add(total, frame, SAMPLE_BYTES)
    return total


def scale(frame: bytes, gain: float) -> bytes:
    """A frame times a factor (not decibels)."""
    return audioop.mul(frame, SAMPLE_BYTES, gain)


def gain_of_db(decibels: float) -> float:
    """The factor of a gain in decibels."""
    return float(10 ** (decibels / 20))
