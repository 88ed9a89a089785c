"""What is wrong in a configuration file: one value per fault, and the error that carries them all.

A fault is a text id (`config.` and what stands here) and its arguments; the words are in
`firmware.ui.text`, and `firmware.ui.faults` puts both together for a person.
"""

from msgspec import Struct

from firmware.base.phrase import Phrase

Args = tuple[tuple[str, str | Phrase], ...]


class Wrong(Struct, frozen=True):
    """A verdict on one value: text id and arguments, no place yet."""

    text: str
    args: Args = ()

    @property
    def phrase(self) -> Phrase:
        """What is wrong and what would be right."""
        return Phrase(f"config.{self.text}", self.args)


class Problem(Struct, frozen=True):
    """One fault (or note) with its place; `line` counts from 1, 0 = the file as a whole."""

    file: str
    line: int
    key: str
    text: str
    args: Args = ()

    @property
    def phrase(self) -> Phrase:
        """What is wrong and what would be right."""
        return Wrong(self.text, self.args).phrase

    @property
    def place(self) -> str:
        """`FILE:LINE: key`, as far as there is a line and a key."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}" if self.key else place

    def __str__(self) -> str:
        return f"{self.place}: {self.phrase}"


class ConfigErrors(ValueError):  # noqa: N818 - it carries every fault of a file, so: plural
    """The file cannot be used; `problems` are all its faults in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
