"""Writes docs/figures.md from tests/bench/results: what benchmarks and the virtual Pi measured."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import GOALS  # noqa: E402 - tests are no part of the package
from tests.bench.summary import verdict  # noqa: E402 - likewise

RESULTS = ROOT / "tests/bench/results"
PAGE = ROOT / "docs/figures.md"
HEAD = """\
# What was measured

Made by `make docs` from the files in [tests/bench/results](../tests/bench/results); do not edit.
Each row is the latest measurement of its figure, and says at which commit; `make bench` makes new
ones beside baresip on the same machine, and `SAVE=1 make vm` those of the virtual Pi. Machines
differ: the ratio and the goal are what counts.

No figure here is of a real board: [the list for that](hardware-acceptance.md).
"""
DESK = "key_to_event", "hook_to_dial_tone", "hal_idle"
"""How the figures begin that the virtual Pi has, too."""
Record = Mapping[str, object]
Row = tuple[float, float | None, Record]
"""Ours, baresip's, and the record that they stand in."""


def main() -> int:
    """Write the page, or with `--check` say whether it is what it would be."""
    text = page()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text() == text:
            return 0
        sys.stderr.write("docs/figures.md is out of date: run make docs\n")
        return 1
    PAGE.write_text(text)
    return 0


def page() -> str:
    """The whole page."""
    rows = latest(records("20*.json"))
    calls = {key: row for key, row in rows.items() if not key.startswith(DESK)}
    desk = {key: row for key, row in rows.items() if key.startswith(DESK)}
    quality = records("quality-*.json")[-1]
    parts = [HEAD, "## A phone beside baresip\n", *beside(calls)]
    parts += ["\n## The desk: keys, hook, screen\n", *outside(desk)]
    for emulated in records("vm-*.json")[-1:]:
        parts += [f"\nIn the virtual Pi, emulated ({_of(emulated)}):\n", *inside(emulated)]
    parts += ["\n## Speech on bad networks, virtual time\n", *scores(quality)]
    parts += ["\n## Networks of ITU-T G.1050, virtual time\n", *severities(quality)]
    return "\n".join(parts) + "\n"


def records(pattern: str) -> list[Record]:
    """What was kept, the oldest first."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob(pattern))]


def latest(kept: list[Record]) -> dict[str, Row]:
    """Each figure where it was last measured."""
    found: dict[str, Row] = {}
    for record in kept:
        figures = record["figures"]
        for key, ours in figures["deskphone"].items():
            found[key] = ours, figures["baresip"].get(key), record
    return found


def beside(rows: Mapping[str, Row]) -> Iterator[str]:
    """Both phones and their ratio."""
    yield "| | deskphone | baresip | ratio | goal | at |\n|---|--:|--:|--:|---|---|"
    for key, (ours, peer, record) in sorted(rows.items()):
        other = "" if peer is None else f"{peer:.4g}"
        ratio = f"{ours / peer:.2f}" if peer and min(ours, peer) > 0 else ""
        said = verdict(GOALS.get(key), ours, peer)
        yield f"| {_words(key)} | {ours:.4g} | {other} | {ratio} | {said} | {_of(record)} |"


def outside(rows: Mapping[str, Row]) -> Iterator[str]:
    """The same without a peer: no other phone has them."""
    yield "| | deskphone | goal | at |\n|---|--:|---|---|"
    for key, (ours, peer, record) in sorted(rows.items()):
        said = verdict(GOALS.get(key), ours, peer)
        yield f"| {_words(key)} | {ours:.4g} | {said} | {_of(record)} |"


def inside(record: Record) -> Iterator[str]:
    """What the virtual Pi's tests wrote down; nobody judges an emulation's pace."""
    yield "| | |\n|---|--:|"
    for name, value in sorted(record["figures"].items()):
        yield f"| {name} | {value} |"


def scores(record: Record) -> Iterator[str]:
    """PESQ by codec and network beside what the codec alone can reach."""
    yield f"{_of(record)}; the median of {record['seeds']} seeds.\n"
    yield "| | PESQ | the codec alone | delay, ms | goal |\n|---|--:|--:|--:|---|"
    for name, found in record["pesq"].items():
        yield (
            f"| {name} | {found['pesq']:.2f} | {found['codec']:.2f} | {found['delay_ms']:.0f} "
            f"| {found.get('goal', '')} |"
        )


def severities(record: Record) -> Iterator[str]:
    """The E-model's mark, the delay and the share of invented sound."""
    yield "| | MOS | delay, ms | lost | invented |\n|---|--:|--:|--:|--:|"
    for name, found in record["networks"].items():
        yield (
            f"| {name} | {found['mos']:.2f} | {found['delay']:.0f} | {found['lost']:.2%} "
            f"| {found['concealed']:.2%} |"
        )


def _words(key: str) -> str:
    return key.replace("_", " ")


def _of(record: Record) -> str:
    return f"`{record['commit']}`"


if __name__ == "__main__":
    raise SystemExit(main())
