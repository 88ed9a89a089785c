"""Documents with versions, full and partial (RFC 4235 §4.3, RFC 3680 §5.2, RFC 4575 §4.6)."""

import enum
from typing import Final

from firmware.sip.event.package import BodyError

_MOST: Final = 2**32 - 1


class Step(enum.Enum):
    """What a document is to those before it."""

    NEXT = "to be taken"
    OLD = "older than what is known"
    GAP = "something before it is missing"


class Versions:
    """Which documents of a subscription are taken.

    A full one always is: in its dialog it cannot be older than what is known, and servers that
    begin at 0 again mean it. For the same reason the same number twice is no old document.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def step(self, text: str, *, full: bool) -> Step:
        """Judge the next document.

        Raises:
            BodyError: its version is no number.
        """
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) > _MOST:
            raise BodyError("no version")
        version, last = int(text), self._last
        if not full and last is not None and version < last:
            return Step.OLD
        self._last = version
        return Step.GAP if not full and (last is None or version > last + 1) else Step.NEXT
