"""What was measured as a table: both phones, their ratio, and whether the goal is reached.

A goal is ("<=" or ">=", must, aim) for our own figure, or ("×", must, aim) for its ratio to
baresip's in the same run.
"""

import statistics
from collections.abc import Iterator, Mapping

Goal = tuple[str, float, float]
Goals = Mapping[str, Goal]
Figures = dict[str, float]
_WORST = ("_worst_ms",)
"""Figures of which the worst round counts: a promise about every packet has no median."""


def summary(values: Mapping[str, list[float]]) -> Figures:
    """The median of each figure's rounds."""
    return {
        key: max(found) if key.endswith(_WORST) else statistics.median(found)
        for key, found in values.items()
    }


def verdict(goal: Goal | None, ours: float, peer: float | None) -> str:
    """Whether the goal is reached."""
    if goal is None:
        return ""
    kind, must, aim = goal
    unit = ""
    if kind == "×":
        if not peer:
            return "no peer"
        ours, kind, unit = ours / peer, "<=", "× baresip"
    if _keeps(kind, ours, aim):
        return f"aim reached ({kind} {aim:g}{unit})"
    if _keeps(kind, ours, must):
        return f"reached ({kind} {must:g}{unit}, aim {aim:g})"
    return f"MISSED ({kind} {must:g}{unit})"


def _keeps(kind: str, value: float, goal: float) -> bool:
    return value <= goal if kind == "<=" else value >= goal


def missed(figures: Mapping[str, Figures], goals: Goals) -> Iterator[str]:
    """The keys of rows that are worse than they must be."""
    for key, ours in figures["deskphone"].items():
        if verdict(goals.get(key), ours, figures["baresip"].get(key)).startswith("MISSED"):
            yield key


def table(
    machine: Mapping[str, object], figures: Mapping[str, Figures], goals: Goals, rounds: int
) -> str:
    """The machine, then both phones, the ratio and the verdict, a line each."""
    ours, peer = figures["deskphone"], figures["baresip"]
    of = "" if rounds >= 3 else "; a table has three rounds at least"
    lines = [
        ", ".join(f"{key} {value}" for key, value in machine.items()),
        f"median of {rounds} rounds, of *_worst_ms the worst{of}",
        f"{'':36} {'deskphone':>11} {'baresip':>11} {'ratio':>7}  goal",
    ]
    for key, value in ours.items():
        other = peer.get(key)
        ratio = f"{value / other:7.2f}" if other and other > 0 else "      –"
        shown = f"{other:11.4g}" if other is not None else f"{'–':>11}"
        said = verdict(goals.get(key), value, other)
        lines.append(f"{key:36} {value:11.4g} {shown} {ratio}  {said}")
    return "\n".join(lines)
