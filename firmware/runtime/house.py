"""Everything the phone's loop holds in its hands, as one record that is passed down."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from firmware.call.secrecy import Material
from firmware.control.schema import AnyEvent
from firmware.media.messages import (
    AnyOrder,
    Foreign,
    PathName,
    Record,
    SetKeys,
    StreamReport,
)
from firmware.net.media_ports import MediaPair, MediaPorts
from firmware.phone.commands import (
    CallRecord,
    CheckWays,
    KeepText,
    MakeKeys,
    ReserveMediaPort,
    StartRecording,
)
from firmware.phone.events import Event
from firmware.runtime.last_calls import LastCalls
from firmware.sip.agent import UserAgent
from firmware.sip.notifications import CallRef, LineName
from hal.board import Board

if TYPE_CHECKING:
    from firmware.sdp.ice import Ours


class Engine(Protocol):
    """The audio process, as far as the phone knows it."""

    def send(self, order: AnyOrder, fds: tuple[int, ...] = ()) -> None:
        """Queue an order; descriptors are duplicated by the kernel on the way."""


class Keeper(Protocol):
    """What outlives the program; every method returns at once."""

    def record_call(self, record: CallRecord, at: float) -> None:
        """Add a row to the call list."""

    def keep_volume(self, path: PathName, volume: int) -> None:
        """Remember a volume."""

    def keep_card(self, line: str, numbers: tuple[int, ...]) -> None:
        """Remember what the SIM card of a line has seen."""

    def keep_dialog(self, call: CallRef, snapshot: bytes | None) -> None:
        """Mirror a dialog, so that a restarted phone can end it."""

    def keep_last_dialled(self, target: str) -> None:
        """Remember the number for redial."""

    def keep_text(self, text: KeepText, at: float) -> None:
        """Add a text to the list of texts."""

    def mark_texts_read(self, keys: tuple[str, ...]) -> None:
        """Note that somebody has looked at these; none = at all of them."""

    def forget_texts(self) -> None:
        """Empty the list of texts."""


class Inlet(Protocol):
    """Where inputs for the phone go in."""

    def put(self, event: Event) -> None:
        """Hand an input over, on the loop."""


class Secrets(Protocol):
    """What encrypted calls need; `firmware.runtime.encryption` has it."""

    def give_material(self, take: Callable[[Material], None]) -> None:
        """Hand over what the keys of one more call are made of, as soon as it is there."""

    def with_history(self, order: SetKeys) -> SetKeys:
        """The order with how far the far end had come under its key."""

    def make_keys(self, command: MakeKeys) -> None:
        """Begin, or go on with, the handshake of a stream."""

    def feed(self, report: Foreign) -> None:
        """Take a datagram of another protocol that came on a media socket."""

    def note(self, report: StreamReport) -> None:
        """Take how far a stream is, or that it is over."""

    def over(self, call: CallRef) -> None:
        """Forget a call."""


class Tapes(Protocol):
    """The files of recorded calls; `firmware.runtime.recordings` has them."""

    def begin(self, command: StartRecording) -> None:
        """Open the file of a call."""

    def end(self, call: CallRef) -> None:
        """Finish it."""

    def copy_to(self, call: CallRef, order: Record) -> tuple[Record, int] | None:
        """The order to copy a stream there, and the descriptor that goes with it."""

    def files(self, calls: Iterable[CallRef]) -> tuple[str, ...]:
        """Where these calls are being recorded to."""


class Ways(Protocol):
    """What calls with checked ways need; `firmware.runtime.ice` has it."""

    def wanted(self, command: ReserveMediaPort) -> bool:
        """Whether these sockets are to have ways."""

    def gather(
        self, command: ReserveMediaPort, pair: MediaPair, take: "Callable[[Ours], None]"
    ) -> None:
        """Hand over all ways to a pair of sockets, in time."""

    def check(self, command: CheckWays) -> None:
        """Find out how a far end is reached."""

    def feed(self, report: Foreign) -> None:
        """Take a datagram of another protocol that came on a media socket."""

    def free(self, call: CallRef) -> None:
        """The sockets of a call are about to be closed."""


class House(Struct):
    """The parts, and which sockets and streams belong to which call."""

    agent: UserAgent
    engine: Engine
    ports: MediaPorts
    board: Board
    keeper: Keeper
    inbox: Inlet
    say: Callable[[str, dict[str, str]], str]
    now: Callable[[], float]
    tell: Callable[[AnyEvent], None]
    wall: Callable[[], float]
    pairs: dict[CallRef, MediaPair] = field(default_factory=dict)
    streams: dict[int, CallRef] = field(default_factory=dict)
    reports: dict[CallRef, StreamReport] = field(default_factory=dict)
    encryption: Secrets | None = None
    """Only on a phone with a line that encrypts."""
    ways: Ways | None = None
    """Only on a phone with a line that checks its ways."""
    recordings: Tapes | None = None
    finished: StreamReport | None = None
    """The last report of the stream that ended last."""
    last_calls: LastCalls = field(default_factory=LastCalls)
    """What the ladder wants to know of calls that may be over."""
    registrations: dict[LineName, object] = field(default_factory=dict)
    """What the log last said of each line."""
