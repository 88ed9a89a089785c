"""Who is really at the other end of a call, as it becomes known and as it changes.

A call to a group is answered by one of its people, a transferred call goes on with somebody else:
the server tells so in responses and in requests within the call. Only a source that the line
trusts is believed (A21): with no proxy in between, what comes inside a call comes from the far end
itself, which may call itself what it likes.
"""

from typing import Final

from firmware.base.values import replace
from firmware.sip.bodies import party
from firmware.sip.core import Core, Usage
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr, parse_name_addr
from firmware.sip.identity.privacy import hides_caller, names_nobody
from firmware.sip.identity.who import asserted
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import CallRef, ConnectedParty
from firmware.sip.uri import equivalent

FROM_CHANGE: Final = "from-change"
"""RFC 4916 §4.1: our Supported says that the far end may change its From."""


def answered_by(
    core: Core, call: CallRef, line: Line, flow: Flow | None, response: Response
) -> None:
    """A response to our INVITE may assert who rings or answers (RFC 3325 §9.1)."""
    if flow is not None and core.trusts(line, flow):
        _tell(core, call, asserted(response.headers, "called"), response.headers)


def heard_from(core: Core, usage: Usage, request: Request, flow: Flow) -> None:
    """A re-INVITE or UPDATE may say that somebody else is there now.

    RFC 4916 §4.4.2: a From with another URI is the new identity, and the To of what we send from
    now on; the tag stays. An asserted identity counts more.
    """
    if not core.trusts(usage.line, flow):
        return
    headers = request.headers
    changed = _changed(usage.dialog.remote, headers)
    if changed is not None:
        usage.dialog.remote = str(changed)
    _tell(core, usage.call, asserted(headers, "calling") or changed, headers)


def _changed(known: str, headers: Headers) -> NameAddr | None:
    """The From of a request if it is another than that of the dialog."""
    try:
        was, now = parse_name_addr(known), parse_name_addr(headers.get("From") or "")
    except ParseError:
        return None
    same = equivalent(was.uri, now.uri) and was.name == now.name
    return None if same else replace(now, params=was.params)


def _tell(core: Core, call: CallRef, address: NameAddr | None, headers: Headers) -> None:
    if address is not None and not hides_caller(headers) and not names_nobody(address):
        core.notify(ConnectedParty(call, party(address)))
