"""What notifications are about: calls, lines, people, and why something did not work."""

import enum
from typing import NewType

from msgspec import Struct

CallRef = NewType("CallRef", str)
LineName = NewType("LineName", str)
TransferRef = NewType("TransferRef", str)
SubscriptionRef = NewType("SubscriptionRef", str)
MessageRef = NewType("MessageRef", str)
PublicationRef = NewType("PublicationRef", str)


class FailureCause(enum.Enum):
    """Why something did not work; each has a sentence in `ui/text`."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a cause
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    NAME_NOT_FOUND = "name_not_found"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    NO_NETWORK = "no_network"
    SERVER_ERROR = "server_error"
    BUSY = "busy"
    DECLINED = "declined"
    NOT_ACCEPTABLE = "not_acceptable"
    CANCELLED = "cancelled"
    TLS_FAILED = "tls_failed"
    TLS_TOO_OLD = "tls_too_old"
    TLS_WANTS_CERT = "tls_wants_cert"
    TLS_OWN_FILES = "tls_own_files"
    CERT_UNTRUSTED = "cert_untrusted"
    CERT_SELF_SIGNED = "cert_self_signed"
    CERT_NAME = "cert_name"
    CERT_EXPIRED = "cert_expired"
    CERT_NOT_YET = "cert_not_yet"
    CLOCK_NOT_SET = "clock_not_set"
    NO_ACK = "no_ack"
    SESSION_LOST = "session_lost"
    INCOMPLETE = "incomplete"
    AMBIGUOUS = "ambiguous"
    UNWANTED = "unwanted"
    ANONYMITY = "anonymity"
    MOVED = "moved"
    OTHER = "other"


class Barrier(enum.Enum):
    """Why the phone does not call whom another party names (A19)."""

    EMERGENCY = "emergency"
    COSTLY = "costly"
    CODE = "code"
    AWAY = "away"
    """It leads to a server that this line has nothing to do with."""


class Party(Struct, frozen=True):
    """Who is at the other end: display name (may be empty), user part and whole URI."""

    name: str
    user: str
    uri: str
