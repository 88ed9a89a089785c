"""Telephone numbers as addresses: tel URIs (RFC 3966) and how they become SIP addresses and back.

`firmware.sip.uri` reads and compares them; here is what a number means: which digits are dialled,
which extension is to be sent after the answer, where a short number is valid.
"""

from typing import Final

from firmware.base.values import replace
from firmware.sip.uri import Params, Uri, plain_number

# RFC 3261 §19.1.6: these two come first, in this order; the others by name.
_FIRST: Final = ("isub", "postd")


def called_user(uri: Uri) -> str:
    """Whom a Request-URI is for, as a line knows its numbers: digits without separators.

    RFC 3966 §5.1.1: what only helps people to read means nothing. With `user=phone` the user part
    of a SIP URI is a number too, perhaps with the parameters of a tel URI (RFC 3261 §19.1.1).
    """
    if uri.scheme == "tel":
        return uri.user
    if uri.is_sip and (uri.param("user") or "").lower() == "phone":
        return plain_number(uri.user.partition(";")[0])
    return uri.user


def extension(uri: Uri) -> str:
    """The digits to send once somebody answers (RFC 3966 §5.3), "" if there are none."""
    return plain_number(uri.param("ext") or "")


def as_sip(tel: Uri, server: Uri) -> Uri:
    """A tel URI as an address at a server (RFC 3261 §19.1.6).

    Folded and ordered so that equal numbers become equal addresses. A number that is valid within
    the context of that very server needs no word about it.
    """
    context = (tel.param("phone-context") or "").lower()
    rows = {name.lower(): value for name, value in tel.params if name.lower() != "phone-context"}
    if context and context != server.host.lower():
        rows["phone-context"] = plain_number(context)
    user = tel.user.lower() + "".join(_written(row) for row in _ordered(rows))
    params: Params = (*server.params, ("user", "phone"))
    return Uri(server.scheme, user, host=server.host, port=server.port, params=params)


def as_tel(uri: Uri) -> Uri | None:
    """The number that a SIP URI with `user=phone` stands for, None if it stands for none."""
    if not uri.is_sip or (uri.param("user") or "").lower() != "phone":
        return None
    number, *params = uri.user.split(";")
    rows = tuple(_split(param) for param in params if param)
    return replace(Uri("tel", plain_number(number)), params=rows)


def _ordered(rows: dict[str, str | None]) -> list[tuple[str, str | None]]:
    first = [(name, rows.pop(name)) for name in _FIRST if name in rows]
    return [*first, *sorted(rows.items(), key=lambda row: row[0])]


def _written(row: tuple[str, str | None]) -> str:
    name, value = row
    return f";{name}" if value is None else f";{name}={value.lower()}"


def _split(param: str) -> tuple[str, str | None]:
    name, equals, value = param.partition("=")
    return name, value if equals else None
