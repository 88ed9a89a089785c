"""A request outside a dialog whose NOTIFYs make dialogs (RFC 6665 §4.4.1).

A SUBSCRIBE (or a REFER outside a call) tells our tag and Call-ID; the first NOTIFY of each notifier
it was forked to tells the rest, perhaps before the answer to the request. So the route set and the
remote target come from the NOTIFY, never from the 2xx.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.core import Core
from firmware.sip.dialog import Dialog, contact_of, from_notify
from firmware.sip.event.package import Event
from firmware.sip.methods import NOTIFY
from firmware.sip.subscribing.sharing import event_of, share
from firmware.sip.subscribing.subscribed import Subscribed
from firmware.sip.transaction.keys import Arrival

_MOST_FORKS: Final = 16

Make = Callable[[Dialog, Event, float], Subscribed | None]
"""Gives the subscription for a new dialog, or None for 481 (no further fork is wanted, or the
Event is not ours: RFC 6665 §5.4.9)."""


class Opening:
    """Takes the first NOTIFY of every fork from `open` until `close` (at most until timer N).

    Whoever makes the `Subscribed` sets its dialog's `local_cseq` to the number of the request that
    was sent last.
    """

    def __init__(self, core: Core, call_id: str, tag: str, make: Make) -> None:
        self._core = core
        self._key = (call_id, tag)
        self._make = make
        self._forks = 0

    def open(self) -> None:
        """Take NOTIFYs from now on."""
        self._core.half_dialogs[self._key] = self

    def close(self) -> None:
        """Take no more; the dialogs that were made go on."""
        if self._core.half_dialogs.get(self._key) is self:
            del self._core.half_dialogs[self._key]

    def on_request(self, arrival: Arrival, now: float) -> None:
        core, request = self._core, arrival.request
        event, target = event_of(arrival), contact_of(request.headers)
        if request.method == "ACK":
            return
        if request.method != NOTIFY:
            self._refuse(arrival, 481, now)
        elif event is None:
            self._refuse(arrival, 489, now)  # RFC 6665 §4.1.3
        elif target is None or not arrival.from_tag:
            self._refuse(arrival, 400, now)  # nothing to make a dialog of (RFC 3261 §12.1.1)
        else:
            dialog = from_notify(arrival, target, 0)
            made = self._make(dialog, event, now) if self._forks < _MOST_FORKS else None
            if made is None:
                self._refuse(arrival, 481, now)
                return
            self._forks += 1
            share(core, dialog).on_request(arrival, now)

    def _refuse(self, arrival: Arrival, status: int, now: float) -> None:
        self._core.answer(self._core.transactions.open(arrival), status, now)
