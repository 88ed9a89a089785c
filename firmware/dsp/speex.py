"""libspeexdsp through ctypes: the one place that knows its names and its memory.

The library is Debian's libspeexdsp1; it is loaded when first asked for, and what needs it asks
`available()` first. Only the resampler is wrapped here so far.
"""

import ctypes
from functools import lru_cache

LIBRARY = "libspeexdsp.so.1"
PACKAGE = "libspeexdsp1"
QUALITY = 3
"""Exact frame lengths, 1.5 to 3 ms of delay, aliases at -119 dB."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(LIBRARY)
        library.speex_resampler_init.restype = ctypes.c_void_p
        library.speex_resampler_init.argtypes = [
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.c_int,
            ctypes.POINTER(ctypes.c_int),
        ]
        library.speex_resampler_destroy.restype = None
        library.speex_resampler_destroy.argtypes = [ctypes.c_void_p]
        library.speex_resampler_process_int.restype = ctypes.c_int
        library.speex_resampler_process_int.argtypes = [
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_char_p,
            ctypes.POINTER(ctypes.c_uint32),
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_uint32),
        ]
    except (OSError, AttributeError):
        return None
    return library


def available() -> bool:
    """Whether the library is there and is the one meant."""
    return _library() is not None


class SpeexError(OSError):
    """The library refused, or is not there."""


class SpeexResampler:
    """A mono resampler with memory; `convert` takes frames of any length."""

    __slots__ = ("_destroy", "_made", "_out", "_process", "_ratio", "_room", "_state", "_taken")

    def __init__(self, rate: int, wanted: int, quality: int = QUALITY) -> None:
        """Make one.

        Raises:
            SpeexError: the library is not there, or does not know these rates.
        """
        library = _library()
        if library is None:
            raise SpeexError(f"{LIBRARY} is missing: install {PACKAGE}")
        error = ctypes.c_int(0)
        self._state = library.speex_resampler_init(1, rate, wanted, quality, ctypes.byref(error))
        if not self._state:
            raise SpeexError(f"no resampler from {rate} to {wanted}: error {error.value}")
        self._destroy = library.speex_resampler_destroy
        self._process = library.speex_resampler_process_int
        self._ratio = (rate, wanted)
        self._taken = ctypes.c_uint32(0)
        self._made = ctypes.c_uint32(0)
        self._room = 0
        self._out = ctypes.create_string_buffer(0)

    def convert(self, pcm: bytes) -> bytes:
        """The samples at the wanted rate: of a 20 ms frame exactly 20 ms."""
        samples = len(pcm) // 2
        rate, wanted = self._ratio
        room = samples * wanted // rate + 1
        if room > self._room:
            self._room = room
            self._out = ctypes.create_string_buffer(room * 2)
        self._taken.value = samples
        self._made.value = room
        self._process(self._state, 0, pcm, self._taken, self._out, self._made)
        return self._out.raw[: self._made.value * 2]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._destroy(self._state)
            self._state = None
