"""The four transaction machines of RFC 3261 §17, corrected by RFC 6026, as data.

A row says: in this state, at this event, do these actions in this order and go to that state.
What is not in a table does not happen: the event is counted and ignored. `client` and `server`
run the tables, tests walk every cell, and the conformance table of the documentation is printed
from them.

Two events stand for "the transport failed": `TRANSPORT_ERROR` is a datagram that was refused
(ICMP) and may be a passing thing; `FLOW_LOST` is a connection that is gone for good. The RFC knows
only the first; an INVITE that has had a provisional answer survives it, but not the second.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from firmware.sip.transaction.timing import Timer


class State(enum.Enum):
    """States of all four machines; each uses some."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Event(enum.Enum):
    """What can happen to a transaction."""

    # client: a response arrived
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    # server: a request arrived
    RETRANSMISSION = "request again"
    ACK = "ACK"
    # server: the transaction user answers
    SEND_PROVISIONAL = "send 1xx"
    SEND_SUCCESS = "send 2xx"
    SEND_FAILURE = "send 3xx-6xx"
    # the transport
    TRANSPORT_ERROR = "transport error"
    FLOW_LOST = "flow lost"
    # timers
    A = "timer A"
    B = "timer B"
    D = "timer D"
    E = "timer E"
    F = "timer F"
    G = "timer G"
    H = "timer H"
    I = "timer I"  # noqa: E741 - the RFC's letter
    J = "timer J"
    K = "timer K"
    L = "timer L"
    M = "timer M"


class Action(enum.Enum):
    """What a transaction does."""

    SEND = "send what the user gave"
    REPEAT = "send the last message again"
    TELL = "hand the message to the user"
    TELL_TIMEOUT = "tell the user: no answer"
    TELL_ERROR = "tell the user: transport failed"
    SEND_ACK = "acknowledge the failure response"


class Start(Struct, frozen=True):
    """Start a timer with its first interval; on a reliable transport A, E and G stay off."""

    timer: Timer


class Again(Struct, frozen=True):
    """Start a retransmission timer again with its next interval (T2 for E after a 1xx)."""

    timer: Timer
    at_t2: bool = False


class Stop(Struct, frozen=True):
    """Stop timers."""

    timers: tuple[Timer, ...]


Step = Action | Start | Again | Stop


class Row(Struct, frozen=True):
    """One cell of a table."""

    steps: tuple[Step, ...]
    next: State


Table = Mapping[tuple[State, Event], Row]

TIMER_EVENT: Final[Mapping[Timer, Event]] = MappingProxyType(
    {timer: Event(f"timer {timer.value}") for timer in Timer}
)

_S, _E, _A = State, Event, Action


def _row(next_state: State, *steps: Step) -> Row:
    return Row(steps, next_state)


# RFC 3261 §17.1.1, figure 5, with the Accepted state of RFC 6026 §7.2.
INVITE_CLIENT: Final[Table] = MappingProxyType(
    {
        (_S.CALLING, _E.A): _row(_S.CALLING, _A.REPEAT, Again(Timer.A)),
        (_S.CALLING, _E.B): _row(_S.TERMINATED, _A.TELL_TIMEOUT),
        (_S.CALLING, _E.PROVISIONAL): _row(_S.PROCEEDING, Stop((Timer.A, Timer.B)), _A.TELL),
        (_S.CALLING, _E.SUCCESS): _row(
            _S.ACCEPTED, Stop((Timer.A, Timer.B)), Start(Timer.M), _A.TELL
        ),
        (_S.CALLING, _E.FAILURE): _row(
            _S.COMPLETED, Stop((Timer.A, Timer.B)), _A.SEND_ACK, Start(Timer.D), _A.TELL
        ),
        (_S.CALLING, _E.TRANSPORT_ERROR): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.CALLING, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.PROCEEDING, _E.PROVISIONAL): _row(_S.PROCEEDING, _A.TELL),
        (_S.PROCEEDING, _E.SUCCESS): _row(_S.ACCEPTED, Start(Timer.M), _A.TELL),
        (_S.PROCEEDING, _E.FAILURE): _row(_S.COMPLETED, _A.SEND_ACK, Start(Timer.D), _A.TELL),
        (_S.PROCEEDING, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.COMPLETED, _E.FAILURE): _row(_S.COMPLETED, _A.SEND_ACK),
        (_S.COMPLETED, _E.D): _row(_S.TERMINATED),
        # The user already has its final answer; that the ACK was refused changes nothing for it.
        (_S.COMPLETED, _E.TRANSPORT_ERROR): _row(_S.TERMINATED),
        (_S.COMPLETED, _E.FLOW_LOST): _row(_S.TERMINATED),
        (_S.ACCEPTED, _E.SUCCESS): _row(_S.ACCEPTED, _A.TELL),
        (_S.ACCEPTED, _E.M): _row(_S.TERMINATED),
    }
)

