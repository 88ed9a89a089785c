"""Takes an old Contact of ours away from a registrar (RFC 3261 §10.2.2)."""

from typing import Protocol

from firmware.sip.account import Home
from firmware.sip.core import Core
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.notifications import FailureCause


class Bound(Protocol):
    """The binding whose registrar has it."""

    line: Line
    home: Home

    def request(self, contact: str) -> Request:
        """A REGISTER with the next CSeq."""


class Removal:
    """Takes one old Contact away; whether that works changes nothing."""

    def __init__(self, core: Core, binding: Bound, uri: str, flow: Flow) -> None:
        self._binding = binding
        self._contact = f"<{uri}>;expires=0"
        hop = binding.home.hop
        self._exchange = Exchange(core, binding.line, hop, self._compose, self, flow)

    def start(self, now: float) -> None:
        """Send it."""
        self._exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        del flow
        return self._binding.request(self._contact)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        """Gone, or it was gone already."""

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        """Then it ends when its time is over."""
