"""Dialogs that hold subscriptions, alone or beside a call (RFC 5057).

    NOTIFY, SUBSCRIBE ─▶ SharedDialog ─▶ the usage whose Event it is

A `SharedDialog` is the user of a dialog that a subscription made. Where a call is the user of the
dialog (a REFER's subscription, RFC 3515 §2.4.4), it stands beside it, gets what the call does not
serve, and takes the dialog over when the call ends before the subscriptions do.
"""

from typing import Protocol

from firmware.sip.bodies import refusal
from firmware.sip.core import ALLOW, Core
from firmware.sip.dialog import Dialog
from firmware.sip.errors import ParseError
from firmware.sip.event.package import Event, parse_event
from firmware.sip.methods import KNOWN, NOTIFY, SUBSCRIBE, SUPPORTED
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.server import ServerTransaction


class EventUsage(Protocol):
    """One subscription in a dialog, on either side."""

    @property
    def takes(self) -> str:
        """NOTIFY on the subscriber's side, SUBSCRIBE on the notifier's."""

    def matches(self, event: Event) -> bool:
        """Whether a request with this Event is for it."""

    def on_request(self, transaction: ServerTransaction, event: Event, now: float) -> None:
        """A request for it; it must be answered."""


class SharedDialog:
    """The subscriptions of one dialog."""

    def __init__(self, core: Core, dialog: Dialog) -> None:
        self.dialog = dialog
        self._core = core
        self._usages: list[EventUsage] = []

    def __len__(self) -> int:
        return len(self._usages)

    @property
    def beside_call(self) -> bool:
        """Whether a call is the user of the dialog."""
        return self._core.dialogs.get(self.dialog.key) is not self

    def add(self, usage: EventUsage) -> None:
        """One more subscription."""
        self._usages.append(usage)

    def remove(self, usage: EventUsage) -> None:
        """A subscription has ended; with the last one, and without a call, the dialog does."""
        if usage in self._usages:
            self._usages.remove(usage)
        if self._usages:
            return
        core, key = self._core, self.dialog.key
        if core.shared.get(key) is self:
            del core.shared[key]
        if core.dialogs.get(key) is self:
            del core.dialogs[key]

    def on_request(self, arrival: Arrival, now: float) -> None:
        """A request in a dialog without a call."""
        core, method = self._core, arrival.request.method
        self.dialog.flow = arrival.flow
        if method == "ACK":
            return
        transaction = core.transactions.open(arrival)
        if not self.dialog.in_order(arrival.cseq.number):
            core.answer(transaction, 500, now)
            return
        # RFC 4662 §4.1: notifications of lists require that we know what a list is.
        refused = refusal(arrival.request, (*SUPPORTED, "eventlist"))
        if method not in KNOWN:
            core.answer(transaction, 501, now, [("Allow", ALLOW)])
        elif method == "BYE":
            core.answer(transaction, 481, now)  # there is no call to end
        elif method not in (NOTIFY, SUBSCRIBE):
            core.answer(transaction, 405, now, [("Allow", ALLOW)])
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        else:
            self.serve(transaction, now)

    def serve(self, transaction: ServerTransaction, now: float) -> None:
        """A NOTIFY or SUBSCRIBE in its order; without a usage 481 (RFC 6665 §4.1.3)."""
        event = event_of(transaction.arrival)
        if event is None:
            self._core.answer(transaction, 489, now)
            return
        usage = self.find(transaction.arrival.request.method, event)
        if usage is None:
            self._core.answer(transaction, 481, now)
        else:
            usage.on_request(transaction, event, now)

    def find(self, method: str, event: Event) -> EventUsage | None:
        """The usage that a request is for."""
        for usage in self._usages:
            if usage.takes == method and usage.matches(event):
                return usage
        return None


def share(core: Core, dialog: Dialog) -> SharedDialog:
    """The subscriptions of a dialog; made if there are none yet."""
    found = core.shared.get(dialog.key)
    if isinstance(found, SharedDialog):
        return found
    shared = SharedDialog(core, dialog)
    core.shared[dialog.key] = shared
    core.dialogs.setdefault(dialog.key, shared)
    return shared


def event_of(arrival: Arrival) -> Event | None:
    """The Event of a request; None if it is missing or malformed."""
    try:
        return parse_event(arrival.request.headers.get("Event") or "")
    except ParseError:
        return None
