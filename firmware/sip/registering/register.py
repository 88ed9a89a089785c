"""The REGISTERs of one binding: what stands in them (RFC 3261 §10.2).

They have one Call-ID and a CSeq that counts up; a response may ask for others than the last. Not
here: when one is sent (`schedule`), what the answer means (`binding`, `grant`).
"""

from typing import Final

from firmware.sip.account import Home
from firmware.sip.core import ALLOW, Core
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow
from firmware.sip.headers import delta_seconds
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request, Response
from firmware.sip.registering.capabilities import capabilities

_LONGEST_EXPIRES: Final = 7 * 86400
_MOST_CORRECTIONS: Final = 3


class Register:
    """The next REGISTER; `contact` is the URI in the last, `expires` the seconds we ask for."""

    def __init__(self, core: Core, line: Line, number: int) -> None:
        """`number` is the binding's reg-id."""
        self.home: Home = line.account.homes[number - 1]
        self.contact = ""
        self.expires = line.account.expires
        self._core = core
        self._line = line
        self._number = number
        self._call_id = core.tokens.word(100)
        self._tag = core.tokens.word(60)
        self._cseq = 0
        self._corrections = 0
        # Datagrams to a single server gain nothing by it, and it makes them longer; an edge proxy
        # can lead calls back through the NAT by the flow they came from (RFC 5626 §5.3).
        by_edge = len(line.account.homes) > 1 or self.home.proxy is not None
        self._outbound = line.account.transport.reliable or by_edge

    def binding(self, flow: Flow, *, removing: bool) -> Request:
        """Asks for our binding by this flow, or takes it away (RFC 3261 §10.2.1, §10.2.2)."""
        self.contact = self._address(flow)
        reg_id = f";reg-id={self._number}" if self._outbound else ""
        instance = f';+sip.instance="<{self._line.instance_id}>"'
        able = capabilities(self._line.account)
        request = self.plain(f"<{self.contact}>{reg_id}{instance}{able}")
        options = ["path"]
        if self._line.account.gruu:
            options.append("gruu")
        if self._outbound:
            options.append("outbound")
        request.headers.add("Expires", "0" if removing else str(self.expires))
        request.headers.add("Allow", ALLOW)
        # RFC 3327 §5.1, RFC 5627 §4.1, RFC 5626 §4.2.1.
        request.headers.add("Supported", ", ".join(options))
        return request

    def plain(self, contact: str) -> Request:
        """One with this Contact and the next CSeq (RFC 3261 §10.2)."""
        self._cseq += 1
        identity = str(self._line.account.identity_at(self.home.server))
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", f"{identity};tag={self._tag}"),
                ("To", identity),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", contact),
            ]
        )
        if self.home.proxy is not None:
            headers.add("Route", f"<{self.home.proxy}>")
        return Request("REGISTER", str(self.home.server), headers)

    def mended(self, response: Response) -> bool:
        """Whether the next one is changed as the response asks for, so that it is worth a try."""
        if response.status == 423:
            return self._lengthen(response)
        if response.status == 439 and self._outbound:
            # RFC 5626 §4.2.1: the first hop cannot keep flows; register as of old.
            self._outbound = False
            return True
        return False

    def _lengthen(self, response: Response) -> bool:
        """RFC 3261 §10.2.8: ask for the time the registrar wants, if that is longer."""
        try:
            least = delta_seconds(response.headers.get("Min-Expires") or "")
        except ParseError:
            return False
        if not self.expires < least <= _LONGEST_EXPIRES:
            return False
        self.expires = least
        return True

    def is_misplaced(self, flow: Flow) -> bool:
        """Whether our Contact is not where the registrar sees us, and changing it may help (F55).

        A NAT that gives every datagram another port is followed a few times only.
        """
        if self._address(flow) == self.contact:
            self._corrections = 0
            return False
        self._corrections += 1
        return self._corrections <= _MOST_CORRECTIONS

    def _address(self, flow: Flow) -> str:
        # RFC 5630 §5.1.1.1: who wants to be reached by sips registers a sips Contact.
        secure = self._line.account.address.secure
        address = self._core.address(self._line, flow, secure=secure)
        return address + (";ob" if self._outbound else "")
