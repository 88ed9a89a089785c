"""What the SIP stack asks of its driver, performed in the order in which it is taken.

| effect          | the driver answers with                                         |
|-----------------|-----------------------------------------------------------------|
| `Transmit`      | nothing; `UserAgent.flow_failed` if the flow is gone            |
| `ResolveTarget` | `UserAgent.target_resolved` or `UserAgent.target_failed`        |
| `OpenFlow`      | `UserAgent.flow_opened` or `UserAgent.flow_refused`             |
| `CloseFlow`     | nothing                                                         |
"""

from typing import NewType

from msgspec import Struct

from firmware.sip.flow import Flow, Target, Terms, Transport

QueryId = NewType("QueryId", int)


class Transmit(Struct, frozen=True):
    """Send `data` (a whole message or a keep-alive) on `flow`."""

    flow: Flow
    data: bytes


class ResolveTarget(Struct, frozen=True):
    """Find where a request goes (RFC 3263 §4).

    `port` and `transport` are None where the URI leaves them open; `secure` is True for `sips:`.
    """

    query: QueryId
    host: str
    port: int | None
    transport: Transport | None
    secure: bool = False


class OpenFlow(Struct, frozen=True):
    """Connect a stream transport to `target`; the flow carries the `terms`.

    Without terms the connection is a plain one for which no name matters.
    """

    query: QueryId
    target: Target
    terms: Terms | None = None


class CloseFlow(Struct, frozen=True):
    """Close a stream connection; queued data may be dropped."""

    flow: Flow


Effect = Transmit | ResolveTarget | OpenFlow | CloseFlow
