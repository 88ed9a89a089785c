"""How to open a sound card: plain data that may travel to another process.

Apart from the rest of a board, for an audio process opens cards and nothing else: these are tuples
with names, because `dataclasses` brings a megabyte of the compiler's own tools with it.
"""

from collections.abc import Collection
from typing import NamedTuple

PATHS = ("handset", "headset", "speaker", "ringer")
"""The ways to an ear that a board may have a card for."""

Value = bool | int | str
"""How a control stands: a switch, a volume in per cent (its switch is then on), a choice."""


class Control(NamedTuple):
    """One control of a card's mixer, by the name `amixer scontrols` has, and how it is to stand.

    Where there is both, ` Playback` or ` Capture` after the name tells which. `optional`: a card
    that has not got it is none the worse. `paths` are other values, for as long as something is
    heard on a path: the first of them counts.
    """

    name: str
    value: Value
    optional: bool = False
    paths: tuple[tuple[str, Value], ...] = ()

    def at(self, heard_on: Collection[str]) -> Value:
        """How it is to stand while something is heard on these paths."""
        for path, value in self.paths:
            if path in heard_on:
                return value
        return self.value


class CardSpec(NamedTuple):
    """A card of one of `hal.boards.cards.CARDS`.

    `kind` is `alsa`, `file`, `null`, `browser` or `mock`; `device` is an ALSA name
    (`id:DEVICE`, `usb:PORT` or a PCM name). `play` and `record` are WAV paths for the `file` card:
    `play` is loaded whole when the card is opened and looped as the microphone; what is heard
    leaves the audio process through a descriptor, so that the real-time thread never touches a
    file. `mixer` is set each time an `alsa` card is opened.
    """

    kind: str
    device: str = ""
    play: str = ""
    record: str = ""
    mixer: tuple[Control, ...] = ()
