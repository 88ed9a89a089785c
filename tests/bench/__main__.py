"""`make bench`: our phone and Debian's baresip side by side, as a table and as JSON.

    python -m tests.bench [--only WORD] [--save]

Each row runs both phones one after the other in the same minute, so that a noisy machine is noisy
for both. Rows that miss their goal are printed as such.
"""

import argparse
import compileall
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import bench_sip_parse, echo_scene
from tests.bench.machine import describe
from tests.bench.phones import PHONES
from tests.bench.rows import GOALS, ROWS, Figures

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests/bench/results"

ALONE = {"parse": bench_sip_parse.run, "echo": echo_scene.run}
"""Rows of parts of ours, for which nobody has to be called."""


def verdict(key: str, ours: float, peer: float | None) -> str:
    """Whether the goal is reached."""
    if key not in GOALS:
        return ""
    kind, must, aim = GOALS[key]
    if kind == "×":
        if not peer:
            return "no peer"
        ours, kind = ours / peer, "<="
        unit = "× baresip"
    else:
        unit = ""
    better = (lambda goal: ours <= goal) if kind == "<=" else (lambda goal: ours >= goal)
    if better(aim):
        return f"aim reached ({kind} {aim:g}{unit})"
    return f"reached ({kind} {must:g}{unit})" if better(must) else f"MISSED ({kind} {must:g}{unit})"


def table(figures: dict[str, Figures]) -> str:
    """Both phones, the ratio and the verdict."""
    ours, peer = figures["deskphone"], figures["baresip"]
    lines = [f"{'':32} {'deskphone':>11} {'baresip':>11} {'ratio':>7}  goal"]
    for key in ours:
        other = peer.get(key)
        ratio = f"{ours[key] / other:7.2f}" if other else "      –"
        shown = f"{other:11.4g}" if other is not None else f"{'–':>11}"
        lines.append(
            f"{key:32} {ours[key]:11.4g} {shown} {ratio}  {verdict(key, ours[key], other)}"
        )
    return "\n".join(lines)


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", default="", help="run the rows whose name holds this word")
    parser.add_argument("--save", action="store_true", help="keep the JSON under results/")
    options = parser.parse_args()
    # As pip leaves an installed phone, also where Python is told to write no bytecode itself.
    for package in ("firmware", "hal"):
        compileall.compile_dir(ROOT / package, quiet=1)
    figures = measured(options.only)
    sys.stdout.write(table(figures) + "\n")
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        stamp = time.strftime("%Y-%m-%d-%H%M")
        record = {**describe(ROOT), "figures": figures}
        (RESULTS / f"{stamp}.json").write_text(json.dumps(record, indent=2) + "\n")
    return 0


def measured(only: str) -> dict[str, Figures]:
    """The rows whose name holds this word, phone by phone."""
    figures: dict[str, Figures] = {"deskphone": {}, "baresip": {}}
    with tempfile.TemporaryDirectory(prefix="dpbench-") as folder:
        for name, row in ROWS.items():
            if only not in name:
                continue
            for make in PHONES:
                sys.stderr.write(f"{name}: {make.name} …\n")
                try:
                    figures[make.name].update(row(make, Path(folder)))
                except (AssertionError, OSError, RuntimeError) as error:
                    sys.stderr.write(f"{name}: {make.name} failed: {error}\n")
    for name, run in ALONE.items():
        if only in name:
            figures["deskphone"].update(run())
    return figures


if __name__ == "__main__":
    sys.exit(main())
