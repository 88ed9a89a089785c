"""Sound quality on virtual time: the real reception behind a network on paper, scored by PESQ.

    python -m tests.bench.quality [--seeds N] [--only WORD] [--save]

Each score is the median over seeds: other speech, other misfortune, another phase between the far
end's packets and our frames. Beside it stands the ceiling: the codec alone with the same speech;
for Opus with the same losses too, repaired by a decoder that has all the time in the world.
The delay is what cross-correlation finds between what was sent and what was heard, as the sender
sees it: it has the network's own delay in it.
"""

import argparse
import importlib.util
import json
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from firmware.codec import CODECS, Codec, CodecRow
from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.rtp.packet import RtpPacket
from tests.bench.machine import describe
from tests.bench.network import NETWORKS, Network
from tests.bench.speech import segment, source
from tests.support.virtual_call import VirtualCall, drifting, trace, travelled

FRAME = 0.020
LEAD = 6.0
"""Seconds of speech that nobody scores: the delay finds its place in them."""
REST, TAIL = 0.3, 0.06
"""Seconds of silence after what is scored, and how much of what is heard then is looked at: if the
delay grew in between, the last word would be cut off, and that is not what was heard."""
THERE = ("192.0.2.1", 4000)
ROOT = Path(__file__).resolve().parents[2]
PHASES = (0.003, 0.010, 0.017)
DRIFT_HOURS = 2.0
Tell = Callable[[str], object]
_LONGEST_DELAY = 0.5
_NUMBER = 96
_BEGIN = 100.0


@dataclass(frozen=True)
class Score:
    """One segment: PESQ, seconds of delay, share of frames invented."""

    pesq: float
    delay: float
    concealed: float


def pesq(wanted: bytes, heard: bytes, rate: int) -> float:
    """ITU-T P.862.1 at 8 kHz, P.862.2 at 16 kHz.

    Raises:
        RuntimeError: the package pesq is missing.
    """
    if importlib.util.find_spec("pesq") is None:
        raise RuntimeError("sound is judged by the package pesq: pip install pesq")
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


def rate_of(row: CodecRow) -> int:
    """Samples a second at which a codec is judged: PESQ knows two rates."""
    return min(row.sample_rate, 16000)


def loaded(row: CodecRow) -> Codec:
    """The codec at that rate."""
    return row.load().at(rate_of(row))


def payloads(row: CodecRow, speech: bytes, loss: float = 0.0) -> list[bytes]:
    """Speech as 20 ms payloads, by an encoder that knows how much will be lost."""
    encoder = loaded(row).encoder(row.fmtp)
    encoder.expect_loss(loss)
    size = rate_of(row) // 50 * 2
    return [encoder.encode(speech[at : at + size]) for at in range(0, len(speech), size)]


