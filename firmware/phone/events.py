"""Everything the machine may be told: hardware facts, wishes, SIP notifications, engine reports.

SIP notifications, engine reports and hardware events are taken as they are; what else can happen
to a phone is defined here.
"""

import enum
from typing import TYPE_CHECKING

from msgspec import Struct

from firmware.call.media import Way
from firmware.call.secrecy import NO_MATERIAL, Material
from firmware.config.schema import Settings
from firmware.media.messages import AnyReport, PathName
from firmware.phone.actions import Action
from firmware.phone.view import Notice
from firmware.sip.notifications import CallRef, LineName, Notification, Party
from hal.events import Event as HalEvent

if TYPE_CHECKING:
    from firmware.sdp.ice import Ours


class Started(Struct, frozen=True):
    """First event of a run: the board's paths, whether it has a real bell, kept volumes."""

    paths: tuple[PathName, ...]
    has_bell: bool = False
    has_hook: bool = True
    volumes: tuple[tuple[PathName, int], ...] = ()
    last_dialled: str = ""
    life: str = ""
    """A word that no other run of this phone has."""


class KeptText(Struct, frozen=True):
    """A text of an earlier run; `at` is monotonic seconds, and may be before we began."""

    key: str
    at: float
    line: LineName
    sender: Party
    text: str
    unread: bool


class TextsKept(Struct, frozen=True):
    """What people wrote in earlier runs, the oldest first."""

    texts: tuple[KeptText, ...]


class MediaPortReserved(Struct, frozen=True):
    """`ReserveMediaPort` worked: our address and RTP port (RTCP is the next one).

    `material` is what keys of this call are made of, empty on a phone that encrypts nothing. `ice`
    are the ways to these sockets, None where the line does without.
    """

    call: CallRef
    address: str
    port: int
    material: Material = NO_MATERIAL
    ice: "Ours | None" = None


class MediaPortRefused(Struct, frozen=True):
    """No media port is free or the address cannot be bound."""

    call: CallRef
    reason: str


class WayFound(Struct, frozen=True):
    """`CheckWays` has found a way, or a better one."""

    stream: int
    way: Way


class WayLost(Struct, frozen=True):
    """`CheckWays` has found none, or the far end agrees no more to what was found; a clause."""

    stream: int
    reason: str


class KeysFailed(Struct, frozen=True):
    """`MakeKeys` came to nothing; `reason` is a clause."""

    stream: int
    reason: str


class RecordingTrouble(enum.Enum):
    """What may happen to a recording; after all but `HOLE` it is over."""

    HOLE = "hole"
    LONGEST = "longest"
    FULL = "full"
    FAILED = "failed"


class RecordingChanged(Struct, frozen=True):
    """Something is missing in a recording, or it has ended; `reason` is a clause."""

    call: CallRef
    trouble: RecordingTrouble
    reason: str = ""


class TimePassed(Struct, frozen=True):
    """A deadline of the machine is due; `now` says which."""


class EngineLost(Struct, frozen=True):
    """The audio process died; a new one is being started."""


class NetworkChanged(Struct, frozen=True):
    """Whether there is any usable address besides loopback, or a line that needs none."""

    up: bool


class SettingsChanged(Struct, frozen=True):
    """A new configuration is in force."""

    settings: Settings


class ConfigJudged(Struct, frozen=True):
    """What a person must know of the configuration file; None = it has no fault (any more)."""

    fault: Notice | None


class StopAsked(Struct, frozen=True):
    """The program ends: hang up everything, silence everything."""


Event = (
    Started
    | Action
    | HalEvent
    | Notification
    | AnyReport
    | TextsKept
    | MediaPortReserved
    | MediaPortRefused
    | KeysFailed
    | WayFound
    | WayLost
    | RecordingChanged
    | TimePassed
    | EngineLost
    | NetworkChanged
    | SettingsChanged
    | ConfigJudged
    | StopAsked
)
