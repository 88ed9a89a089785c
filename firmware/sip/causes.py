"""What a final status or a broken flow means to a person, in causes the phone has sentences for."""

from typing import Final

from msgspec import Struct

from firmware.sip.notifications import FailureCause

_BY_STATUS: Final = {
    401: FailureCause.WRONG_PASSWORD,
    403: FailureCause.FORBIDDEN,
    404: FailureCause.NOT_FOUND,
    406: FailureCause.NOT_ACCEPTABLE,
    407: FailureCause.WRONG_PASSWORD,
    408: FailureCause.NO_ANSWER,
    410: FailureCause.NOT_FOUND,
    415: FailureCause.NOT_ACCEPTABLE,
    416: FailureCause.NOT_FOUND,
    430: FailureCause.NO_ANSWER,
    433: FailureCause.ANONYMITY,  # RFC 5079 §5
    480: FailureCause.NO_ANSWER,
    481: FailureCause.SESSION_LOST,
    484: FailureCause.INCOMPLETE,
    485: FailureCause.AMBIGUOUS,
    486: FailureCause.BUSY,
    487: FailureCause.CANCELLED,
    488: FailureCause.NOT_ACCEPTABLE,
    504: FailureCause.NO_ANSWER,
    600: FailureCause.BUSY,
    603: FailureCause.DECLINED,
    604: FailureCause.NOT_FOUND,
    606: FailureCause.NOT_ACCEPTABLE,
    607: FailureCause.UNWANTED,  # RFC 8197 §3
    608: FailureCause.DECLINED,
}


class Trouble(Struct, frozen=True):
    """What is wrong with a flow: the driver's words and their meaning."""

    reason: str
    cause: FailureCause


LOST: Final = Trouble("connection lost", FailureCause.REFUSED)


def cause_of_trouble(reason: str) -> FailureCause:
    """The cause behind what the operating system said about a socket."""
    text = reason.lower()
    if "unreachable" in text or "no route" in text or "no socket" in text or "is down" in text:
        return FailureCause.NO_NETWORK
    if "no answer" in text or "timed out" in text:
        return FailureCause.NO_ANSWER
    return FailureCause.REFUSED


def cause_of(status: int) -> FailureCause:
    """The cause behind a failure status."""
    found = _BY_STATUS.get(status)
    if found is None:
        by_class = {3: FailureCause.MOVED, 5: FailureCause.SERVER_ERROR}
        found = by_class.get(status // 100, FailureCause.OTHER)
    return found
