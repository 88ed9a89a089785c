"""The last calls, for the ladder: what each was called on the wire, and how it ended.

A call is remembered by our name for it from the moment it is placed or arrives, so that one that
came to nothing before it had a Call-ID has its reason too.
"""

from collections.abc import Iterator

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.notifications import CallEnded, CallRef

_MOST = 100


class CallNote(Struct, frozen=True):
    """One call; `call_id` is empty until the stack has one, `dialled` if somebody called us."""

    call: CallRef
    call_id: str = ""
    dialled: str = ""
    ended: CallEnded | None = None


class LastCalls:
    """A hundred of them, the newest last."""

    def __init__(self) -> None:
        self._notes: dict[CallRef, CallNote] = {}

    def __len__(self) -> int:
        return len(self._notes)

    def __iter__(self) -> Iterator[CallNote]:
        return iter(self._notes.values())

    def dialled(self, call: CallRef, target: str) -> None:
        """We place a call."""
        self._keep(replace(self._of(call), dialled=target))

    def named(self, call: CallRef, call_id: str) -> None:
        """It goes by this Call-ID on the wire."""
        self._keep(replace(self._of(call), call_id=call_id))

    def ended(self, ended: CallEnded) -> None:
        """It is over."""
        self._keep(replace(self._of(ended.call), ended=ended))

    def find(self, name: str) -> CallNote | None:
        """A call by our name for it or by its Call-ID."""
        found = self._notes.get(CallRef(name))
        return found or next((note for note in self if name and note.call_id == name), None)

    @property
    def newest(self) -> CallNote | None:
        """The call that began last."""
        return next(reversed(self._notes.values()), None)

    def _of(self, call: CallRef) -> CallNote:
        return self._notes.get(call) or CallNote(call)

    def _keep(self, note: CallNote) -> None:
        self._notes[note.call] = note  # in its place: the order is that of the beginnings
        while len(self._notes) > _MOST:
            self._notes.pop(next(iter(self._notes)))
