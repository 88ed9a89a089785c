"""What is wrong in a configuration file: one value per fault, and the error that carries them all.

A fault names a text id and its arguments; the English words stand in `firmware.config.words`, and
another language may have its own under the same ids.
"""

from dataclasses import dataclass

from firmware.config.words import WORDS

Args = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A verdict on one value: text id and arguments, no place yet."""

    text: str
    args: Args = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault (or note) with its place; `line` counts from 1, 0 = the file as a whole."""

    file: str
    line: int
    key: str
    text: str
    args: Args = ()

    @property
    def wrong(self) -> str:
        """What is wrong, in English."""
        return WORDS[self.text][0].format_map(dict(self.args))

    @property
    def right(self) -> str:
        """What would be right, in English; may be empty for a note."""
        return WORDS[self.text][1].format_map(dict(self.args))

    @property
    def sentence(self) -> str:
        """What is wrong, what would be right."""
        return f"{self.wrong}, {self.right}" if self.right else self.wrong

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.sentence}" if self.key else f"{place}: {self.sentence}"


class ConfigErrors(ValueError):  # noqa: N818 - it carries every fault of a file, so: plural
    """The file cannot be used; `problems` are all its faults in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