def listen(
    row: CodecRow, sent: list[bytes], network: Network, seed: int
) -> tuple[bytes, Reception]:
    """What the person hears from the moment the first packet was sent."""
    rate = rate_of(row)
    reception = Reception(rate)
    reception.expect((PayloadFormat(_NUMBER, row.encoding, row.rtp_clock, row.channels, row.fmtp),))
    rng = random.Random(seed)  # noqa: S311 - a seeded phase
    phase, number, stamp = rng.random() * FRAME, rng.randrange(1 << 16), rng.randrange(1 << 32)
    ticks = row.rtp_clock // 50
    arrivals = network.arrivals(len(sent), seed)
    out, place = [bytes(round(phase * rate) * 2)], 0
    for frame in range(len(sent) + round(_LONGEST_DELAY / FRAME)):
        now = _BEGIN + frame * FRAME + phase
        while place < len(arrivals) and _BEGIN + arrivals[place].at <= now:
            at, index = arrivals[place]
            packet = RtpPacket(
                _NUMBER,
                (number + index) & 0xFFFF,
                (stamp + index * ticks) & 0xFFFFFFFF,
                7,
                sent[index],
            )
            reception.receive(packet, THERE, _BEGIN + at)
            place += 1
        heard = reception.hear(now)
        out.append(heard if reception.rate == rate else bytes(rate // 50 * 2))
    return b"".join(out), reception


def score(row: CodecRow, network: Network, seed: int) -> Score:
    """One segment through one network."""
    rate = rate_of(row)
    lead = segment(seed + 1000, rate, LEAD)
    wanted = segment(seed, rate)
    sent = payloads(row, lead + wanted + rest(rate), network.loss)
    out, reception = listen(row, sent, network, seed)
    judged, behind = judge(wanted, out[len(lead) :], rate)
    invented = reception.buffer.concealed / (len(out) / (rate // 50 * 2))
    return Score(judged, behind, invented)


def rest(rate: int) -> bytes:
    """What is sent after what is scored."""
    return bytes(round(REST * rate) * 2)


def judge(wanted: bytes, heard: bytes, rate: int) -> tuple[float, float]:
    """PESQ of something in what was heard from about then on; how many seconds it came after."""
    span = len(wanted) + round(_LONGEST_DELAY * rate) * 2
    behind = lag(wanted, heard[:span])
    aligned = heard[behind * 2 :][: len(wanted) + round(TAIL * rate) * 2]
    return pesq(wanted, aligned.ljust(len(wanted), b"\0"), rate), behind / rate


def ceiling(row: CodecRow, network: Network, seed: int) -> float:
    """The codec alone; one that repeats what was lost, with these losses and no hurry."""
    rate = rate_of(row)
    lead = segment(seed + 1000, rate, LEAD)
    wanted = segment(seed, rate)
    kept = network if row.own_silence else Network()  # Opus brings its own repair
    out = repaired(row, lead + wanted + rest(rate), kept, seed)
    return judge(wanted, out[len(lead) :], rate)[0]


def repaired(row: CodecRow, speech: bytes, network: Network, seed: int) -> bytes:
    """What a decoder makes of it that knows what is lost and has all the time in the world."""
    sent, samples = payloads(row, speech, network.loss), rate_of(row) // 50
    there = {each.index for each in network.arrivals(len(sent), seed)}
    decoder, heard = loaded(row).decoder(), []
    for index, payload in enumerate(sent):
        if index in there:
            heard.append(decoder.decode(payload))
        elif index + 1 in there and index + 1 < len(sent):
            heard.append(decoder.recover(sent[index + 1], samples))
        else:
            heard.append(decoder.conceal(samples))
    return b"".join(heard)


_GOOD = ("clean", "jitter 20", "jitter 40", "jitter 80", "reorder 5", "dup 5", "skew +1000",
         "skew -1000")  # fmt: skip
ROWS: tuple[tuple[str, str, float | None, float | None], ...] = (
    *(("pcmu", name, 3.81, 3.86) for name in _GOOD),
    ("pcmu", "loss 5", 3.02, 3.2),
    ("pcmu", "loss 10", 2.58, 2.8),
    ("pcmu", "burst 5", 2.99, 3.1),
    ("pcmu", "long burst 5", 0.0, 0.0),
    ("g722", "clean", None, None),
    ("g722", "jitter 40", None, None),
    ("g722", "loss 5", 2.64, 3.0),
    ("opus", "clean", None, None),
    ("opus", "jitter 40", None, None),
    ("opus", "loss 5", None, None),
    ("opus", "loss 10", None, None),
    ("opus", "burst 5", None, None),
)
"""Codec, network, what must be reached, what is aimed at.

None: the codec alone is the measure. Nothing: it is shown, and nobody knows what can be reached.
"""
_NEAR = 0.10
"""As near as this is as good as the codec alone."""


def verdict(reached: float, alone: float, must: float | None, aim: float | None) -> str:
    """Whether the goal is reached."""
    if must == 0:
        return "no goal"
    if must is None or aim is None:
        return f"{'reached' if reached >= alone - _NEAR else 'MISSED'} (codec - {_NEAR:.2f})"
    if reached >= aim:
        return f"aim reached (>= {aim:g})"
    if reached < must:
        return f"MISSED (>= {must:g})"
    limit = ", the codec has no more" if reached >= alone - 0.01 else ""
    return f"reached (>= {must:g}, aim {aim:g}{limit})"


def run(
    seeds: int = 5, only: str = "", tell: Tell = sys.stdout.write
) -> dict[str, dict[str, float | str]]:
    """Every row that holds the word, told as it is ready."""
    figures: dict[str, dict[str, float | str]] = {}
    tell(f"{'PESQ, virtual time':22} {'ours':>6} {'worst':>6} {'codec':>6} {'delay':>7} inv.\n")
    for name, net, must, aim in ROWS:
        key, row, network = f"{name} {net}", CODECS[name], NETWORKS[net]
        if only not in key:
            continue
        alone = statistics.median(ceiling(row, network, seed) for seed in range(seeds))
        scores = [score(row, network, seed) for seed in range(seeds)]
        reached = statistics.median(each.pesq for each in scores)
        worst = min(each.pesq for each in scores)
        delay = statistics.median(each.delay for each in scores) * 1000
        invented = statistics.median(each.concealed for each in scores)
        said = verdict(reached, alone, must, aim)
        figures[key] = {
            "pesq": reached,
            "worst": worst,
            "codec": alone,
            "delay_ms": delay,
            "concealed": invented,
            "goal": said,
        }
        tell(
            f"{key:22} {reached:6.2f} {worst:6.2f} {alone:6.2f} {delay:5.0f} ms "
            f"{invented:5.1%}  {said}\n"
        )
    return figures


@dataclass(frozen=True)
class Profile:
    """How a call was on a recorded network; shares 0 to 1, delays in milliseconds."""

    mos: float
    worst_mos: float
    delay: float
    most_delay: float
    lost: float
    concealed: float


def profile(severity: str, link: int, phase: float) -> Profile:
    """Two minutes of a network of ITU-T G.1050; `phase` is how far our frames are behind."""
    delays = trace(severity, link)
    call = VirtualCall(phase=phase).run(travelled(delays), len(delays) * FRAME)
    settled = call.delays[5:]
    return Profile(
        statistics.mean(call.opinions[5:]),
        min(call.opinions[5:]),
        statistics.mean(settled),
        max(settled),
        sum(each < 0 for each in delays) / len(delays),
        call.concealed,
    )


def profiles(tell: Tell = sys.stdout.write) -> dict[str, dict[str, float]]:
    """The table of severities: the E-model's opinion, delay, share concealed; medians of phases."""
    tell("\nG.1050, severity-link  MOS  worst   delay   most   lost  concealed\n")
    found = {}
    for severity in "ABCDEFGH":
        for link in (36, 6):
            calls = [asdict(profile(severity, link, phase)) for phase in PHASES]
            each = {key: statistics.median(call[key] for call in calls) for key in calls[0]}
            found[f"{severity}-{link}"] = each
            tell(
                f"{severity}-{link:<19} {each['mos']:5.2f} {each['worst_mos']:6.2f} "
                f"{each['delay']:4.0f} ms {each['most_delay']:3.0f} ms {each['lost']:6.2%} "
                f"{each['concealed']:9.2%}\n"
            )
    return found


def drift(tell: Tell = sys.stdout.write) -> dict[str, dict[str, float]]:
    """Two hours beside a clock that runs wrong: how far the delay goes from its start."""
    tell("\ntwo hours of drift    start   least    most  made longer or shorter, invented\n")
    found = {}
    for ppm in (200, -200):
        call = VirtualCall(phase=0.011).run(drifting(ppm, DRIFT_HOURS), DRIFT_HOURS * 3600 - 3)
        settled, buffer = call.delays[30:], call.reception.buffer
        each = found[f"{ppm:+d} ppm"] = {
            "start_ms": settled[0],
            "least_ms": min(settled),
            "most_ms": max(settled),
            "stretched": call.reception.player.stretched,
            "invented": buffer.concealed + buffer.cut,
        }
        near = all(abs(delay - settled[0]) <= FRAME * 1000 for delay in settled)
        tell(
            f"{ppm:+5d} ppm          {each['start_ms']:5.1f} ms {each['least_ms']:5.1f} "
            f"{each['most_ms']:5.1f} ms {each['stretched']:7.0f} {each['invented']:14.0f}  "
            f"{'reached' if near else 'MISSED'} (within a frame of its start)\n"
        )
    return found


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quality")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    figures = run(options.seeds, options.only)
    networks = profiles() if options.only in "g.1050" else {}
    drifted = drift() if options.only in "drift" else {}
    if options.save:
        folder = ROOT / "tests/bench/results"
        folder.mkdir(exist_ok=True)
        record = {**describe(ROOT), "speech": source(), "seeds": options.seeds}
        record |= {"pesq": figures, "networks": networks, "drift": drifted}
        name = f"quality-{time.strftime('%Y-%m-%d-%H%M')}.json"
        (folder / name).write_text(json.dumps(record, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
