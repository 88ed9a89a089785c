"""Kinds of value: each judges what `tomllib` read and says what would be right.

`judge` gives the value as the settings hold it, or a `Wrong`. `described` is for the manual and
`example` is TOML that the kind accepts. The words are in `firmware.ui.text`.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from firmware.base.phrase import Phrase, phrase
from firmware.config.forms import Form
from firmware.config.problems import Wrong

_SHOWN = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "type.flag"),
    (int, "type.whole"),
    (float, "type.fraction"),
    (str, "type.text"),
    (list, "type.list"),
    (dict, "type.table"),
)


class Kind(Protocol):
    """What a value must be."""

    @property
    def described(self) -> Phrase:
        """Type and range, for a person."""
        ...

    @property
    def example(self) -> str:
        """An accepted value as TOML."""
        ...

    def judge(self, value: object) -> object | Wrong:
        """The value as the settings hold it, or what is wrong with it."""
        ...


def shown(value: object) -> str:
    """A value as it may be quoted in a sentence: short, one line, no control characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 128:
        return "…"
    if isinstance(value, list):
        text = "[…]" if value else "[]"
    elif isinstance(value, dict):
        text = "{…}"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    text = _CONTROL.sub("?", text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def type_words(value: object) -> Phrase:
    """The type of a value in words."""
    return Phrase(next((text for type_, text in _TYPES if isinstance(value, type_)), "type.date"))


def wrong(text: str, value: object, **args: str | Phrase) -> Wrong:
    """A verdict that quotes the value."""
    return Wrong(text, (("got", shown(value)), ("type", type_words(value)), *args.items()))


class Text(Struct, frozen=True):
    """One line of printable text."""

    form: Form | None = None
    limit: int = 255
    may_be_empty: bool = True
    sample: str = ""

    @property
    def described(self) -> Phrase:
        if self.form is None:
            return phrase("kind.text", limit=self.limit)
        words = Phrase(self.form.right)
        return phrase("kind.may_be_empty", words=words) if self.may_be_empty else words

    @property
    def example(self) -> str:
        return f'"{self.sample}"'

    def judge(self, value: object) -> object | Wrong:
        if not isinstance(value, str):
            bare = isinstance(value, int | float) and not isinstance(value, bool)
            return wrong("need_text", value, example=f': "{shown(value)}"' if bare else "")
        if not value and not self.may_be_empty:
            return Wrong("empty", (("right", Phrase(self.form.right) if self.form else ""),))
        return self._judge_text(value)

    def _judge_text(self, value: str) -> str | Wrong:
        if _CONTROL.search(value):
            return Wrong("control_characters")
        if len(value) > self.limit:
            return Wrong("too_long", (("length", str(len(value))), ("limit", str(self.limit))))
        if value and self.form and not self.form.fits(value):
            return wrong("bad_form", value, right=Phrase(self.form.right))
        return value


class Choice(Struct, frozen=True):
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def described(self) -> Phrase:
        return phrase("kind.choice", options=self._options)

    @property
    def _options(self) -> str:
        return ", ".join(f'"{option}"' for option in self.options)

    @property
    def example(self) -> str:
        return f'"{self.options[0]}"'

    def judge(self, value: object) -> object | Wrong:
        if not isinstance(value, str):
            return wrong("need_choice", value, options=self._options)
        if value in self.options:
            return value
        near = nearest(value, self.options)
        if near:
            return wrong("not_one_of_near", value, options=self._options, near=f'"{near}"')
        return wrong("not_one_of", value, options=self._options)


class Whole(Struct, frozen=True):
    """A whole number within limits, both included."""

    low: int
    high: int

    @property
    def described(self) -> Phrase:
        return phrase("kind.whole", low=self.low, high=self.high)

    @property
    def example(self) -> str:
        return str(self.low)

    def judge(self, value: object) -> object | Wrong:
        limits = {"low": str(self.low), "high": str(self.high)}
        if isinstance(value, bool) or not isinstance(value, int):
            return wrong("need_whole", value, **limits)
        if not self.low <= value <= self.high:
            return wrong("out_of_range", value, **limits)
        return value


class Flag(Struct, frozen=True):
    """True or false."""

    example: str = "true"

    @property
    def described(self) -> Phrase:
        return Phrase("kind.flag")

    def judge(self, value: object) -> object | Wrong:
        return value if isinstance(value, bool) else wrong("need_flag", value)


class Many(Struct, frozen=True):
    """A list of values of one kind, without doubles; with `or_one` a single text stands for it.

    A list that may not be empty says so; with `or_one` the empty text is the empty list.
    """

    item: Kind
    limit: int = 64
    may_be_empty: bool = True
    or_one: bool = False

    @property
    def described(self) -> Phrase:
        return phrase("kind.list_or_one" if self.or_one else "kind.list", item=self.item.described)

    @property
    def example(self) -> str:
        return f"[{self.item.example}]"

    def judge(self, value: object) -> object | Wrong:
        if self.or_one and isinstance(value, str):
            value = [value] if value else []
        if not isinstance(value, list):
            return wrong("need_list", value)
        if not value and not self.may_be_empty:
            return Wrong("empty", (("right", phrase("kind.such_list", example=self.example)),))
        if len(value) > self.limit:
            return Wrong("too_long", (("length", str(len(value))), ("limit", str(self.limit))))
        return self._judge_items(value)

    def _judge_items(self, values: list[object]) -> tuple[object, ...] | Wrong:
        kept: list[object] = []
        for value in values:
            item = self.item.judge(value)
            if isinstance(item, Wrong):
                return item
            if item in kept:
                return wrong("listed_twice", value)
            kept.append(item)
        return tuple(kept)


class BoardPart(Struct, frozen=True):
    """A table of a board file; what may stand in it the board's reader says."""

    table: str

    @property
    def described(self) -> Phrase:
        return Phrase("kind.board_part")

    @property
    def example(self) -> str:
        return "{}"

    def judge(self, value: object) -> object | Wrong:
        if isinstance(value, dict):
            return value
        return wrong("need_table", value, key=f"board.{self.table}")


class PortRange(Struct, frozen=True):
    """Two port numbers, both included, with room for one RTP/RTCP pair (RFC 3550 §11)."""

    low: int = 1024
    high: int = 65535

    @property
    def described(self) -> Phrase:
        return phrase("kind.port_range", low=self.low, high=self.high)

    @property
    def example(self) -> str:
        return "[40000, 40999]"

    def judge(self, value: object) -> object | Wrong:
        whole = Whole(self.low, self.high)
        if not isinstance(value, list) or len(value) != 2:
            return wrong("need_range", value)
        if any(isinstance(whole.judge(end), Wrong) for end in value) or value[0] >= value[1]:
            args = {"low": str(self.low), "high": str(self.high)}
            return Wrong("bad_range", (("got", ", ".join(map(shown, value))), *args.items()))
        first_even = value[0] + value[0] % 2
        if first_even + 1 > value[1]:
            return Wrong("range_parity", (("got", f"[{value[0]}, {value[1]}]"),))
        return (value[0], value[1])


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name a person most likely meant, or `""`."""
    import difflib  # noqa: PLC0415 - for a file with faults only

    folded = {option.casefold().replace("-", "_"): option for option in known}
    near = difflib.get_close_matches(name.casefold().replace("-", "_"), list(folded), 1, 0.6)
    return folded[near[0]] if near else ""
