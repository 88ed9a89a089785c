"""A call that is over and whose last figures have not come: a plain value of the state."""

from msgspec import Struct

from firmware.sip.notifications import CallRef, LineName, Party


class Parted(Struct, frozen=True):
    """What the figures will belong to; times are monotonic seconds, `local` is our media port."""

    call: CallRef
    line: LineName
    collector: str
    remote: Party
    outgoing: bool
    answered_at: float
    ended_at: float
    local: tuple[str, int]
