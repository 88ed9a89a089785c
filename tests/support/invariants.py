"""What must hold of a user agent whatever it is fed; for walks that feed it anything.

of what it says     text that people can be shown; nothing of a call after its end, nothing of
                    a subscription after its end
of what it sends    every message can be read again and keeps the rules of RFC 3261; a request
                    has a branch nobody used, Max-Forwards and a tag; an answer answers
                    something that was asked, and never an ACK
of what it keeps    never more than it was asked for; after the end nothing
"""

from collections.abc import Iterator

from msgspec import Struct

from firmware.sip.core import Core
from firmware.sip.effects import Transmit
from firmware.sip.errors import ParseError
from firmware.sip.headers import MAGIC_COOKIE, parse_cseq, parse_name_addr, via_list
from firmware.sip.message import Message, Request, Response
from firmware.sip.notifications import (
    CallEnded,
    Notification,
    SubscriptionChanged,
    SubscriptionProgress,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)
from firmware.sip.parser import parse, validate
from firmware.sip.told import ComposingChanged

_OWN = (TransferProgress, TransferSucceeded, TransferFailed, ComposingChanged)
MOST_KEPT = 400
"""More than a walk with a tiny vocabulary can have begun."""


def texts(value: object) -> Iterator[str]:
    """Every text in a notification."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name))


class Watch:
    """Looks at one user agent, one effect and one notification after the other."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._branches: dict[str, tuple[str, str]] = {}
        self._calls: set[object] = set()
        self._subscriptions: set[object] = set()

    def received(self, data: bytes) -> None:
        """Something arrived that an answer may be about."""
        try:
            message: Message | None = parse(data)
        except ParseError as error:
            message = error.partial
        if isinstance(message, Request) and message.method != "ACK":
            self.asked.add(message.headers.get("CSeq") or "")

    def said(self, notification: Notification) -> None:
        """What the phone is told."""
        shown = (text.replace("\n", " ") for text in texts(notification))
        assert all(text.isprintable() for text in shown), notification
        # What becomes of a transfer may be heard when its call is over, and that somebody writes.
        call = None if isinstance(notification, _OWN) else getattr(notification, "call", None)
        assert call is None or call not in self._calls, f"after its end: {notification}"
        if isinstance(notification, CallEnded):
            self._calls.add(call)
        if isinstance(notification, SubscriptionChanged):
            assert notification.ref not in self._subscriptions, f"after its end: {notification}"
            if notification.progress is SubscriptionProgress.ENDED:
                self._subscriptions.add(notification.ref)

    def renewed(self, ref: object) -> None:
        """A name is used for something new."""
        self._subscriptions.discard(ref)
        self._calls.discard(ref)

    def sent(self, effect: Transmit) -> Message | None:
        """What goes on the wire; None for a keep-alive."""
        if not effect.data.strip() or effect.data[:2] == b"\0\1":
            return None
        message = parse(effect.data)
        match message:
            case Request():
                assert validate(message) is None, message
                self._request(message)
            case Response():
                self._response(message)
        return message

    def _request(self, request: Request) -> None:
        assert request.headers.get("Max-Forwards"), request
        assert parse_name_addr(request.headers.get("From") or "").tag, request
        branch = via_list(request.headers)[0].branch or ""
        assert branch.startswith(MAGIC_COOKIE)
        assert len(branch) > len(MAGIC_COOKIE) + 12, "a branch that can be guessed"
        cseq = parse_cseq(request.headers.get("CSeq") or "")
        # The ACK to a refusal and the CANCEL have the branch of their INVITE.
        method = "INVITE" if cseq.method in ("ACK", "CANCEL") else cseq.method
        mine = (request.headers.get("Call-ID") or "", f"{cseq.number} {method}")
        assert self._branches.setdefault(branch, mine) == mine, "a branch was used twice"

    def _response(self, response: Response) -> None:
        cseq = response.headers.get("CSeq") or ""
        assert cseq in self.asked, f"nobody asked: {response}"


def bounded(core: Core) -> None:
    """The stores are no larger than what was begun."""
    for store in (core.calls, core.dialogs, core.half_dialogs, core.queries, core.streams):
        assert len(store) < MOST_KEPT
    assert len(core.deadlines._heap) < 10 * MOST_KEPT
