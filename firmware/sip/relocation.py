"""Calls whose address is gone: where they can go on, as far as the SIP stack knows (F9).

    the address is gone ──▶ a way to the dialog's next hop ──▶ AddressChanged(local)
                               │ none yet: again, for half a minute
                               └──▶ AddressChanged("")

Whoever owns the media answers with an offer from the new address (RFC 3261 §14, a target refresh
with our new Contact), or ends the call. A machine without any address at all is waited for: its
old one may come back, and then nothing has happened.
"""

from typing import Final

from firmware.sip.core import Alarm, Core, Usage
from firmware.sip.flow import Flow
from firmware.sip.notifications import AddressChanged, CallRef, FailureCause
from firmware.sip.usage.invite_server import InviteServer
from firmware.sip.usage.session import Session
from firmware.sip.wayfinder import Wayfinder

_AGAIN: Final = 1.0
LONGEST_SEARCH: Final = 30.0


class Relocations:
    """The calls that are looking for a new address; `len` is their number."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._moves: dict[CallRef, _Move] = {}

    def __len__(self) -> int:
        return len(self._moves)

    def network_changed(self, now: float) -> None:
        """Look for those calls whose address is gone; one that rings here ends."""
        for call in list(self._core.calls.values()):
            if isinstance(call, Session):
                self.check(call, now)
            elif isinstance(call, InviteServer) and self._is_gone(call.flow):
                call.stranded(now)

    def check(self, usage: Usage, now: float) -> None:
        """The machine's addresses have changed: does this call stand on one it still has?"""
        if not self._is_gone(usage.dialog.flow) or usage.call in self._moves:
            return
        self._moves[usage.call] = move = _Move(self, self._core, usage, now)
        move.start(now)

    def _is_gone(self, flow: Flow) -> bool:
        return not self._core.has_address(flow.local.host)

    def done(self, usage: Usage, local: str, shown: str = "") -> None:
        """A call has found its new address, or never will."""
        self._moves.pop(usage.call, None)
        if usage.call in self._core.calls:
            self._core.notify(AddressChanged(usage.call, local, shown))


class _Move:
    """One call's search."""

    def __init__(self, owner: Relocations, core: Core, usage: Usage, now: float) -> None:
        self._owner = owner
        self._core = core
        self._usage = usage
        self._until = now + LONGEST_SEARCH

    def start(self, now: float) -> None:
        usage = self._usage
        hint = usage.line.registrar_flow
        Wayfinder(self._core, usage.dialog.next_hop, self, usage.line, hint).start(now)

    def on_way(self, flow: Flow, now: float) -> None:
        del now
        self._usage.dialog.flow = flow
        self._owner.done(self._usage, flow.local.host, self._core.shown(flow))

    def on_no_way(self, cause: FailureCause, detail: str, now: float) -> None:
        del cause, detail
        if now >= self._until or self._usage.call not in self._core.calls:
            self._owner.done(self._usage, "")
        else:
            self._core.arm(self, Alarm.MOVE, now + _AGAIN)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.MOVE:
            self.start(now)
