"""How to open a sound card: plain data that may travel to another process.

Apart from the rest of a board, for an audio process opens cards and nothing else: this is a tuple
with names, because `dataclasses` brings a megabyte of the compiler's own tools with it.
"""

from typing import NamedTuple


class CardSpec(NamedTuple):
    """A card of one of `hal.boards.cards.CARDS`.

    `kind` is `alsa`, `file`, `null`, `browser` or `mock`; `device` is an ALSA name
    (`id:DEVICE` or a PCM name). `play` and `record` are WAV paths for the `file` card: `play` is
    loaded whole when the card is opened and looped as the microphone; what is heard leaves the
    audio process through a descriptor, so that the real-time thread never touches a file.
    """

    kind: str
    device: str = ""
    play: str = ""
    record: str = ""
