"""Rows of ours alone: parts of the phone, and what no peer was asked to do."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from firmware.codec import CODECS
from tests.bench import bench_sip_parse, busy_rows, desk_rows, echo_scene, mixer_rows
from tests.bench.network import Network
from tests.bench.quality import ceiling

Figures = dict[str, float]
Row = Callable[[Path, int], Figures]
"""Takes a folder and a seed."""


def rows(minutes: float) -> dict[str, Row]:
    """By name; `minutes` is the length of a call beside a phone that is busy with other things."""
    return {
        "parse": lambda _folder, _seed: bench_sip_parse.run(),
        "echo": lambda _folder, seed: echo_scene.scene(seed),
        "sound PESQ, codec alone": _codecs_alone,
        "mixer, PCMU": lambda _folder, _seed: mixer_rows.run(("pcmu",)),
        "mixer, three codecs": lambda _folder, _seed: mixer_rows.run(("pcmu", "g722", "opus")),
        "desk, key": desk_rows.keys,
        "desk, hook": desk_rows.hook,
        "desk, idle": desk_rows.idle,
        "pacing, busy phone": partial(busy_rows.run, minutes),
    }


def _codecs_alone(_folder: Path, seed: int) -> Figures:
    """What is left of speech by a codec, without any network: nobody can reach more."""
    return {
        f"pesq_{name}_codec_alone": ceiling(CODECS[name], Network(), seed)
        for name in ("pcmu", "g722", "opus")
    }
