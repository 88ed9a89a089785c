"""libspeexdsp through ctypes: the one place that knows its names and its memory.

The library is Debian's libspeexdsp1; it is loaded when first asked for, and what needs it asks
`available()` first.
"""

import ctypes
from collections.abc import Callable
from functools import lru_cache

LIBRARY = "libspeexdsp.so.1"
PACKAGE = "libspeexdsp1"
QUALITY = 3
"""Exact frame lengths, 1.5 to 3 ms of delay, aliases at -119 dB."""


_STATE, _FRAME, _INT = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int
_COUNT = ctypes.POINTER(ctypes.c_uint32)
_FUNCTIONS: dict[str, tuple[type | None, list[type]]] = {
    "speex_resampler_init": (
        _STATE,
        [ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, _INT, ctypes.POINTER(_INT)],
    ),
    "speex_resampler_destroy": (None, [_STATE]),
    "speex_resampler_process_int": (
        _INT,
        [_STATE, ctypes.c_uint32, ctypes.c_char_p, _COUNT, ctypes.c_void_p, _COUNT],
    ),
    "speex_echo_state_init": (_STATE, [_INT, _INT]),
    "speex_echo_state_reset": (None, [_STATE]),
    "speex_echo_state_destroy": (None, [_STATE]),
    "speex_echo_ctl": (_INT, [_STATE, _INT, ctypes.c_void_p]),
    "speex_echo_cancellation": (None, [_STATE, ctypes.c_char_p, ctypes.c_char_p, _FRAME]),
    "speex_preprocess_state_init": (_STATE, [_INT, _INT]),
    "speex_preprocess_state_destroy": (None, [_STATE]),
    "speex_preprocess_ctl": (_INT, [_STATE, _INT, ctypes.c_void_p]),
    "speex_preprocess_run": (_INT, [_STATE, _FRAME]),
}
"""Name → what it returns, what it takes."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(LIBRARY)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
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


_ECHO_RATE = 24
_DENOISE, _AGC, _NOISE_DB, _ECHO_DB, _ECHO_DB_TALKING, _ECHO_STATE = 0, 2, 18, 20, 22, 24
_AGC_MAX_DB, _AGC_TARGET = 30, 46
"""Requests of `speex_echo_ctl` and `speex_preprocess_ctl`."""

_ECHO_SECONDS = 0.128
"""How late an echo may be: the card's own delay and a room."""
_RESIDUE_DB, _RESIDUE_DB_TALKING = -30, 0
_LITTLE_NOISE_DB, _MUCH_NOISE_DB = -3, -15
_LOUDEST_GAIN_DB = 24
_LEVEL = 8000
"""What automatic gain aims at: some -12 dBov at the peaks of speech."""


class SpeexCleaner:
    """Echo cancellation, noise suppression and automatic gain for one microphone, 20 ms at a time.

    What is left of an echo is pressed down by the noise suppressor, so that is always at work.
    """

    __slots__ = ("_clean", "_echo", "_frees", "_out", "_preprocess", "_realign")

    def __init__(self, rate: int, *, echo: bool, noise: bool, gain: bool) -> None:
        """Make one.

        Raises:
            SpeexError: the library is not there.
        """
        library = _library()
        if library is None:
            raise SpeexError(f"{LIBRARY} is missing: install {PACKAGE}")
        samples = rate // 50
        self._preprocess: Callable[[ctypes.Array[ctypes.c_char]], int]
        self._frees: list[tuple[Callable[[int], None], int]] = []
        self._out = ctypes.create_string_buffer(samples * 2)
        self._clean, self._realign = library.speex_echo_cancellation, library.speex_echo_state_reset
        self._echo = 0
        state = library.speex_preprocess_state_init(samples, rate)
        self._frees.append((library.speex_preprocess_state_destroy, state))
        wishes = [(_DENOISE, 1), (_NOISE_DB, _MUCH_NOISE_DB if noise else _LITTLE_NOISE_DB)]
        if gain:
            wishes += [(_AGC, 1), (_AGC_TARGET, _LEVEL), (_AGC_MAX_DB, _LOUDEST_GAIN_DB)]
        if echo:
            self._echo = library.speex_echo_state_init(samples, round(rate * _ECHO_SECONDS))
            self._frees.append((library.speex_echo_state_destroy, self._echo))
            library.speex_echo_ctl(self._echo, _ECHO_RATE, ctypes.byref(_INT(rate)))
            library.speex_preprocess_ctl(state, _ECHO_STATE, self._echo)
            wishes += [(_ECHO_DB, _RESIDUE_DB), (_ECHO_DB_TALKING, _RESIDUE_DB_TALKING)]
        for request, value in wishes:
            library.speex_preprocess_ctl(state, request, ctypes.byref(_INT(value)))
        self._preprocess = lambda frame: library.speex_preprocess_run(state, frame)

    def clean(self, microphone: bytes, played: bytes) -> bytes:
        """20 ms of speech; `played` is what the loudspeaker got in the frame before."""
        if self._echo:
            self._clean(self._echo, microphone, played, self._out)
        else:
            self._out.raw = microphone
        self._preprocess(self._out)
        return self._out.raw

    def realign(self) -> None:
        """The delay from loudspeaker to microphone is another: learn it anew."""
        if self._echo:
            self._realign(self._echo)

    def __del__(self) -> None:
        for free, state in getattr(self, "_frees", ()):
            free(state)
