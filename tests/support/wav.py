"""WAV files of tones, and what is in a recording."""

import array
import math
import wave
from pathlib import Path

import numpy as np


def write_tone(
    path: Path,
    hertz: float,
    rate: int,
    seconds: float,
    peak: float = 9000.0,
    channels: int = 1,
) -> None:
    """Write a 16-bit sine, the same in every channel."""
    count = int(rate * seconds)
    step = 2 * math.pi * hertz / rate
    samples = array.array("h", (round(peak * math.sin(step * n)) for n in range(count)))
    if channels > 1:
        samples = array.array("h", (sample for sample in samples for _ in range(channels)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


def read(path: Path) -> tuple[int, np.ndarray]:
    """Rate and samples (float, mono, full scale = 1) of a recording, complete or cut off."""
    raw = path.read_bytes()
    with wave.open(str(path), "rb") as source:
        rate, channels = source.getframerate(), source.getnchannels()
        frames = source.readframes(len(raw))
    samples = np.frombuffer(frames[: len(frames) & ~1], dtype="<i2").astype(float) / 32768
    return rate, samples[::channels]


def sides(path: Path) -> tuple[int, np.ndarray, np.ndarray]:
    """Rate, left and right (full scale = 1) of a recorded call, as far as its header claims."""
    with wave.open(str(path), "rb") as source:
        assert source.getnchannels() == 2
        frames = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
        both = frames.astype(float).reshape(-1, 2) / 32768
        return source.getframerate(), both[:, 0], both[:, 1]


def loudest_tone(path: Path, seconds: float = 0.5, after: int = 0) -> tuple[float, float, float]:
    """Frequency, level in dBov and share of energy near it, in the loudest stretch.

    `after` is a size the file once had: only what was added since is looked at.
    """
    rate, samples = read(path)
    samples = samples[after // 2 :]
    size = int(rate * seconds)
    if len(samples) < size:
        return 0.0, -100.0, 0.0
    starts = range(0, len(samples) - size + 1, size // 2)
    best = max(starts, key=lambda start: float(np.sum(samples[start : start + size] ** 2)))
    stretch = samples[best : best + size]
    return spectrum_peak(stretch, rate)


def spectrum_peak(samples: np.ndarray, rate: int) -> tuple[float, float, float]:
    """Frequency of the strongest tone, level of the stretch in dBov, share of energy around it."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 4 * len(samples))) ** 2
    frequencies = np.fft.rfftfreq(4 * len(samples), 1 / rate)
    power[frequencies < 100] = 0
    total = float(power.sum())
    if total <= 0:
        return 0.0, -100.0, 0.0
    peak = float(frequencies[int(power.argmax())])
    near = float(power[np.abs(frequencies - peak) < max(0.02 * peak, 12)].sum())
    level = 10 * math.log10(max(float(np.mean(samples**2)), 1e-10))
    return peak, level, near / total


def strength(path: Path, hertz: float, after: int = 0, seconds: float = 0.5) -> float:
    """Share of the energy near a tone, in the stretch where that is greatest.

    `after` is a size the file once had: only what was added since is looked at.
    """
    rate, samples = read(path)
    samples, size = samples[after // 2 :], int(rate * seconds)
    return max(
        (
            _share(samples[start : start + size], rate, hertz)
            for start in range(0, len(samples) - size + 1, size // 2)
        ),
        default=0.0,
    )


def _share(samples: np.ndarray, rate: int, hertz: float) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / rate) - hertz) < max(0.02 * hertz, 12)
    total = float(power.sum())
    return float(power[near].sum()) / total if total > 1e-6 else 0.0
