"""What a message belongs to: the keys of transactions and the read start of a request.

RFC 3261 §17.1.3 matches a response by branch and CSeq method, §17.2.3 a request by branch, sent-by
and method, and requests of RFC 2543 elements (no magic cookie) by the fields they do have.
"""

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.errors import ParseError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.headers import (
    MAGIC_COOKIE,
    CSeq,
    NameAddr,
    Via,
    parse_cseq,
    parse_name_addr,
    parse_via,
    split_list,
    values,
)
from firmware.sip.message import Request, Response

ClientKey = tuple[str, str]
ServerKey = tuple[str, ...]

DEFAULT_PORT = 5060


class Arrival(Struct):
    """A request that arrived, with the headers that everybody asks for already read."""

    request: Request
    flow: Flow
    via: Via
    call_id: str
    cseq: CSeq
    sender: NameAddr
    to: NameAddr

    @property
    def from_tag(self) -> str:
        """The tag of the From header; empty from an RFC 2543 element."""
        return self.sender.tag or ""

    @property
    def to_tag(self) -> str:
        """The tag of the To header; empty outside a dialog."""
        return self.to.tag or ""

    @property
    def legacy(self) -> bool:
        """Whether an element of RFC 2543 sent it: its branch, if any, says nothing by itself."""
        # RFC 3261 §17.2.3
        branch = self.via.branch or ""
        return not branch.startswith(MAGIC_COOKIE) or len(branch) == len(MAGIC_COOKIE)

    @property
    def key(self) -> ServerKey:
        """The server transaction this request belongs to; an ACK has the key of its INVITE."""
        method = "INVITE" if self.request.method == "ACK" else self.request.method
        return self._key(method)

    @property
    def invite_key(self) -> ServerKey:
        """The server transaction that this CANCEL is about (RFC 3261 §9.2)."""
        return self._key("INVITE")

    @property
    def merge_key(self) -> ServerKey:
        """Equal for copies of one request that came by different ways (RFC 3261 §8.2.2.2)."""
        return (self.call_id, self.from_tag, str(self.cseq.number), self.request.method)

    def without_content(self) -> "Arrival":
        """What its keys need, when all else has been read."""
        return replace(self, request=Request(self.request.method, self.request.uri))

    def _key(self, method: str) -> ServerKey:
        via = self.via
        branch = via.branch or ""
        if not self.legacy:
            return (branch, via.host.lower(), str(via.port or DEFAULT_PORT), method)
        number = str(self.cseq.number)
        hop = f"{via.host.lower()}:{via.port or DEFAULT_PORT};{branch}"
        return ("", self.request.uri, self.from_tag, self.call_id, number, hop, method)


def read_arrival(request: Request, flow: Flow) -> Arrival:
    """Read a request and note in its top Via where it came from (RFC 3261 §18.2.1, RFC 3581 §4).

    Raises:
        ParseError: Via, From, To, Call-ID or CSeq is missing or malformed.
    """
    headers = request.headers
    rows = {name: headers.get(name) for name in ("Via", "From", "To", "Call-ID", "CSeq")}
    missing = [name for name, row in rows.items() if not row]
    if missing:
        raise ParseError(f"no {missing[0]}")
    vias = split_list(rows["Via"] or "")
    via = parse_via(vias[0])
    seen = _with_source(via, flow)
    if seen is not via:
        rest = [*vias[1:], *values(headers, "Via")[len(vias) :]]
        headers.set("Via", ", ".join([str(seen), *rest]))
    return Arrival(
        request,
        flow,
        via,
        rows["Call-ID"] or "",
        parse_cseq(rows["CSeq"] or ""),
        parse_name_addr(rows["From"] or ""),
        parse_name_addr(rows["To"] or ""),
    )


def _with_source(via: Via, flow: Flow) -> Via:
    host = flow.remote.host.partition("%")[0]
    seen = via
    if via.wants_rport:
        # RFC 3581 §4: with rport, received stands there even if it says nothing new.
        seen = via.with_param("rport", str(flow.remote.port)).with_param("received", host)
    elif via.host != host:
        seen = via.with_param("received", host)
    return seen


def response_flow(arrival: Arrival) -> Flow:
    """Where responses go (RFC 3261 §18.2.2, RFC 3581 §4).

    A stream answers on its connection. A datagram goes back to the address it came from, to the
    port it came from if the Via asks for that, else to the port of the Via. `maddr` is not
    followed: nobody needs it, and it would let a stranger choose a victim.
    """
    flow = arrival.flow
    if flow.transport is not Transport.UDP or arrival.via.wants_rport:
        return flow
    remote = Endpoint(flow.remote.host, arrival.via.port or DEFAULT_PORT)
    return Flow(flow.transport, flow.local, remote)


def response_key(response: Response) -> tuple[ClientKey, Via] | None:
    """The client transaction a response is for, and the Via that must be ours; None if neither."""
    via_row, cseq_row = response.headers.get("Via"), response.headers.get("CSeq")
    if via_row is None or cseq_row is None:
        return None
    try:
        via = parse_via(split_list(via_row)[0])
        method = parse_cseq(cseq_row).method
    except ParseError:
        return None
    return ((via.branch or "", method), via)
