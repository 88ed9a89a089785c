"""Speech to judge a phone by, made at run time: recorded prompts, or a speaking machine.

A segment is eight seconds at -26 dBov, as PESQ wants it. The prompts are those of Debian's
`asterisk-core-sounds-en-g722` (a person's voice, 16 kHz); without that package espeak-ng speaks.
Nothing of either is kept.
"""

import io
import random
import subprocess
import wave
from array import array
from functools import lru_cache
from pathlib import Path

import numpy as np
from G722 import G722
from numpy.typing import NDArray

WIDE = 16000
SECONDS = 8.0
LEVEL = -26.0
PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_SHORTEST_PROMPT = 8000
_BETWEEN = 3200
_SENTENCES = (
    "She carried the lamp to the window and waited.",
    "Nobody had told him that the last train leaves at nine.",
    "Put the small box under the table beside the door.",
    "The harbour was quiet, and five boats lay in the fog.",
    "Every child in the village knew the way to the mill.",
    "We bought bread, cheese, and a jar of plum jam.",
    "It rained all week, so the garden is green again.",
    "Could you ring me back when the doctor has called?",
)

Samples = NDArray[np.float64]


def source() -> str:
    """Whose voice it is."""
    return "asterisk-core-sounds-en-g722" if PROMPTS.is_dir() else "espeak-ng"


@lru_cache(maxsize=8)
def segment(seed: int, rate: int = WIDE, seconds: float = SECONDS) -> bytes:
    """So many seconds of 16-bit speech; other seeds say something else."""
    rng = random.Random(seed)  # noqa: S311 - a choice of prompts
    say = _prompt if PROMPTS.is_dir() else _machine
    wide = np.zeros(0)
    while len(wide) < seconds * WIDE:
        wide = np.concatenate([wide, say(rng), np.zeros(_BETWEEN)])
    wide = wide[: round(seconds * WIDE)]
    out = wide if rate == WIDE else resample(wide, WIDE, rate)
    out *= 32768 * 10 ** (LEVEL / 20) / np.sqrt(np.mean(out**2))
    return np.clip(np.rint(out), -32768, 32767).astype("<i2").tobytes()


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """At another rate, by way of the spectrum: no aliases, no delay."""
    count = round(len(samples) * wanted / rate)
    spectrum = np.fft.rfft(samples)
    kept = np.zeros(count // 2 + 1, dtype=complex)
    common = min(len(kept), len(spectrum))
    kept[:common] = spectrum[:common]
    return np.fft.irfft(kept, count) * (wanted / rate)


def _prompt(rng: random.Random) -> Samples:
    while True:
        data = rng.choice(_prompts()).read_bytes()
        if len(data) >= _SHORTEST_PROMPT:
            return np.array(G722(WIDE, 64000).decode(data), dtype=np.float64)


@lru_cache(maxsize=1)
def _prompts() -> list[Path]:
    return sorted(PROMPTS.glob("*.g722"))


def _machine(rng: random.Random) -> Samples:
    voice = rng.choice(("en", "en+f3", "en-us", "en-gb+m4"))
    made = subprocess.run(
        ["espeak-ng", "-v", voice, "--stdout", rng.choice(_SENTENCES)],
        capture_output=True,
        check=True,
        timeout=20,
    ).stdout
    with wave.open(io.BytesIO(made)) as recording:
        rate = recording.getframerate()
        pcm = array("h", recording.readframes(1 << 24))
    return resample(np.array(pcm, dtype=np.float64), rate, WIDE)
