"""Who wants not to be named: the Privacy header read and written (RFC 3323, RFC 3325 §9.3).

A phone cannot hide everything itself: it leaves its name out of From and asks the network, which
knows the caller anyway, to pass that knowledge on to nobody (`id`).
"""

from typing import Final

from firmware.sip.headers import NameAddr
from firmware.sip.message import Headers
from firmware.sip.uri import Uri, parse_uri

NOBODY: Final = NameAddr("Anonymous", parse_uri("sip:anonymous@anonymous.invalid"))
"""What From says of a caller who is not named (RFC 3323 §4.1.1.1, §4.1.1.3)."""

_HIDES_CALLER: Final = frozenset({"id", "header", "user"})
_LONGEST: Final = 512
_NO_ONE: Final = frozenset({"anonymous", "unavailable", "restricted", "unknown"})


def wishes(headers: Headers) -> frozenset[str]:
    """The priv-values of a message in lower case; those of several rows count together.

    `none` stands alone, whatever is beside it (RFC 3323 §4.2).
    """
    text = ";".join(headers.all("Privacy"))[:_LONGEST].replace(",", ";").lower()
    found = frozenset(value.strip() for value in text.split(";") if value.strip())
    return frozenset({"none"}) if "none" in found else found


def hides_caller(headers: Headers) -> bool:
    """Whether the person shall not see who calls, although the network has told us.

    RFC 3325 §9.3: `id` keeps the asserted identity within the network; a phone is its edge.
    """
    return not _HIDES_CALLER.isdisjoint(wishes(headers))


def names_nobody(address: NameAddr) -> bool:
    """Whether an address is the way to write that there is no name (RFC 3323 §4.1.1.3)."""
    uri = address.uri
    return uri.host.lower().endswith(".invalid") or uri.user.lower() in _NO_ONE


def rows_for_hiding(own: NameAddr) -> tuple[tuple[str, str], ...]:
    """The headers of a request whose sender shall stay unnamed.

    RFC 3323 §4.2: what we cannot hide ourselves, the network shall. RFC 3325 §9.2: the hint, which
    of our identities it is, goes no further than the first server.
    """
    return (("Privacy", "id"), ("P-Preferred-Identity", f"<{_bare(own.uri)}>"))


def _bare(uri: Uri) -> Uri:
    return Uri(uri.scheme, uri.user, host=uri.host, port=uri.port)
