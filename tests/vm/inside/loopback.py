"""The other end of snd-aloop: a mouth and an ear at the phone's sound card, inside a virtual Pi.

What the phone plays on device 0 of the card `Loopback` is recorded from device 1, and the other way
round. The card's two ends have one clock, as a handset's have.
"""

import threading
import time
from collections.abc import Callable
from typing import Self

import alsaaudio

from firmware.base.pcm import audioop
from firmware.dsp.sine import Sine
from firmware.dsp.tone_probe import dominant, tone_level
from tests.support.waiting import wait_for

RATE = 16_000
PERIOD = 160
_DEVICE = "plughw:CARD=Loopback,DEV=1"


class FarSide:
    """Listens from the start; `say` speaks a tone until another or none is said."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._guard = threading.Lock()
        self._heard: list[tuple[float, bytes]] = []
        self._tone: Sine | None = None
        jobs = (self._listen, self._speak)
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(5)

    def say(self, hertz: float | None) -> None:
        """Speak a tone from now on, or be quiet."""
        with self._guard:
            self._tone = Sine(hertz, RATE) if hertz else None

    def last(self, seconds: float) -> bytes:
        """What was heard most recently."""
        with self._guard:
            pcm = b"".join(each for _, each in self._heard[-round(seconds * RATE / PERIOD) - 1 :])
        return pcm[-round(seconds * RATE) * 2 :]

    def hears(self, hertz: float, floor: float = -40.0, seconds: float = 0.2) -> bool:
        """Whether this tone is in what was heard most recently."""
        pcm = self.last(seconds)
        return len(pcm) == round(seconds * RATE) * 2 and tone_level(pcm, RATE, hertz) > floor

    def wait_tone(self, hertz: float, seconds: float = 10.0, floor: float = -40.0) -> float:
        """Until a tone is heard; how long it took, in seconds."""
        return self._wait(lambda: self.hears(hertz, floor, 0.1), f"{hertz:g} Hz", seconds)

    def wait_silence(self, hertz: float, seconds: float = 10.0) -> float:
        """Until a tone is not heard any more; how long it took, in seconds."""
        return self._wait(lambda: not self.hears(hertz, -50.0, 0.1), f"no {hertz:g} Hz", seconds)

    def _wait(self, true: Callable[[], bool], what: str, seconds: float) -> float:
        began = time.monotonic()
        try:
            wait_for(what, true, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; heard {self._summary()}") from None
        return time.monotonic() - began

    def _summary(self) -> str:
        pcm = self.last(0.2)
        return f"{len(pcm) // 2} samples, {dominant(pcm, RATE)}" if pcm else "nothing at all"

    def _listen(self) -> None:
        pcm = self._open(alsaaudio.PCM_CAPTURE)
        while pcm is not None and not self._stopped.is_set():
            try:
                count, data = pcm.read()
            except alsaaudio.ALSAAudioError:  # the card was pulled
                pcm.close()
                count, data = 0, b""
                pcm = self._open(alsaaudio.PCM_CAPTURE)
            if count > 0:
                with self._guard:
                    self._heard.append((time.monotonic(), data))
                    del self._heard[:-2000]

    def _speak(self) -> None:
        pcm = self._open(alsaaudio.PCM_PLAYBACK)
        while pcm is not None and not self._stopped.is_set():
            with self._guard:
                tone = self._tone
            block = audioop.mul(tone.block(PERIOD), 2, 0.25) if tone else bytes(PERIOD * 2)
            try:
                pcm.write(block)
            except alsaaudio.ALSAAudioError:
                pcm.close()
                pcm = self._open(alsaaudio.PCM_PLAYBACK)

    def _open(self, direction: int) -> alsaaudio.PCM | None:
        """This end of the card, as soon as it is there; None when nobody listens any more."""
        while not self._stopped.is_set():
            try:
                return _opened(direction)
            except alsaaudio.ALSAAudioError:
                self._stopped.wait(0.05)
        return None


def _opened(direction: int) -> alsaaudio.PCM:
    return alsaaudio.PCM(
        type=direction,
        device=_DEVICE,
        rate=RATE,
        channels=1,
        format=alsaaudio.PCM_FORMAT_S16_LE,
        periodsize=PERIOD,
        periods=8,
    )
