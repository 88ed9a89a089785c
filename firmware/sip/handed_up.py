"""Requests that the owner of the user agent answers itself (the practice PBX takes REGISTER so)."""

from collections.abc import Iterable
from typing import Final

from firmware.sip.core import Alarm, Core
from firmware.sip.errors import LocalError
from firmware.sip.notifications import RequestReceived
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.server import ServerTransaction

_PATIENCE: Final = 20.0


class HandedUp:
    """The requests that wait for `respond`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, arrival: Arrival, now: float) -> None:
        """Hand a request up."""
        key = self._core.tokens.word(60)
        waiting = _Waiting(self, key, self._core.transactions.open(arrival))
        self._waiting[key] = waiting
        self._core.arm(waiting, Alarm.GUARD, now + _PATIENCE)
        self._core.notify(RequestReceived(key, arrival.request, arrival.flow))

    def respond(
        self,
        key: str,
        status: int,
        now: float,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        """Answer; nothing if it was answered before or given up.

        Raises:
            LocalError: the status is not final.
        """
        if not 200 <= status <= 699:
            raise LocalError(f"{status} is no final answer")
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._core.disarm(waiting, Alarm.GUARD)
            self._core.answer(waiting.transaction, status, now, headers, body)


class _Waiting:
    def __init__(self, owner: HandedUp, key: str, transaction: ServerTransaction) -> None:
        self._owner = owner
        self._key = key
        self.transaction = transaction

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """The owner forgot it: that is an internal error, and the request must not stay."""
        if alarm is Alarm.GUARD:
            self._owner.respond(self._key, 500, now)
