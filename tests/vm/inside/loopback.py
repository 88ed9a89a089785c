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
PERIOD = 320
_LOOK = 0.1
"""Seconds of sound that are looked at."""
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

    def last(self, since: float) -> bytes:
        """The last 100 ms that were heard, unless that was before `since` (monotonic seconds)."""
        with self._guard:
            periods = self._heard[-round(_LOOK * RATE / PERIOD) :]
        return b"".join(pcm for at, pcm in periods if at > since)

    def level(self, hertz: float, since: float) -> float | None:
        """How loud a tone is now, in dBov; None until enough was heard."""
        pcm = self.last(since)
        return tone_level(pcm, RATE, hertz) if len(pcm) >= round(_LOOK * RATE) * 2 else None

    def wait_tone(self, hertz: float, seconds: float = 20.0, floor: float = -40.0) -> float:
        """Until a tone is heard; how long that took, in seconds, the look of 100 ms included."""
        return self._wait(f"{hertz:g} Hz", hertz, lambda level: level > floor, seconds)

    def wait_silence(self, hertz: float, seconds: float = 20.0) -> float:
        """Until a tone is not heard any more; how long that took, likewise."""
        return self._wait(f"no {hertz:g} Hz", hertz, lambda level: level < -50.0, seconds)

    def _wait(
        self, what: str, hertz: float, true: Callable[[float], bool], seconds: float
    ) -> float:
        began = time.monotonic()

        def heard() -> bool:
            level = self.level(hertz, began)
            return level is not None and true(level)

        try:
            wait_for(what, heard, seconds)
        except AssertionError as error:
            pcm = self.last(0.0)
            found = dominant(pcm, RATE) if pcm else "nothing at all"
            raise AssertionError(f"{error}; heard {found}") from None
        return time.monotonic() - began

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
