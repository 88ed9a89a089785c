"""What can go wrong in SIP: our own mistake, or the peer's.

`LocalError` means a bug of ours and may stop a test; `ParseError` means the network sent
something that is not SIP, and carries all that is needed to answer it (RFC 3261 §8.2, §21.4.1).
"""

from firmware.sip.message import Request
from firmware.sip.status import phrase_for


class SipError(Exception):
    """The root of all errors of this package."""


class LocalError(SipError, ValueError):
    """Our own code asked for something that cannot be sent, e.g. a line break in a header."""


class ParseError(SipError, ValueError):
    """What arrived breaks the rules of SIP.

    `status` and `phrase` are what a response should say. `partial` is a request that holds
    whatever of Via, From, To, Call-ID and CSeq could be read, so that a response can be built;
    None when it was no request or nothing of it could be read.
    """

    def __init__(
        self,
        reason: str,
        status: int = 400,
        phrase: str | None = None,
        partial: Request | None = None,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.phrase = phrase_for(status) if phrase is None else phrase
        self.partial = partial
