"""The sound cards of this machine: which there are, and which sits in a USB port.

An index changes with the order in which cards are found, and of two equal USB cards so does the id.
The port does not: `usb:1-1.2` is the card in port 2 of the hub in port 1 of bus 1, as the kernel
names it (`/sys/bus/usb/devices`). What is read are the kernel's own files below `root`, so that the
library, which writes to our standard error when it is asked for a card that is gone, is not asked.
"""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

BY_ID, BY_PORT = "id:", "usb:"
_NUMBER = re.compile(r"card(\d+)")
_PORT = re.compile(r"\d+-\d+(?:\.\d+)*")
_TITLE = re.compile(r"^ *(\d+) \[[^\]]*\]: (.*)$", re.MULTILINE)
"""A card in /proc/asound/cards: ` 1 [Device         ]: USB-Audio - USB Audio Device`."""


class PresentCard(NamedTuple):
    """A card that is there; `port` is empty if it does not hang on USB, `title` if it has none."""

    number: int
    id: str
    port: str
    title: str

    @property
    def names(self) -> str:
        """What may be written for it in the settings: `id:Device (usb:1-1.2)`."""
        return f"{BY_ID}{self.id}" + (f" ({BY_PORT}{self.port})" if self.port else "")


def present_cards(root: str = "") -> list[PresentCard]:
    """Every card, in the kernel's order."""
    titles = dict(_TITLE.findall(_read(f"{root}/proc/asound/cards")))
    found = [
        PresentCard(number, name, _port_of(f"{folder}/device"), titles.get(str(number), ""))
        for number, folder in _folders(f"{root}/sys/class/sound")
        if (name := _read(f"{folder}/id").strip())
    ]
    return sorted(found)


def card_at(port: str, root: str = "") -> str:
    """The id of the card in a USB port (`1-1.2`), empty if none is there."""
    for _, folder in _folders(f"{root}/sys/class/sound"):
        if port and _port_of(f"{folder}/device") == port:
            return _read(f"{folder}/id").strip()
    return ""


def there_are(root: str = "") -> str:
    """The cards there are, as a clause that ends a message about one that is not."""
    return listed(present_cards(root))


def listed(cards: list[PresentCard]) -> str:
    """These cards, likewise."""
    names = [card.names for card in cards]
    if not names:
        return "this machine has none"
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"


def _folders(place: str) -> Iterator[tuple[int, str]]:
    """Number and folder of each card."""
    try:
        names = os.listdir(place)  # noqa: PTH208 - pathlib is much for an audio process
    except OSError:
        return
    for name in names:
        if (found := _NUMBER.fullmatch(name)) is not None:
            yield int(found[1]), f"{place}/{name}"


def _port_of(device: str) -> str:
    """The USB port behind a card's link to its device; a device below hubs has the longest."""
    ports = [part for part in os.path.realpath(device).split("/") if _PORT.fullmatch(part)]
    return ports[-1] if ports else ""


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:  # noqa: PTH123 - likewise
            return stream.read()
    except OSError:
        return ""
