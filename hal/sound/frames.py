"""Sizes of a frame: 20 ms of 16-bit mono PCM in the machine's own byte order. Pure."""

FRAME_SECONDS = 0.02
SAMPLE_BYTES = 2


def frame_samples(rate: int) -> int:
    """Samples in 20 ms at `rate` samples a second."""
    return rate // 50


def frame_bytes(rate: int) -> int:
    """Bytes in 20 ms of 16-bit mono at `rate` samples a second."""
    return frame_samples(rate) * SAMPLE_BYTES
