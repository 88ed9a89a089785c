"""The PRACK to a provisional response of the far end, perhaps with an offer or answer of ours.

Sent for an early dialog, and for the responses to a re-INVITE (RFC 3262 §4, §5).
"""

from firmware.sip.bodies import Rows, shown
from firmware.sip.core import Core
from firmware.sip.errand import Errand
from firmware.sip.exchange import Exchange
from firmware.sip.invite.leg import Leg
from firmware.sip.invite.waiting import Kind
from firmware.sip.message import Response
from firmware.sip.notifications import FailureCause, ReofferAnswered, ReofferRejected


class Prack(Errand):
    """The leg is told once the far end has it; an offer in it gets its answer with the 2xx."""

    def __init__(self, core: Core, leg: Leg, heard: Response, sdp: bytes = b"") -> None:
        headers = heard.headers
        cseq = " ".join((headers.get("CSeq") or "").split())
        rows: Rows = (("RAck", f"{(headers.get('RSeq') or '').strip()} {cseq}"),)
        if sdp:
            rows = (*rows, ("Content-Type", "application/sdp"))
        super().__init__(core, leg.line, leg.dialog, "PRACK", rows, sdp)
        self._core = core
        self._leg = leg
        self._heard = heard
        self._sdp = sdp
        self._offers = bool(sdp) and leg.ours is Kind.PRACK

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        del exchange
        if response.status < 200:
            return
        leg = self._leg
        if self._offers and leg.ours is Kind.PRACK:
            leg.ours = None
            self._decided(response, now)
        leg.pracked(now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, cause, detail
        leg = self._leg
        if self._offers and leg.ours is Kind.PRACK:
            leg.ours = None
            self._tell(ReofferRejected(leg.call, 408, "Request Timeout", leg.fork))
        leg.pracked(now)

    def _decided(self, response: Response, now: float) -> None:
        leg = self._leg
        if response.status < 300:
            leg.sdp = self._sdp
            self._tell(ReofferAnswered(leg.call, response.body, leg.fork))
            return
        phrase = shown(response.phrase)
        self._tell(ReofferRejected(leg.call, response.status, phrase, leg.fork))
        if not leg.over:
            # RFC 6337 §2.3: the response itself is not acknowledged yet.
            Prack(self._core, leg, self._heard).start(now)

    def _tell(self, told: ReofferAnswered | ReofferRejected) -> None:
        if not self._leg.over:
            self._core.notify(told)
