"""The shapes every adapter has, real or mock: siblings under one contract suite.

An adapter owns its device and its thread. Input crosses into the phone's loop through one callable,
`post(event)`, which may be called from any thread and never blocks. Output ports return at once;
slow devices are written by a thread of the adapter's own, latest state wins.
"""

import enum
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # a sound card needs neither, nor the dataclasses that come along
    from hal.events import Event
    from hal.keys import Key

Post = Callable[["Event"], None]


class InputPort(Protocol):
    """A keypad, a hook switch, a serial panel: anything that sends events."""

    def start(self, post: Post) -> None:
        """Begin to send events."""

    def close(self) -> None:
        """Stop and release the device; no event is posted afterwards."""


class Picture(NamedTuple):
    """A 1-bit picture: rows from the top, 8 pixels a byte, most significant bit left, 1 = lit."""

    width: int
    height: int
    bits: bytes


class DisplayPort(Protocol):
    """A screen."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def show(self, picture: Picture) -> None:
        """Show this picture; an older one not yet drawn is dropped."""

    def close(self) -> None:
        """Blank the screen and release the device."""


class LetterPort(Protocol):
    """A display that has letters and no pixels, beside a `DisplayPort` that shows nothing."""

    @property
    def letters(self) -> tuple[int, int]:
        """Columns and rows."""

    def write(self, rows: tuple[str, ...]) -> None:
        """Show these rows, each as long as there are columns."""


class LampPattern(enum.Enum):
    """What a lamp does."""

    OFF = "off"
    ON = "on"
    SLOW_BLINK = "slow"
    FAST_BLINK = "fast"


class LampPort(Protocol):
    """The lamps of a board, by name (`message`, `mute`, `ring`, `line_1` …)."""

    @property
    def names(self) -> tuple[str, ...]:
        """The lamps that exist."""

    def set(self, lamp: str, pattern: LampPattern) -> None:
        """Set a lamp; a lamp that does not exist is ignored."""

    def close(self) -> None:
        """All off, device released."""


class RingerPort(Protocol):
    """A buzzer or a real bell, rung by cadence; a ring through a loudspeaker is the engine's."""

    def ring(self, cadence: tuple[float, ...]) -> None:
        """Ring on, off, on, off … (seconds), repeated until `silence`."""

    def silence(self) -> None:
        """Stop ringing now."""

    def close(self) -> None:
        """Silence, device released."""


class PanelPort(Protocol):
    """A phone without hardware: somebody else's fingers on it, somebody else's eyes.

    The page of the virtual phone and the control API press, lift and look through this. Pressing
    what is pressed or lifting what is lifted changes nothing, as with real hands.
    """

    @property
    def keys(self) -> "frozenset[Key]":
        """The keys that exist; pressing another one does nothing."""

    @property
    def off_hook(self) -> bool:
        """Whether the handset is lifted."""

    @property
    def picture(self) -> Picture | None:
        """What the screen shows; None before the first picture and after it was blanked."""

    @property
    def lamps(self) -> dict[str, LampPattern]:
        """What each lamp does; a copy."""

    @property
    def bell(self) -> tuple[float, ...]:
        """The cadence that rings now, empty when it is silent."""

    def press(self, key: "Key") -> None:
        """Put a finger on a key."""

    def release(self, key: "Key") -> None:
        """Take the finger off."""

    def lift(self) -> None:
        """Take the handset off its cradle."""

    def replace(self) -> None:
        """Put the handset down."""

    def flash(self) -> None:
        """Tap the hook: down and up again before the call would end."""


class Pacing(enum.Enum):
    """What sets the pace of a sound card."""

    CAPTURE = "capture"
    """`read` blocks until a period was recorded."""
    PLAYBACK = "playback"
    """`write` blocks until there is room for a period."""
    NONE = "none"
    """Neither blocks: the engine's own deadlines pace this card."""


class PcmPort(Protocol):
    """A sound card as the engine sees it: 16-bit native-endian mono at `rate`, 20 ms at a time.

    A card is opened with its microphone closed.
    """

    @property
    def rate(self) -> int:
        """Samples a second, both directions."""

    @property
    def pacing(self) -> Pacing:
        """What sets the pace."""

    @property
    def xruns(self) -> int:
        """How often the device's buffer ran over or dry since it was opened."""

    @property
    def drift_ppm(self) -> float | None:
        """How much faster its clock is than the engine's; None = it leads, or has none."""

    @property
    def remark(self) -> str:
        """What is wrong with it though it is open, a sentence; empty if nothing is."""

    def read(self) -> bytes:
        """One 20 ms frame from the microphone; `b""` if none is there or the microphone is closed.

        Raises:
            hal.errors.DeviceGoneError: the card vanished.
        """

    def write(self, frame: bytes) -> None:
        """Play one 20 ms frame.

        Raises:
            hal.errors.DeviceGoneError: the card vanished.
        """

    def lead(self, wanted: bool) -> None:  # noqa: FBT001 - one switch, one argument
        """Whether this card is the engine's clock: only then may `read` or `write` block.

        A card leads until it is told otherwise.
        """

    def rest(self) -> None:
        """Nothing is played for a while: a buffer that runs dry meanwhile is no xrun."""

    def heard_on(self, paths: Collection[str]) -> None:
        """Something is heard on these paths from now on: an output of no other may be silent."""

    def set_capture(self, wanted: bool) -> None:  # noqa: FBT001 - one switch, one argument
        """Open or close the microphone; closed means the device records nothing."""

    def forget(self) -> None:
        """What was recorded and not read yet becomes silence of the same length.

        Raises:
            hal.errors.DeviceGoneError: the card vanished.
        """

    def close(self) -> None:
        """Release the device."""
