"""An offer that is open in a dialog: what it came in, and what waits for the phone to decide."""

import enum
from collections.abc import Callable

from msgspec import Struct

from firmware.sip.bodies import Rows
from firmware.sip.transaction.server import ServerTransaction


class Kind(enum.Enum):
    """What an open offer came in."""

    INVITE = "an INVITE or re-INVITE"
    UPDATE = "an UPDATE"
    PRACK = "a PRACK"
    RESPONSE = "a response to an INVITE without an offer"


class Waiting(Struct):
    """An offer of the far end, or its wish for ours, that the phone has not decided about."""

    kind: Kind
    transaction: ServerTransaction | None
    answer: Callable[[bytes, float], None]
    refuse: Callable[[int, Rows, float], None]
    leave: Callable[[float], None] | None = None
    """What must go out all the same if the call ends before: the ACK to a 2xx."""
