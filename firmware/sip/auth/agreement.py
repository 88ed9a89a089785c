"""The security agreement with the next hop (RFC 3329): answering a server that insists on one.

A server that answers 494 lists what it can do. We take the best of what we can do as well and
repeat its list in every later request, so that nobody on the way can have shortened it. Where TLS
is what the server likes best the request goes there once more over TLS, and so does everything
later. We never begin: a line that is to be safe is configured for TLS.
"""

from typing import Final

from msgspec import Struct

from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_params, quote, values
from firmware.sip.message import Headers, Response
from firmware.sip.uri import Params

_MOST_MECHANISMS: Final = 16
_DIGEST: Final = "digest"
_TLS: Final = "tls"
_KNOWN: Final = (_TLS, _DIGEST)


class Mechanism(Struct, frozen=True):
    """One row of Security-Server, as written and as read."""

    text: str
    name: str
    params: Params

    def param(self, name: str) -> str:
        """A parameter, "" if it is not there."""
        found = [value for key, value in self.params if key.lower() == name]
        return (found[0] or "").strip('"') if found else ""

    @property
    def preference(self) -> float:
        """Its q; a row without one comes last."""
        try:
            return float(self.param("q") or "0")
        except ValueError:
            return 0.0


class Agreement(Struct, frozen=True):
    """What was agreed with a server: its whole list, and which row of it we use."""

    offered: tuple[Mechanism, ...]
    chosen: Mechanism

    @property
    def by_digest(self) -> bool:
        """Whether digest is what protects."""
        return self.chosen.name == _DIGEST

    @property
    def by_tls(self) -> bool:
        """Whether what goes to that server has to go over TLS."""
        return self.chosen.name == _TLS

    @property
    def listed(self) -> str:
        """The server's list as one text, single spaces (RFC 3329 §2.2)."""
        return " ".join(", ".join(each.text for each in self.offered).split())

    def write(self, headers: Headers, proof: str = "") -> None:
        """Add what every request to that server carries (RFC 3329 §2.3.1).

        `proof` is the digest over the list (`d-ver`).
        """
        for name in _KNOWN:
            headers.add("Security-Client", name)
        for each in self.offered:
            ver = f";d-ver={quote(proof)}" if proof and each is self.chosen else ""
            headers.add("Security-Verify", each.text + ver)
        headers.add("Require", "sec-agree")
        headers.add("Proxy-Require", "sec-agree")


def agree(response: Response) -> Agreement | None:
    """The agreement that a 494 or 421 asks for; None if there is nothing in common.

    RFC 3329 §2.3.1: of what we can do, what the server likes best.
    """
    try:
        rows = values(response.headers, "Security-Server")
        offered = tuple(_mechanism(row) for row in rows[:_MOST_MECHANISMS])
    except ParseError:
        return None
    common = [each for each in offered if each.name in _KNOWN]
    if not common:
        return None
    return Agreement(offered, max(common, key=lambda each: each.preference))


def _mechanism(text: str) -> Mechanism:
    name, semicolon, rest = text.partition(";")
    return Mechanism(text, name.strip().lower(), parse_params(semicolon + rest))
