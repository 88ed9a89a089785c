"""Takes an old Contact of ours away from a registrar (RFC 3261 §10.2.2)."""

from firmware.sip.core import Core
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.notifications import FailureCause
from firmware.sip.registering.register import Register


class Removal:
    """Takes one old Contact away; whether that works changes nothing."""

    def __init__(self, core: Core, line: Line, register: Register, uri: str, flow: Flow) -> None:
        self._register = register
        self._contact = f"<{uri}>;expires=0"
        self._exchange = Exchange(core, line, register.home.hop, self._compose, self, flow)

    def start(self, now: float) -> None:
        """Send it."""
        self._exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        del flow
        return self._register.plain(self._contact)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        """Gone, or it was gone already."""

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        """Then it ends when its time is over."""
