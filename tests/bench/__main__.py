"""`make bench`: our phone and Debian's baresip side by side, as a table and as JSON.

    python -m tests.bench [--only WORD,WORD] [--rounds N] [--minutes M] [--save]

Each row runs both phones one after the other in the same minute, so that a noisy machine is noisy
for both, and is measured in several rounds, each with a seed of its own; the median is what counts.
What a call costs is noisier than anything else here: four times as many rounds, and shorter ones.
Rows that miss their goal are printed as such, and a missed ratio comes with what the cost is made
of. All rows take 80 minutes; `--only call,pacing` takes what it names.
"""

import argparse
import compileall
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from tests.bench import anatomy
from tests.bench.alone import rows as rows_alone
from tests.bench.machine import describe
from tests.bench.phones import PHONES
from tests.bench.rows import GOALS, ROWS, TURNS, Figures
from tests.bench.summary import missed, summary, table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests/bench/results"
ROUNDS = 3
_FAILS = (AssertionError, LookupError, OSError, RuntimeError, ValueError)
"""How a phone may fail a row without taking the other rows along."""
Values = dict[str, dict[str, list[float]]]


def main() -> int:
    """Measure, print, save."""
    options = _options()
    # As pip leaves an installed phone, also where Python is told to write no bytecode itself.
    for package in ("firmware", "hal"):
        compileall.compile_dir(ROOT / package, quiet=1)
    machine = describe(ROOT)
    values = measured(options.only, options.rounds, options.minutes)
    figures = {name: summary(found) for name, found in values.items()}
    sys.stdout.write(table(machine, figures, GOALS, options.rounds) + "\n")
    for row in missed(figures, GOALS):
        sys.stdout.write(anatomy.explain(row))
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        record = {**machine, "rounds": options.rounds, "figures": figures, "values": values}
        path = RESULTS / f"{time.strftime('%Y-%m-%d-%H%M')}.json"
        path.write_text(json.dumps(record, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", default="", help="rows whose name holds one of these, by commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="seeds of each row")
    parser.add_argument(
        "--minutes",
        type=float,
        default=3.4,
        help="of a call beside a busy phone, each round: no packet may be late in ten",
    )
    parser.add_argument("--save", action="store_true", help="keep the JSON under results/")
    return parser.parse_args()


def measured(only: str, rounds: int, minutes: float) -> Values:
    """The rows whose name holds one of these words, phone by phone: each figure of each round."""
    values: Values = {"deskphone": {}, "baresip": {}}
    words = only.split(",")

    def measure(name: str, seed: int, phone: str, work: Callable[[], Figures]) -> None:
        sys.stderr.write(f"{name}, {seed + 1} of {rounds * TURNS.get(name, 1)}: {phone} …\n")
        try:
            for key, value in work().items():
                values[phone].setdefault(key, []).append(value)
        except _FAILS as error:
            sys.stderr.write(f"{name}: {phone} failed: {error}\n")

    with tempfile.TemporaryDirectory(prefix="dpbench-") as name:
        folder = Path(name)
        for row, seed in _wanted(ROWS, words, rounds):
            # In turns: what the machine does to one it does to the other.
            for make in PHONES:
                measure(row, seed, make.name, partial(ROWS[row], make, folder, seed))
        alone = rows_alone(minutes)
        for row, seed in _wanted(alone, words, rounds):
            measure(row, seed, "deskphone", partial(alone[row], folder, seed))
    return values


def _wanted(rows: Iterable[str], words: list[str], rounds: int) -> Iterator[tuple[str, int]]:
    """Each row that was asked for, with each seed."""
    for name in rows:
        if any(word in name for word in words):
            yield from ((name, seed) for seed in range(rounds * TURNS.get(name, 1)))


if __name__ == "__main__":
    sys.exit(main())
