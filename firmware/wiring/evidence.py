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


class Scan(Struct, frozen=True):
    """Ask who answers on the bus of the screen; `Answering` tells, or nothing does."""


class Draw(Struct, frozen=True):
    """Show the test picture."""


class Play(Struct, frozen=True):
    """Play a tone on this sound card; `Played` or `NoSound` answers."""

    path: str


class Beep(Struct, frozen=True):
    """Play bursts of a tone on this card and listen at the microphones of `ears`.

    `Beeped` or `NoSound` answers.
    """

    path: str
    ears: tuple[str, ...]


class Listen(Struct, frozen=True):
    """Record this card's microphone for three seconds; `Level` or `NoSound` answers."""

    path: str


class Repeat(Struct, frozen=True):
    """Play what was recorded last on this card; `Played` or `NoSound` answers."""

    path: str


Order = Play | Beep | Listen | Repeat
"""What a sound card is told."""
Effect = Say | Light | Ring | Draw | Scan | Order


class Answering(Struct, frozen=True):
    """The addresses on the bus of the screen at which somebody answers."""

    addresses: tuple[int, ...]


class Played(Struct, frozen=True):
    """The tone, or the recording, was written to the card.

    `faults` are controls of its mixer that are not as the board file wants them, as clauses.
    """

    path: str
    faults: tuple[str, ...] = ()


class Beeped(Struct, frozen=True):
    """By how many dB the bursts stood out at each microphone that could be opened."""

    path: str
    heard: tuple[tuple[str, float], ...]


class Level(Struct, frozen=True):
    """What a microphone gave: its highest sample (0 to 1), and the part of samples at the limit."""

    path: str
    peak: float
    clipped: float


class NoSound(Struct, frozen=True):
    """A card cannot be used, for this reason."""

    path: str
    reason: str


Sound = Played | Beeped | Level | NoSound


@dataclass(slots=True)
class Moves:
    """A switch with two states, such as the hook."""

    told: dict[bool, bool | None] = field(default_factory=dict)
    """What it told when it was lifted (True) and replaced (False); None = nothing."""
    bounces: int = 0
    last: bool | None = None
    """What it told last, asked for or not."""

    @property
    def order(self) -> bool | None:
        """Whether it told lifting as lifting; None if that was not seen both ways."""
        both = (self.told.get(True), self.told.get(False))
        return None if None in both or both[0] == both[1] else bool(both[0])


HOOK, HEADSET = "hook", "headset"


@dataclass(slots=True)
class Evidence:
    """All that was seen; `arrived` has each key with all that came while it was asked for."""

    arrived: dict[Key, list[Key]] = field(default_factory=dict)
    silent: set[Key] = field(default_factory=set)
    stuck: set[Key] = field(default_factory=set)
    confirmed: int = 0
    """How often a key that came wrong came wrong in the same way again."""
    moves: dict[str, Moves] = field(default_factory=lambda: {HOOK: Moves(), HEADSET: Moves()})
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the name of the question, e.g. `lamp message`."""
    levels: dict[str, Level] = field(default_factory=dict)
    beeps: dict[str, dict[str, float]] = field(default_factory=dict)
    """By path: the dB of `Beeped` by microphone."""
    no_sound: dict[str, str] = field(default_factory=dict)
    no_mouth: dict[str, str] = field(default_factory=dict)
    """Paths that are heard and whose microphone cannot be used, with the reason."""
    mixers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By path: what is wrong with the mixer of its card."""
    failed: dict[str, str] = field(default_factory=dict)
    """Devices that do not work, with the reason."""
    flaky: dict[str, str] = field(default_factory=dict)
    """Devices that failed on the way and came back, likewise."""
    bus: tuple[int, ...] | None = None
    """Who answers on the bus of the screen, if that was asked."""
    skipped: list[Phrase] = field(default_factory=list)
