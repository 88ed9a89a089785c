"""A request inside a dialog whose answer changes nothing: BYE, a digit by INFO.

A BYE ends the call whatever comes back (RFC 3261 §15.1.1); a digit that is refused is a digit the
far end does not want.
"""

from collections.abc import Callable

from firmware.sip.core import Core
from firmware.sip.dialog import Dialog
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.notifications import FailureCause

Rows = tuple[tuple[str, str], ...]


class Errand:
    """One request inside a dialog, with credentials and further addresses if need be."""

    def __init__(
        self,
        core: Core,
        line: Line | None,
        dialog: Dialog,
        method: str,
        headers: Rows = (),
        body: bytes = b"",
    ) -> None:
        self._dialog = dialog
        self._method = method
        self._headers = headers
        self._body = body
        self._exchange = Exchange(core, line, dialog.next_hop, self._compose, self, dialog.flow)

    def start(self, now: float) -> None:
        """Send it."""
        self._exchange.start(now)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        """Whatever it is."""

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        """As above."""

    def _compose(self, flow: Flow) -> Request:
        del flow
        request = self._dialog.request(self._method, self._dialog.next_number())
        for name, value in self._headers:
            request.headers.add(name, value)
        request.body = self._body
        return request


class Goodbye(Errand):
    """A BYE; `done` once the far end has had its say (RFC 3261 §15.1.1)."""

    def __init__(
        self, core: Core, line: Line | None, dialog: Dialog, headers: Rows, done: Callable[[], None]
    ) -> None:
        super().__init__(core, line, dialog, "BYE", headers)
        self._done = done

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        del exchange, now
        if response.status >= 200:
            self._done()

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, cause, detail, now
        self._done()


def say_goodbye(
    core: Core,
    line: Line | None,
    dialog: Dialog,
    now: float,
    reason: str = "",
    done: Callable[[], None] = lambda: None,
) -> None:
    """End a dialog with BYE; `reason` is a Reason value (RFC 3326 §2)."""
    headers = (("Reason", reason),) if reason else ()
    Goodbye(core, line, dialog, headers, done).start(now)
