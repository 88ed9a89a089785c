"""A dialog: what two user agents remember of each other (RFC 3261 §12).

A dialog knows how to write the next request inside it and in which order requests of the far end
may come. It does not know what the requests mean; calls live in `firmware.sip.usage`.
"""

import json

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.errors import ParseError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.headers import NameAddr, contact_list, parse_name_addr, route_list
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.keys import Arrival
from firmware.sip.uri import Uri, parse_uri

DialogKey = tuple[str, str, str]
MAX_FORWARDS = "70"
_NOT_IN_REQUEST = ("method", "ttl")


class Dialog(Struct):
    """One confirmed or early dialog.

    `local` and `remote` are From and To of our requests, tags included. `routes` stand in the
    order of our Route header. `flow` is the way the dialog was set up over.
    """

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    remote: str
    remote_target: Uri
    routes: tuple[NameAddr, ...]
    flow: Flow
    local_cseq: int
    remote_cseq: int | None = None
    refreshed_by: int = -1
    """The CSeq of the far end's request that moved the remote target last."""

    @property
    def key(self) -> DialogKey:
        """Call-ID, our tag, their tag: how a request that arrives finds this dialog."""
        return (self.call_id, self.local_tag, self.remote_tag)

    @property
    def next_hop(self) -> Uri:
        """Where our requests go: the first route, else the remote target (RFC 3261 §8.1.2)."""
        return self.routes[0].uri if self.routes else self.remote_target

    def next_number(self) -> int:
        """The CSeq of our next request."""
        self.local_cseq += 1
        return self.local_cseq

    def request(self, method: str, number: int) -> Request:
        """A request inside the dialog, without its Via (RFC 3261 §12.2.1.1)."""
        headers = Headers(
            [
                ("Max-Forwards", MAX_FORWARDS),
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{number} {method}"),
            ]
        )
        routes: list[object] = list(self.routes)
        target = _as_request_uri(self.remote_target)
        if routes and not self.routes[0].uri.loose:
            # A strict router wants itself as the Request-URI and the target last.
            routes = [*routes[1:], NameAddr("", self.remote_target)]
            target = _as_request_uri(self.routes[0].uri)
        if routes:
            headers.add("Route", ", ".join(str(route) for route in routes))
        return Request(method, str(target), headers)

    def in_order(self, number: int) -> bool:
        """Whether a request with this CSeq may come now, then as the newest (RFC 3261 §12.2.2)."""
        if self.remote_cseq is not None and number < self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh(self, headers: Headers) -> None:
        """Take a target refresh's remote target (RFC 3261 §12.2.2); garbage changes nothing."""
        target = contact_of(headers)
        if target is not None:
            self.remote_target = target

    def refresh_by(self, number: int, headers: Headers) -> None:
        """As `refresh`, by the request with this CSeq.

        An UPDATE that came while a re-INVITE was under way is the newer one, though its answer
        leaves first: what it said stands (RFC 6141 §4.6, §4.8).
        """
        if number >= self.refreshed_by:
            self.refreshed_by = number
            self.refresh(headers)


def from_response(request: Request, response: Response, flow: Flow) -> Dialog:
    """The dialog that a response to our INVITE makes (RFC 3261 §12.1.2).

    A missing To tag is the empty tag of RFC 2543; a missing Contact leaves the request's target.
    """
    headers = response.headers
    remote_row = headers.get("To") or ""
    local_row = request.headers.get("From") or ""
    return Dialog(
        call_id=request.headers.get("Call-ID") or "",
        local_tag=tag_of(local_row),
        remote_tag=tag_of(remote_row),
        local=local_row,
        remote=remote_row,
        remote_target=contact_of(headers) or parse_uri(request.uri),
        routes=tuple(reversed(record_routes(headers))),
        flow=flow,
        local_cseq=int((request.headers.get("CSeq") or "0").split()[0]),
    )


def remote_target(arrival: Arrival) -> Uri | None:
    """Where the requests of a dialog go that this request makes; None if it does not say.

    RFC 3261 §8.1.1.8 has a Contact in every INVITE; elements of RFC 2543 may leave it out, and are
    found where their From says.
    """
    headers = arrival.request.headers
    if arrival.legacy and headers.get("Contact") is None:
        return arrival.sender.uri
    return contact_of(headers)


