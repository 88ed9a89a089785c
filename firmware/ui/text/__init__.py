"""The sentences for people, one TOML a language, each under an id such as `key.hang_up`.

Code never holds a sentence, only its id; screens, the page, the log for people and `check` all
look here. A text may hold `{name}` places, which are filled with the arguments of the same name.
A language without some text borrows the English one.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from firmware.base.phrase import Phrase

FALLBACK = "en"
_PLACE = re.compile(r"\{([a-z_]+)\}")


class TextError(ValueError):
    """A language file is wrong; the message names the language and the id."""


class Texts:
    """All texts of one language."""

    __slots__ = ("_texts", "language")

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        """Take texts by id.

        Raises:
            TextError: a text has a brace that is not a `{name}` place.
        """
        for text_id, text in texts.items():
            if set(_PLACE.sub("", text)) & set("{}"):
                raise TextError(f"{language}: {text_id}: a brace must be a {{name}} place")
        self.language = language
        self._texts = dict(texts)

    @classmethod
    def load(cls, language: str = FALLBACK) -> Self:
        """Read a language; one that we do not have is English.

        Raises:
            TextError: the file is damaged.
        """
        texts = dict(_flat(_read(FALLBACK)))
        if language != FALLBACK and language in languages():
            texts |= dict(_flat(_read(language)))
        else:
            language = FALLBACK
        return cls(language, texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text_id: str) -> bool:
        return text_id in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def say(self, text_id: str, **args: object) -> str:
        """The text with its places filled.

        An unknown id is said as it stands and an argument that is missing leaves its place: a
        person reads something odd, and the phone goes on. The tests see to it that neither is so.
        """
        text = self._texts.get(text_id, text_id)
        return _PLACE.sub(lambda place: self._filled(args.get(place[1], place[0])), text)

    def phrase(self, phrase: Phrase) -> str:
        """The sentence of a phrase, with those that stand in it."""
        return self.say(phrase.text, **dict(phrase.args))

    def _filled(self, value: object) -> str:
        return self.phrase(value) if isinstance(value, Phrase) else str(value)

    def places(self, text_id: str) -> frozenset[str]:
        """The names of the arguments that a text takes.

        Raises:
            KeyError: there is no such text.
        """
        return frozenset(_PLACE.findall(self._texts[text_id]))


def languages() -> tuple[str, ...]:
    """The languages there are."""
    return tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.toml")))


def _read(language: str) -> dict[str, object]:
    with (Path(__file__).parent / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            yield prefix + key, value
        else:
            raise TextError(f"{prefix}{key} is not a text")