# RFC 3261 §17.1.2, figure 6.
NON_INVITE_CLIENT: Final[Table] = MappingProxyType(
    {
        (_S.TRYING, _E.E): _row(_S.TRYING, _A.REPEAT, Again(Timer.E)),
        (_S.TRYING, _E.F): _row(_S.TERMINATED, _A.TELL_TIMEOUT),
        (_S.TRYING, _E.PROVISIONAL): _row(_S.PROCEEDING, _A.TELL),
        (_S.TRYING, _E.SUCCESS): _row(
            _S.COMPLETED, Stop((Timer.E, Timer.F)), Start(Timer.K), _A.TELL
        ),
        (_S.TRYING, _E.FAILURE): _row(
            _S.COMPLETED, Stop((Timer.E, Timer.F)), Start(Timer.K), _A.TELL
        ),
        (_S.TRYING, _E.TRANSPORT_ERROR): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.TRYING, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.PROCEEDING, _E.E): _row(_S.PROCEEDING, _A.REPEAT, Again(Timer.E, at_t2=True)),
        (_S.PROCEEDING, _E.F): _row(_S.TERMINATED, _A.TELL_TIMEOUT),
        (_S.PROCEEDING, _E.PROVISIONAL): _row(_S.PROCEEDING, _A.TELL),
        (_S.PROCEEDING, _E.SUCCESS): _row(
            _S.COMPLETED, Stop((Timer.E, Timer.F)), Start(Timer.K), _A.TELL
        ),
        (_S.PROCEEDING, _E.FAILURE): _row(
            _S.COMPLETED, Stop((Timer.E, Timer.F)), Start(Timer.K), _A.TELL
        ),
        (_S.PROCEEDING, _E.TRANSPORT_ERROR): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.PROCEEDING, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.COMPLETED, _E.K): _row(_S.TERMINATED),
    }
)

# RFC 3261 §17.2.1, figure 7, with RFC 6026 §7.1 (Accepted; a transport error ends nothing).
INVITE_SERVER: Final[Table] = MappingProxyType(
    {
        (_S.PROCEEDING, _E.RETRANSMISSION): _row(_S.PROCEEDING, _A.REPEAT),
        (_S.PROCEEDING, _E.SEND_PROVISIONAL): _row(_S.PROCEEDING, _A.SEND),
        (_S.PROCEEDING, _E.SEND_SUCCESS): _row(_S.ACCEPTED, _A.SEND, Start(Timer.L)),
        (_S.PROCEEDING, _E.SEND_FAILURE): _row(
            _S.COMPLETED, _A.SEND, Start(Timer.G), Start(Timer.H)
        ),
        (_S.PROCEEDING, _E.TRANSPORT_ERROR): _row(_S.PROCEEDING, _A.TELL_ERROR),
        (_S.PROCEEDING, _E.FLOW_LOST): _row(_S.PROCEEDING, _A.TELL_ERROR),
        (_S.COMPLETED, _E.RETRANSMISSION): _row(_S.COMPLETED, _A.REPEAT),
        (_S.COMPLETED, _E.ACK): _row(_S.CONFIRMED, Stop((Timer.G, Timer.H)), Start(Timer.I)),
        (_S.COMPLETED, _E.G): _row(_S.COMPLETED, _A.REPEAT, Again(Timer.G)),
        (_S.COMPLETED, _E.H): _row(_S.TERMINATED, _A.TELL_TIMEOUT),
        (_S.COMPLETED, _E.TRANSPORT_ERROR): _row(_S.COMPLETED, _A.TELL_ERROR),
        # A connection that is gone brings no ACK any more: nothing to wait for.
        (_S.COMPLETED, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.CONFIRMED, _E.ACK): _row(_S.CONFIRMED),
        (_S.CONFIRMED, _E.I): _row(_S.TERMINATED),
        (_S.ACCEPTED, _E.RETRANSMISSION): _row(_S.ACCEPTED),
        (_S.ACCEPTED, _E.ACK): _row(_S.ACCEPTED, _A.TELL),
        (_S.ACCEPTED, _E.SEND_SUCCESS): _row(_S.ACCEPTED, _A.SEND),
        (_S.ACCEPTED, _E.TRANSPORT_ERROR): _row(_S.ACCEPTED, _A.TELL_ERROR),
        (_S.ACCEPTED, _E.FLOW_LOST): _row(_S.ACCEPTED, _A.TELL_ERROR),
        (_S.ACCEPTED, _E.L): _row(_S.TERMINATED),
    }
)

# RFC 3261 §17.2.2, figure 8.
NON_INVITE_SERVER: Final[Table] = MappingProxyType(
    {
        (_S.TRYING, _E.RETRANSMISSION): _row(_S.TRYING),
        (_S.TRYING, _E.SEND_PROVISIONAL): _row(_S.PROCEEDING, _A.SEND),
        (_S.TRYING, _E.SEND_SUCCESS): _row(_S.COMPLETED, _A.SEND, Start(Timer.J)),
        (_S.TRYING, _E.SEND_FAILURE): _row(_S.COMPLETED, _A.SEND, Start(Timer.J)),
        (_S.TRYING, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.PROCEEDING, _E.RETRANSMISSION): _row(_S.PROCEEDING, _A.REPEAT),
        (_S.PROCEEDING, _E.SEND_PROVISIONAL): _row(_S.PROCEEDING, _A.SEND),
        (_S.PROCEEDING, _E.SEND_SUCCESS): _row(_S.COMPLETED, _A.SEND, Start(Timer.J)),
        (_S.PROCEEDING, _E.SEND_FAILURE): _row(_S.COMPLETED, _A.SEND, Start(Timer.J)),
        (_S.PROCEEDING, _E.TRANSPORT_ERROR): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.PROCEEDING, _E.FLOW_LOST): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.COMPLETED, _E.RETRANSMISSION): _row(_S.COMPLETED, _A.REPEAT),
        (_S.COMPLETED, _E.TRANSPORT_ERROR): _row(_S.TERMINATED, _A.TELL_ERROR),
        (_S.COMPLETED, _E.FLOW_LOST): _row(_S.TERMINATED),
        (_S.COMPLETED, _E.J): _row(_S.TERMINATED),
    }
)
