"""Faults and notes of a configuration as a person reads them, on a terminal or in a log."""

from collections.abc import Iterable

from firmware.config import Problem
from firmware.ui.text import Texts


def say(problem: Problem, texts: Texts) -> str:
    """`FILE:LINE: key: what is wrong, what would be right`, on one line, whatever it quotes."""
    said = f"{problem.place}: {texts.phrase(problem.phrase)}"
    return said if said.isprintable() else "".join(c if c.isprintable() else "?" for c in said)


def say_all(problems: Iterable[Problem], texts: Texts) -> str:
    """One a line."""
    return "\n".join(say(problem, texts) for problem in problems)