def from_arrival(arrival: Arrival, local_tag: str, target: Uri) -> Dialog:
    """The dialog that our response to an INVITE makes (RFC 3261 §12.1.1)."""
    headers = arrival.request.headers
    return Dialog(
        call_id=arrival.call_id,
        local_tag=local_tag,
        remote_tag=arrival.from_tag,
        local=f"{headers.get('To')};tag={local_tag}",
        remote=headers.get("From") or "",
        remote_target=target,
        routes=tuple(record_routes(headers)),
        flow=arrival.flow,
        local_cseq=0,
        remote_cseq=arrival.cseq.number,
    )


def from_notify(arrival: Arrival, target: Uri, local_cseq: int) -> Dialog:
    """The dialog that a NOTIFY makes at the subscriber (RFC 6665 §4.4.1).

    `local_cseq` is the number of our SUBSCRIBE.
    """
    headers = arrival.request.headers
    return Dialog(
        call_id=arrival.call_id,
        local_tag=arrival.to_tag,
        remote_tag=arrival.from_tag,
        local=headers.get("To") or "",
        remote=headers.get("From") or "",
        remote_target=target,
        routes=tuple(record_routes(headers)),
        flow=arrival.flow,
        local_cseq=local_cseq,
    )


def contact_of(headers: Headers) -> Uri | None:
    """The first Contact if it is a sip or sips URI."""
    try:
        contacts = contact_list(headers)
    except ParseError:
        return None
    return contacts[0].uri if contacts and contacts[0].uri.is_sip else None


def tag_of(row: str) -> str:
    """The tag of a From or To row; empty if there is none."""
    try:
        return parse_name_addr(row).tag or ""
    except ParseError:
        return ""


def to_bytes(dialog: Dialog, line: str) -> bytes:
    """A dialog of a line as it is kept for a phone that may be killed."""
    flow = dialog.flow
    return json.dumps(
        {
            "line": line,
            "call_id": dialog.call_id,
            "local_tag": dialog.local_tag,
            "remote_tag": dialog.remote_tag,
            "local": dialog.local,
            "remote": dialog.remote,
            "target": str(dialog.remote_target),
            "routes": [str(route) for route in dialog.routes],
            "cseq": dialog.local_cseq,
            "transport": flow.transport.value,
            "here": [flow.local.host, flow.local.port],
            "there": [flow.remote.host, flow.remote.port],
        },
        separators=(",", ":"),
    ).encode()


def from_bytes(snapshot: bytes) -> tuple[Dialog, str]:
    """A dialog that was kept, and the name of its line.

    Raises:
        ValueError: the snapshot is damaged.
    """
    try:
        kept = json.loads(snapshot)
        dialog = Dialog(
            call_id=str(kept["call_id"]),
            local_tag=str(kept["local_tag"]),
            remote_tag=str(kept["remote_tag"]),
            local=str(kept["local"]),
            remote=str(kept["remote"]),
            remote_target=parse_uri(kept["target"]),
            routes=tuple(parse_name_addr(route) for route in kept["routes"]),
            flow=Flow(
                Transport(kept["transport"]), Endpoint(*kept["here"]), Endpoint(*kept["there"])
            ),
            local_cseq=int(kept["cseq"]),
        )
        return dialog, str(kept["line"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("this snapshot of a dialog is damaged") from error


def record_routes(headers: Headers) -> list[NameAddr]:
    """The Record-Route set; one that cannot be read is no route set (the far end is reachable)."""
    if headers.get("Record-Route") is None:
        return []
    try:
        return route_list(headers, "Record-Route")
    except ParseError:
        return []


def _as_request_uri(uri: Uri) -> Uri:
    """Without what may not stand in a Request-URI (RFC 3261 §19.1.1)."""
    if not uri.headers and not any(name.lower() in _NOT_IN_REQUEST for name, _ in uri.params):
        return uri
    params = tuple(row for row in uri.params if row[0].lower() not in _NOT_IN_REQUEST)
    return replace(uri, params=params, headers=())
