"""How to open a sound card: plain data that may travel to another process.

Apart from the rest of a board, for an audio process opens cards and nothing else: these are tuples
with names, because `dataclasses` brings a megabyte of the compiler's own tools with it.
"""

from typing import NamedTuple


class Control(NamedTuple):
    """One control of a card's mixer, by the name `amixer scontrols` has, and how it is to stand.

    `value` is true or false for a switch, 0 to 100 per cent for a volume (whose switch is then on),
    a text for a choice. Where there is both, ` Playback` or ` Capture` after the name tells which.
    `optional`: a card that has not got it is none the worse.
    """

    name: str
    value: bool | int | str
    optional: bool = False


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
