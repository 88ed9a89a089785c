"""The INVITE of a call we place: what stays the same in every copy of it, and how one is written.

A copy goes out for each credential, address and redirection (RFC 3261 §8.1.3.4, §22.2): the same
From, Call-ID and wishes, the next CSeq.
"""

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.bodies import Rows, shown
from firmware.sip.core import ALLOW, SUPPORTS, Core
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr
from firmware.sip.invite.redirection import Step
from firmware.sip.invite.replaces import Replaces
from firmware.sip.line import Line
from firmware.sip.message import Headers, Request
from firmware.sip.notifications import Party
from firmware.sip.outgoing import Detours, Way, way_of
from firmware.sip.uri import Uri, parse_uri


class Wishes(Struct, frozen=True):
    """What is special about a call: another identity, an emergency, a call it replaces, headers."""

    caller: Party | None = None
    emergency: bool = False
    headers: Rows = ()
    replaces: Replaces | None = None


class Invitation:
    """`target` is who is called; `sender` the From row, tag included."""

    __slots__ = (
        *("_core", "_cseq", "_line", "_tag", "_wishes"),
        *("call_id", "detours", "sender", "target", "way"),
    )

    def __init__(self, core: Core, line: Line, target: Uri, wishes: Wishes) -> None:
        self._core = core
        self._line = line
        self._wishes = wishes
        self._cseq = 0
        self.target = target
        self.way: Way = way_of(line, target)
        self.detours: Detours | None = Detours(line, target, self._go_by)
        self._tag = core.tokens.word(60)
        self.sender = f"{_sender(line, wishes.caller)};tag={self._tag}"
        self.call_id = core.tokens.word(100)

    def _go_by(self, way: Way, identity: NameAddr) -> None:
        self.way = way
        if self._wishes.caller is None:
            self.sender = f"{identity};tag={self._tag}"

    def go_on(self, step: Step) -> None:
        """The next copies go where a redirection leads."""
        self.detours = None
        if step.proxy:
            # RFC 3261 §21.3.4: the same target, through this proxy.
            self.way = Way(step.uri, self.target, (NameAddr("", _loose(step.uri)),), None)
        else:
            self.target = step.uri
            self.way = way_of(self._line, step.uri)
            self.detours = Detours(self._line, step.uri, self._go_by)

    def compose(self, flow: Flow, sdp: bytes, timer: Rows) -> Request:
        """The next copy, for this flow."""
        self._cseq += 1
        core, way, wishes = self._core, self.way, self._wishes
        secure = self.target.secure
        contact = core.contact(self._line, flow, secure=secure, own=self.sender)
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", self.sender),
                ("To", f"<{self.target}>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self._cseq} INVITE"),
                ("Contact", contact),
                ("Allow", ALLOW),
                ("Supported", SUPPORTS),
            ]
        )
        if way.routes:
            headers.add("Route", ", ".join(str(route) for route in way.routes))
        if wishes.emergency:
            headers.add("Priority", "emergency")
        if wishes.replaces is not None:
            # RFC 3891 §4: only who replaces the old call may ring; others shall refuse with 420.
            headers.add("Require", "replaces")
            headers.add("Replaces", str(wishes.replaces))
        for name, value in (*timer, *core.abilities(), *wishes.headers):
            headers.add(name, value)
        if sdp:
            headers.add("Content-Type", "application/sdp")
        return Request("INVITE", str(way.uri), headers, sdp)


def _sender(line: Line, caller: Party | None) -> NameAddr:
    if caller is None:
        return line.identity
    try:
        uri = parse_uri(caller.uri) if caller.uri else line.identity.uri
    except ParseError:
        uri = line.identity.uri
    return NameAddr(shown(caller.name), uri)


def _loose(uri: Uri) -> Uri:
    return uri if uri.loose else replace(uri, params=(*uri.params, ("lr", None)))
