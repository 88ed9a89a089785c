"""A sentence for people before it has words: a text id and what fills its places.

Layers that know no language make phrases; `firmware.ui.text` has the words. A phrase may stand in
another's place, so that a part of a sentence is in the same language as the whole.
"""

from msgspec import Struct


class Phrase(Struct, frozen=True):
    """A text id and its arguments in order."""

    text: str
    args: "tuple[tuple[str, str | Phrase], ...]" = ()

    def __str__(self) -> str:
        """Id and arguments, for a log that nobody has given words."""
        return " ".join((self.text, *(f"{name}={value}" for name, value in self.args)))


def phrase(text: str, **args: object) -> Phrase:
    """A phrase; what is no phrase itself stands in it as `str` makes it."""
    return Phrase(
        text,
        tuple(
            (name, value if isinstance(value, Phrase) else str(value))
            for name, value in args.items()
        ),
    )
