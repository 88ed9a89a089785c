"""What a walk through the board has seen, and the words in which it is asked and answered. Pure."""

import enum
from dataclasses import dataclass, field

from msgspec import Struct

from firmware.base.phrase import Phrase
from hal.keys import Key


class Answer(enum.Enum):
    """What a builder may say; the value is the letter."""

    YES = "y"
    NO = "n"
    SKIP = "s"
    QUIT = "q"
    GONE = ""
    """Nobody is there to answer: questions are left out, keys and hook are still asked for."""


class Say(Struct, frozen=True):
    """Tell the builder; `ask` = it waits for an act or an answer."""

    phrase: Phrase
    ask: bool = False


class Light(Struct, frozen=True):
    """Switch a lamp."""

    lamp: str
    on: bool


class Ring(Struct, frozen=True):
    """The bell begins or ends."""

    on: bool


class Draw(Struct, frozen=True):
    """Show the test picture."""


class Play(Struct, frozen=True):
    """Play a tone on this sound card; `Played` or `NoSound` answers."""

    path: str


class Listen(Struct, frozen=True):
    """Measure this card's microphone for three seconds; `Level` or `NoSound` answers."""

    path: str


Effect = Say | Light | Ring | Draw | Play | Listen


class Played(Struct, frozen=True):
    """The tone was written to the card."""

    path: str


class Level(Struct, frozen=True):
    """What a microphone gave: its highest sample (0 to 1), and the part of samples at the limit."""

    path: str
    peak: float
    clipped: float


class NoSound(Struct, frozen=True):
    """A card cannot be used, for this reason."""

    path: str
    reason: str


Sound = Played | Level | NoSound


@dataclass(slots=True)
class Evidence:
    """All that was seen; `arrived` has each key with all that came while it was asked for."""

    arrived: dict[Key, list[Key]] = field(default_factory=dict)
    silent: set[Key] = field(default_factory=set)
    stuck: set[Key] = field(default_factory=set)
    hook: dict[bool, bool | None] = field(default_factory=dict)
    """What the hook told when it was lifted (True) and replaced (False); None = nothing."""
    hook_bounces: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the name of the question, e.g. `lamp message`."""
    levels: dict[str, Level] = field(default_factory=dict)
    no_sound: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Devices that do not work, with the reason."""
    skipped: list[Phrase] = field(default_factory=list)
