"""The answer to a request whose headers cannot be read: what the sender wrote, written back.

A Via of another version or a To with a quote too many tells nobody anything; but whoever sent it
can read its own rows again, and learns what was wrong (RFC 3261 §8.2.6.2, §21.4.1, §21.5.6).
Only for friends: the answer goes to where the request came from.
"""

from typing import Final

from firmware.sip.errors import LocalError
from firmware.sip.message import Headers, Request, Response
from firmware.sip.writer import write

_ROWS: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_NEEDED: Final = ("Via", "CSeq")


def echo(request: Request | None, status: int, phrase: str, tag: str) -> bytes | None:
    """The answer in octets; None if it could not find its way, or an ACK is not to be answered.

    Who leaves out From, To or Call-ID is told so all the same (RFC 4475 §3.3.1): Via and CSeq say
    what is answered.
    """
    if request is None or request.method == "ACK":
        return None
    rows = Headers()
    for name in _ROWS:
        found = request.headers.all(name)
        if not found and name in _NEEDED:
            return None
        if found and name == "To" and ";tag=" not in found[0].lower():
            found = [f"{found[0]};tag={tag}"]
        for row in found if name == "Via" else found[:1]:
            rows.add(name, row)
    try:
        return write(Response(status, phrase, rows))
    except LocalError:
        return None
