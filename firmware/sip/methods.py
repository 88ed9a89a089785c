"""The SIP methods: those with a name in an RFC, and those this user agent serves.

A method is case-sensitive (RFC 3261 §7.1). One that is not in `KNOWN` is answered 501, one that
is known but not in `ALLOWED` 405 (RFC 3261 §8.2.1, §21.5.2).
"""

from typing import Final

ACK: Final = "ACK"
BYE: Final = "BYE"
CANCEL: Final = "CANCEL"
INFO: Final = "INFO"  # RFC 6086
INVITE: Final = "INVITE"
MESSAGE: Final = "MESSAGE"  # RFC 3428
NOTIFY: Final = "NOTIFY"  # RFC 6665
OPTIONS: Final = "OPTIONS"
PRACK: Final = "PRACK"  # RFC 3262
PUBLISH: Final = "PUBLISH"  # RFC 3903
REFER: Final = "REFER"  # RFC 3515
REGISTER: Final = "REGISTER"
SUBSCRIBE: Final = "SUBSCRIBE"  # RFC 6665
UPDATE: Final = "UPDATE"  # RFC 3311

KNOWN: Final = frozenset(
    {
        ACK,
        BYE,
        CANCEL,
        INFO,
        INVITE,
        MESSAGE,
        NOTIFY,
        OPTIONS,
        PRACK,
        PUBLISH,
        REFER,
        REGISTER,
        SUBSCRIBE,
        UPDATE,
    }
)
"""Every method that an RFC defines."""

ALLOWED: Final = (
    INVITE,
    ACK,
    CANCEL,
    BYE,
    OPTIONS,
    INFO,
    PRACK,
    UPDATE,
    SUBSCRIBE,
    NOTIFY,
    REFER,
    MESSAGE,
)
"""What our Allow header says, in its order."""

SUPPORTED: Final[tuple[str, ...]] = (
    "100rel",
    "timer",
    "replaces",
    "199",
    "norefersub",
    "nosub",
    "tdialog",
    "from-change",
    "answermode",
)
"""The option tags we understand: what a Require of the far end may ask for (RFC 3261 §8.2.2.3)."""

SUPPORTED_WITH_ICE: Final = (*SUPPORTED, "ice")
"""The same on a line that checks its ways: RFC 5768 §5 has the tag in Require alone."""
