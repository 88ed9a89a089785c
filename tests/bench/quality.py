"""Sound quality on virtual time: the real reception behind a network on paper, scored by PESQ.

    python -m tests.bench.quality [--seeds N] [--only WORD] [--save]

Each score is the median over seeds: other speech, other misfortune, another phase between the far
end's packets and our frames. Beside it stands the ceiling: the codec alone with the same speech.
The delay is what cross-correlation finds between what was sent and what was heard, as the sender
sees it: it has the network's own delay in it.
"""

import argparse
import json
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware.codec import CODECS, CodecRow
from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.rtp.packet import RtpPacket
from tests.bench.machine import describe
from tests.bench.network import NETWORKS, Network
from tests.bench.speech import segment, source

FRAME = 0.020
LEAD = 6.0
"""Seconds of speech that nobody scores: the delay finds its place in them."""
THERE = ("192.0.2.1", 4000)
ROOT = Path(__file__).resolve().parents[2]
_LONGEST_DELAY = 0.5
_NUMBER = 96


@dataclass(frozen=True)
class Score:
    """One segment: PESQ, seconds of delay, share of frames invented."""

    pesq: float
    delay: float
    concealed: float


def pesq(wanted: bytes, heard: bytes, rate: int) -> float:
    """ITU-T P.862.1 at 8 kHz, P.862.2 at 16 kHz."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pesq import pesq as judge  # noqa: PLC0415 - only where it is measured

        mode = "nb" if rate == 8000 else "wb"
        return float(judge(rate, np.frombuffer(wanted, "<i2"), np.frombuffer(heard, "<i2"), mode))


def lag(wanted: bytes, heard: bytes) -> int:
    """How many samples `heard` is behind, by cross-correlation; not less than nothing."""
    one, other = (np.frombuffer(each, "<i2").astype(float) for each in (wanted, heard))
    size = 1 << (len(one) + len(other)).bit_length()
    both = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size)), size)
    return int(np.argmax(both[: len(other)]))


def payloads(codec: CodecRow, speech: bytes) -> list[bytes]:
    """Speech as 20 ms payloads."""
    encoder = codec.load().encoder()
    size = codec.sample_rate // 50 * 2
    return [encoder.encode(speech[at : at + size]) for at in range(0, len(speech), size)]


def listen(
    codec: CodecRow, sent: list[bytes], network: Network, seed: int
) -> tuple[bytes, Reception]:
    """What the person hears from the moment the first packet was sent."""
    reception = Reception()
    reception.expect(
        (PayloadFormat(_NUMBER, codec.encoding, codec.rtp_clock, codec.channels, codec.fmtp),)
    )
    rng = random.Random(seed)  # noqa: S311 - a seeded phase
    phase, number, stamp = rng.random() * FRAME, rng.randrange(1 << 16), rng.randrange(1 << 32)
    ticks = codec.rtp_clock // 50
    arrivals = network.arrivals(len(sent), seed)
    out, place = [bytes(round(phase * codec.sample_rate) * 2)], 0
    for frame in range(len(sent) + round(_LONGEST_DELAY / FRAME)):
        now = 100.0 + frame * FRAME + phase
        while place < len(arrivals) and 100.0 + arrivals[place].at <= now:
            at, index = arrivals[place]
            packet = RtpPacket(
                _NUMBER,
                (number + index) & 0xFFFF,
                (stamp + index * ticks) & 0xFFFFFFFF,
                7,
                sent[index],
            )
            reception.receive(packet, THERE, 100.0 + at)
            place += 1
        heard = reception.hear(now)
        if reception.rate != codec.sample_rate:
            heard = bytes(codec.sample_rate // 50 * 2)
        out.append(heard)
    return b"".join(out), reception


def score(codec: CodecRow, network: Network, seed: int) -> Score:
    """One segment through one network."""
    rate = codec.sample_rate if codec.sample_rate != 48000 else 16000
    lead = segment(seed + 1000, codec.sample_rate, LEAD)
    wanted = segment(seed, codec.sample_rate)
    out, reception = listen(codec, payloads(codec, lead + wanted), network, seed)
    heard = out[len(lead) :][: len(wanted) + round(_LONGEST_DELAY * codec.sample_rate) * 2]
    behind = lag(wanted, heard)
    aligned = heard[behind * 2 :][: len(wanted)].ljust(len(wanted), b"\0")
    invented = reception.buffer.concealed / (len(out) / (codec.sample_rate // 50 * 2))
    return Score(
        pesq(_at(wanted, codec, rate), _at(aligned, codec, rate), rate),
        behind / codec.sample_rate,
        invented,
    )


def ceiling(codec: CodecRow, seed: int) -> float:
    """The codec alone."""
    wanted = segment(seed, codec.sample_rate)
    decoder = codec.load().decoder()
    heard = b"".join(decoder.decode(each) for each in payloads(codec, wanted))
    rate = codec.sample_rate if codec.sample_rate != 48000 else 16000
    behind = lag(wanted, heard)
    heard = heard[behind * 2 :].ljust(len(wanted), b"\0")
    return pesq(_at(wanted, codec, rate), _at(heard, codec, rate), rate)


def _at(pcm: bytes, codec: CodecRow, rate: int) -> bytes:
    if codec.sample_rate == rate:
        return pcm
    from tests.bench.speech import resample  # noqa: PLC0415

    samples = resample(np.frombuffer(pcm, "<i2").astype(float), codec.sample_rate, rate)
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def _median(values: list[float]) -> float:
    return statistics.median(values)


ROWS: tuple[tuple[str, str, float, float], ...] = (
    # codec, network, must, aim
    *(("pcmu", name, 3.81, 3.86) for name in NETWORKS if not name.startswith(("loss", "burst"))),
    ("pcmu", "loss 5", 3.02, 3.2),
    ("pcmu", "loss 10", 2.58, 2.8),
    ("pcmu", "burst 5", 2.99, 3.1),
    ("g722", "clean", 3.81, 3.86),
    ("g722", "jitter 40", 3.81, 3.86),
    ("g722", "loss 5", 2.64, 3.0),
)


def run(
    seeds: int = 5, only: str = "", tell: Callable[[str], object] = sys.stdout.write
) -> dict[str, dict[str, float]]:
    """Every row that holds the word, told as it is ready."""
    figures: dict[str, dict[str, float]] = {}
    ceilings: dict[str, float] = {}
    tell(f"{'PESQ, virtual time':22} {'ours':>6} {'worst':>6} {'codec':>6} {'delay':>7} inv.\n")
    for name, net, must, aim in ROWS:
        key = f"{name} {net}"
        if only not in key:
            continue
        codec = CODECS[name]
        if name not in ceilings:
            ceilings[name] = _median([ceiling(codec, seed) for seed in range(seeds)])
        scores = [score(codec, NETWORKS[net], seed) for seed in range(seeds)]
        figures[key] = {
            "pesq": _median([each.pesq for each in scores]),
            "worst": min(each.pesq for each in scores),
            "codec": ceilings[name],
            "delay_ms": _median([each.delay * 1000 for each in scores]),
            "concealed": _median([each.concealed for each in scores]),
            "must": must,
            "aim": aim,
        }
        row = figures[key]
        verdict = "aim" if row["pesq"] >= aim else "must" if row["pesq"] >= must else "MISSED"
        tell(
            f"{key:22} {row['pesq']:6.2f} {row['worst']:6.2f} {row['codec']:6.2f} "
            f"{row['delay_ms']:5.0f} ms {row['concealed']:5.1%}  {verdict} ({must:g} → {aim:g})\n"
        )
    return figures


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quality")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    figures = run(options.seeds, options.only)
    if options.save:
        folder = ROOT / "tests/bench/results"
        folder.mkdir(exist_ok=True)
        record = {**describe(ROOT), "speech": source(), "seeds": options.seeds, "pesq": figures}
        name = f"quality-{time.strftime('%Y-%m-%d-%H%M')}.json"
        (folder / name).write_text(json.dumps(record, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
