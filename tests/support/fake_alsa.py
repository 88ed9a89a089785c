"""A stand-in for the module `alsaaudio`: cards with buffers and clocks, on time that a test moves.

It does what pyalsaaudio 0.11 was seen doing: a device opens in any shape and says in `info` what it
became; `read` and `write` give a negative errno after an xrun and are prepared again by then;
`avail` gives a negative errno and raises nothing; a device that is gone raises.
"""

import errno
import os
from types import SimpleNamespace

SECOND = 1.0


class AlsaError(Exception):
    pass


class Hardware:
    """One sound card: what it can do, what was played on it, what its microphone hears."""

    def __init__(self, rates=(16_000, 48_000), channels=(1, 2), bits=(16,), ppm=0.0, ear_ppm=None):
        self.rates, self.channels, self.bits = rates, channels, bits
        self.mouth_speed = 1.0 + ppm * 1e-6
        self.ear_speed = self.mouth_speed if ear_ppm is None else 1.0 + ear_ppm * 1e-6
        self.busy = self.gone = self.forbidden = self.silent = False
        self.playing = self.capturing = None
        self.heard = bytearray()
        self.speech = lambda count: bytes(2 * count)
        """Mono 16-bit samples for the microphone."""


class FakeAlsa:
    """The module. `cards` are `Hardware` by ALSA's name; `now` is moved by `sleep`."""

    PCM_PLAYBACK, PCM_CAPTURE, PCM_NONBLOCK = 0, 1, 1
    PCM_FORMAT_S16_LE, PCM_FORMAT_S16_BE, PCM_FORMAT_S32_LE, PCM_FORMAT_S32_BE = 2, 3, 10, 11
    ALSAAudioError = AlsaError

    def __init__(self, cards):
        self.cards = cards
        self.now = 100.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def PCM(self, **shape):  # noqa: N802 - the library's own name
        card = self.cards.get(shape["device"])
        if card is None or card.gone:
            raise AlsaError(f"No such file or directory [{shape['device']}]")
        if card.forbidden:
            raise AlsaError(f"Permission denied [{shape['device']}]")
        if card.busy:
            raise AlsaError(f"Device or resource busy [{shape['device']}]")
        assert shape["mode"] == self.PCM_NONBLOCK, "a busy device would be waited for"
        return FakePcm(self, card, SimpleNamespace(**shape))


class FakePcm:
    def __init__(self, alsa, card, shape):
        self.alsa, self.card, self.shape = alsa, card, shape
        self.bits = 32 if shape.format == alsa.PCM_FORMAT_S32_LE else 16
        self.rate = min(card.rates, key=lambda rate: abs(rate - shape.rate))
        self.channels = shape.channels
        if shape.channels not in card.channels or self.bits not in card.bits:
            raise AlsaError("Invalid argument [x]")
        self.buffer = shape.periodsize * shape.periods
        self.started, self.moved, self.closed = None, 0, False
        self.passed = 0
        self.starts = []
        """When it was started, each time, and how many samples had passed before."""
        self.plays = shape.type == alsa.PCM_PLAYBACK
        self.speed = card.ear_speed if self.plays else card.mouth_speed
        if self.plays:
            card.playing = self
        else:
            card.capturing = self

    def info(self):
        return {
            "rate": self.rate,
            "channels": self.channels,
            "format": self.shape.format,
            "physical_bits": self.bits,
            "buffer_size": self.buffer,
        }

    def _clock(self):
        """Samples the card has played or recorded since it was started."""
        if self.started is None:
            return 0
        return int((self.alsa.now - self.started) * self.rate * self.speed)

    def avail(self):
        if self.card.gone:
            return -errno.ENODEV
        if self.plays:
            queued = self.moved - self._clock()
            return -errno.EPIPE if self.started is not None and queued < 0 else self.buffer - queued
        recorded = 0 if self.card.silent else self._clock() - self.moved
        return -errno.EPIPE if recorded > self.buffer else recorded

    def _start(self):
        if self.started is None:
            self.started = self.alsa.now
            self.starts.append((self.started, self.passed))

    def _prepare(self):
        self.started, self.moved = None, 0
        return -errno.EPIPE

    def _fail_if_gone(self):
        if self.card.gone:
            raise AlsaError(f"{os.strerror(errno.ENODEV)} [x]")

    def write(self, data):
        self._fail_if_gone()
        if self.avail() == -errno.EPIPE:
            return self._prepare()
        count = min(len(data) // (self.channels * self.bits // 8), self.avail())
        self._start()
        self.moved += count
        self.passed += count
        self.card.heard += data[: count * self.channels * self.bits // 8]
        return count

    def read(self):
        self._fail_if_gone()
        self._start()
        room = self.avail()
        if room == -errno.EPIPE:
            return self._prepare(), b""
        count = min(room, self.shape.periodsize)
        self.moved += count
        self.passed += count
        mono = self.card.speech(count)
        wide = b"".join(
            (bytes(self.bits // 8 - 2) + mono[at : at + 2]) * self.channels
            for at in range(0, len(mono), 2)
        )
        return count, wide

    def close(self):
        self.closed = True
