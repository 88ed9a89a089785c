"""What REFER carries: Refer-To, Referred-By, Target-Dialog and the status line of a sipfrag.

Read leniently where old telephones write carelessly; written by the grammar. Whether a reference
may be followed is decided in `firmware.sip.transfer.referred` and by the phone.
"""

import re
from typing import Final

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.bodies import Refusal, shown, warning_rows
from firmware.sip.dialog import Dialog
from firmware.sip.errors import ParseError
from firmware.sip.headers import NameAddr, parse_name_addr, parse_params, unquote, values
from firmware.sip.invite.replaces import Replaces, naming, parse_replaces
from firmware.sip.message import Headers
from firmware.sip.methods import INVITE
from firmware.sip.uri import Uri

SIPFRAG: Final = "message/sipfrag"
_MEDIA_TYPE: Final = "message/sipfrag;version=2.0"
_STATUS_LINE: Final = re.compile(
    rb"\s*SIP/2\.0[ \t]+([1-6][0-9]{2})[ \t]*([^\r\n]*)", re.IGNORECASE
)


class Reference(Struct, frozen=True):
    """Whom to call: a URI without headers, and the call there whose place to take."""

    name: str
    target: Uri
    replaces: Replaces | None = None


class Fragment(Struct, frozen=True):
    """The status line of a message/sipfrag."""

    status: int
    phrase: str


# --- Refer-To -------------------------------------------------------------------------------------


def refer_to(target: Uri, dialog: Dialog | None = None, *, require: bool = False) -> str:
    """A Refer-To value; `dialog` is ours with the target, whose place the new call takes.

    With `require` a phone that does not know Replaces refuses the new call instead of ringing:
    for a target that is not surely the one device (RFC 5589 §7.3, §7.5).
    """
    rows = target.headers
    if dialog is not None:
        rows = (*rows, ("Replaces", str(naming(dialog))))
        if require:
            rows = (*rows, ("Require", "replaces"))
    # RFC 8217 §4: in brackets, or nobody knows whose the headers are.
    return str(NameAddr("", replace(target, headers=rows)))


def parse_reference(headers: Headers) -> Reference | Refusal:
    """The reference of a REFER, or why it is refused: only calls are placed, and only SIP ones.

    RFC 3515 §2.4.2: exactly one Refer-To, else 400; other URIs than those we can call are not
    accepted. Of the headers in the URI only Replaces counts: the others would let whoever transfers
    us write our INVITE (RFC 3261 §19.1.5).
    """
    try:
        rows = values(headers, "Refer-To")
        if len(rows) != 1:
            return 400, warning_rows("exactly one Refer-To is wanted")
        address = parse_name_addr(_mended(rows[0]))
        found = [value for name, value in address.uri.headers if name.lower() == "replaces"]
        taken = parse_replaces(found[0]) if found else None
    except ParseError as error:
        return 400, warning_rows(f"Refer-To: {error}")
    uri = address.uri
    if not uri.is_sip:
        return 416, warning_rows("only sip and sips are called on request")
    if len(found) > 1:
        return 400, warning_rows("more than one Replaces")
    if (uri.param("method") or INVITE).upper() != INVITE:
        return 403, warning_rows("only calls are placed on request")
    params = tuple(row for row in uri.params if row[0].lower() != "method")
    return Reference(shown(address.name), replace(uri, params=params, headers=()), taken)


def _mended(text: str) -> str:
    """An @ in a Call-ID behind Replaces= that somebody forgot to escape."""
    before, question, after = text.partition("?")
    return f"{before}{question}{after.replace('@', '%40')}"


# --- Referred-By ----------------------------------------------------------------------------------


def parse_referrer(headers: Headers) -> NameAddr | Refusal | None:
    """Who sent us to call; None if a REFER does not say.

    RFC 3892 §2.1: never more than one. It is only a claim and shown as such (§2.3).
    """
    try:
        rows = values(headers, "Referred-By")
        if len(rows) > 1:
            return 400, warning_rows("more than one Referred-By")
        return parse_name_addr(rows[0]) if rows else None
    except ParseError:
        return 400, warning_rows("bad Referred-By")


# --- Target-Dialog --------------------------------------------------------------------------------


def parse_target_dialog(text: str) -> tuple[str, str, str] | None:
    """The key of our dialog that a Target-Dialog names; None if it names none (RFC 4538 §4)."""
    call_id, semicolon, rest = text.strip().partition(";")
    try:
        rows = parse_params(semicolon + rest)
        params = {name.lower(): unquote(value or "") for name, value in rows}
    except ParseError:
        return None
    local, remote = params.get("local-tag"), params.get("remote-tag")
    return (call_id.strip(), local, remote) if local and remote else None


# --- message/sipfrag ------------------------------------------------------------------------------


def read_fragment(body: bytes) -> Fragment | None:
    """The status line that a NOTIFY's body begins with (RFC 3515 §2.4.5); None if it does not."""
    match = _STATUS_LINE.match(body[:500])
    if match is None:
        return None
    return Fragment(int(match[1]), shown(match[2].decode("utf-8", "replace").strip()))


def write_fragment(status: int, phrase: str) -> tuple[str, bytes]:
    """Media type and body: the status line and nothing that a far end of ours has written.

    RFC 3515 §5: who is told how a call went need not learn what its far end said.
    """
    return _MEDIA_TYPE, f"SIP/2.0 {status} {phrase}\r\n".encode()
