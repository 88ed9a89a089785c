"""One OPTIONS to our own server: does it live, and where does it see us (RFC 3261 §11, RFC 3581)?

A datagram flow has no answer of its own to a keep-alive; any answer to this one shows that the way
there and back is open, and its Via whether a NAT has forgotten us meanwhile (F55).
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.core import Alarm, Core
from firmware.sip.flow import Flow
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.machine import Failure
from firmware.sip.uri import bracketed

PATIENCE: Final = 8.0
"""Seconds: four or five datagrams."""

Heard = Callable[[bool, bool, float], None]
"""(alive, moved, now): whether anything answered, and whether it sees us elsewhere than before."""


class Probe:
    """One question, answered once by `heard`."""

    def __init__(self, core: Core, line: Line, flow: Flow, heard: Heard) -> None:
        self._core = core
        self._line = line
        self._flow = flow
        self._heard: Heard | None = heard

    def start(self, now: float) -> None:
        """Ask."""
        core, flow = self._core, self._flow
        hop = self._line.home.hop
        port = "" if hop.port is None else f":{hop.port}"
        uri = f"{hop.scheme}:{bracketed(hop.host)}{port}"
        branch = core.branch()
        rows = [
            ("Via", f"SIP/2.0/{flow.transport.via} {core.sent_by(flow)};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<{self._line.identity.uri}>;tag={core.tokens.word(60)}"),
            ("To", f"<{uri}>"),
            ("Call-ID", core.tokens.word(100)),
            ("CSeq", "1 OPTIONS"),
            ("User-Agent", core.settings.product),
        ]
        core.arm(self, Alarm.PONG, now + PATIENCE)
        core.transactions.send(Request("OPTIONS", uri, Headers(rows)), branch, flow, self, now)

    def drop(self) -> None:
        """Nobody wants to know any more."""
        self._heard = None
        self._core.disarm(self, Alarm.PONG)

    def on_response(self, response: Response, now: float) -> None:
        moved = self._core.appearance.note(self._flow, self._core.local(self._flow), response)
        self._tell(True, moved, now)  # noqa: FBT003 - alive

    def on_failure(self, failure: Failure, now: float) -> None:
        del failure
        self._tell(False, False, now)  # noqa: FBT003 - dead, and nothing is known

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.PONG:
            self._tell(False, False, now)  # noqa: FBT003 - as above

    def _tell(self, alive: bool, moved: bool, now: float) -> None:  # noqa: FBT001 - as `Heard`
        heard = self._heard
        self.drop()
        if heard is not None:
            heard(alive, moved, now)
