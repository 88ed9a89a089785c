"""Who calls and who answered, by what a trusted server asserts, else by what they say themselves.

Only a request from a trusted source gets here (A21): nobody else's is read at all, and what comes
inside a call is asked by `connected` for its source first.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from firmware.sip.bodies import party, shown
from firmware.sip.errors import ParseError
from firmware.sip.headers import NameAddr, parse_name_addr, split_list
from firmware.sip.identity.privacy import NOBODY, hides_caller, names_nobody
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

ASSERTED: Final = "P-Asserted-Identity"
REMOTE: Final = "Remote-Party-ID"
_MOST_VALUES: Final = 8


def caller(headers: Headers, sender: NameAddr) -> Party:
    """Who calls, for a person to read; somebody who wants no name has none."""
    found = asserted(headers, "calling")
    if hides_caller(headers) or _is_hidden(headers) or (found is None and names_nobody(sender)):
        return party(NOBODY)
    if found is None:
        return party(sender)
    named = party(found)
    # A number without a name: the name that the caller gives itself is better than none.
    if named.name or names_nobody(sender):
        return named
    return Party(shown(sender.name), named.user, named.uri)


def is_anonymous(headers: Headers, sender: NameAddr) -> bool:
    """Whether `caller` names nobody."""
    return caller(headers, sender) == party(NOBODY)


def asserted(headers: Headers, role: str) -> NameAddr | None:
    """The identity that the network asserts; `role` is `calling` or `called`, for the old draft.

    RFC 3325 §9.1: one value, or a sip and a tel URI. The sip one has more to call back with. The
    Remote-Party-ID of a draft that never became an RFC is still what many PBXs send.
    """
    found = list(addresses(headers.all(ASSERTED)))
    found.sort(key=lambda address: not address.uri.is_sip)
    if not found:
        found = [each for each in addresses(headers.all(REMOTE)) if _plays(each, role)]
    return next((each for each in found if each.uri.is_sip or each.uri.scheme == "tel"), None)


def addresses(rows: Iterable[str]) -> Iterator[NameAddr]:
    """The addresses in the rows of a list header; what cannot be read is passed over."""
    for row in itertools.islice(rows, _MOST_VALUES):
        try:
            texts = split_list(row)[:_MOST_VALUES]
        except ParseError:
            continue
        for text in texts:
            try:
                yield parse_name_addr(text)
            except ParseError:
                continue


def _plays(address: NameAddr, role: str) -> bool:
    said = address.param("party")
    return said is None or said.lower() == role


def _is_hidden(headers: Headers) -> bool:
    """Whether a Remote-Party-ID in force says that its name is not for us."""
    if headers.get(ASSERTED) is not None:
        return False
    for address in addresses(headers.all(REMOTE)):
        if _plays(address, "calling"):
            return (address.param("privacy") or "off").lower() not in ("off", "none")
    return False
