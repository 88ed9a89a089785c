"""Requests for a `sips` address: TLS all the way, or no (RFC 5630 §5.1.2).

What we send to one goes over TLS or not at all (`wayfinder`), and names us by a `sips` Contact
(`Core.contact`). Here is what we say when somebody asks for us by one.
"""

from typing import Final

from firmware.sip.bodies import Refusal
from firmware.sip.dialog import contact_of
from firmware.sip.flow import Flow
from firmware.sip.message import Request

_SCHEME: Final = "sips:"
_NOT_ALLOWED: Final = (("Warning", '380 phone "SIPS Not Allowed"'),)


def asks_for_sips(request: Request) -> bool:
    """Whether the Request-URI is a sips URI."""
    return request.uri[: len(_SCHEME)].lower() == _SCHEME


def unfit(request: Request, flow: Flow, *, able: bool) -> Refusal | None:
    """Why a request outside dialogs cannot be taken as it is, if it is for a sips URI.

    `able` says whether the line it is for knows TLS at all.
    """
    if not asks_for_sips(request):
        return None
    if not able and not flow.transport.secure:
        return 416, ()  # RFC 3261 §8.2.2.1: a scheme that we do not do
    if not flow.transport.secure:
        # RFC 5630 §4: on the way here somebody has left TLS, and it was promised to the caller.
        return 480, _NOT_ALLOWED
    target = contact_of(request.headers)
    if target is not None and not target.secure and "Record-Route" not in request.headers:
        # RFC 5630 §5.1.2: the caller's own address must be as safe as ours, if we answer to it.
        return 400, ()
    return None
