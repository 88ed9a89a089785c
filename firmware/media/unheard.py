"""Says when what we send is not heard, and why: the other half of `media.hearing` (P9). Pure.

Our own kernel may refuse what is sent; that is known within two seconds. Whether it arrives only
the far end knows, and its reports say so (RFC 3550 §6.4.1): the highest number it has seen of us
stays where it was, or it does not speak of us at all. One report that says nothing of us may be
that of a far end which has just begun; a second one counts.
"""

from firmware.media.messages import Unheard

_ENOUGH = 100
"""Packets that must have been sent since a report: fewer may still be under way."""
_SILENT_REPORTS = 2
_REFUSALS = 25
"""Datagrams refused in a second: half of what is sent."""
_REFUSED_SECONDS = 2


class UnheardWatch:
    """One stream's; `cause` is what was last reported, None while all is well."""

    __slots__ = ("_highest", "_known", "_refused", "_seconds", "_sent", "_silent", "cause")

    def __init__(self) -> None:
        self._known = 0
        self._seconds = 0
        self.cause: Unheard | None = None
        self.begin(0)

    def begin(self, sent: int) -> None:
        """A new place to send to, where so many packets went elsewhere before: nothing is known."""
        self._sent = sent
        self._highest: int | None = None
        self._silent = 0

    def told(self, sent: int, highest: int | None) -> None:
        """The far end reports, after so many packets; None = it does not speak of us."""
        if highest is not None and highest != self._highest:
            self._highest = highest
            self._silent = 0
            self._sent = sent
        elif sent - self._sent >= _ENOUGH:
            self._sent = sent
            self._silent += 1 if highest is None else _SILENT_REPORTS

    def refused(self, total: int) -> None:
        """Once a second: how many datagrams the kernel has refused to take so far."""
        self._seconds = self._seconds + 1 if total - self._known >= _REFUSALS else 0
        self._known = total

    def changed(self, *, sends: bool) -> bool:
        """Whether `cause` is another one now; who sends nothing is not to be heard."""
        cause = None
        if sends and self._seconds >= _REFUSED_SECONDS:
            cause = Unheard.REFUSED
        elif sends and self._silent >= _SILENT_REPORTS:
            cause = Unheard.NOT_ARRIVING
        if cause is self.cause:
            return False
        self.cause = cause
        return True
