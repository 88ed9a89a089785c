"""Replaces: a new call that takes the place of one that is there (RFC 3891). Join: we never do.

The value names a dialog by the tags as *its receiver* sees them: `to_tag` is the receiver's own,
`from_tag` that of whoever it talks to. What taking over means for a person is for the phone.
"""

from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable

from msgspec import Struct

from firmware.sip.bodies import Refusal, warning_rows
from firmware.sip.core import DialogUser
from firmware.sip.dialog import Dialog, DialogKey
from firmware.sip.errors import ParseError
from firmware.sip.headers import NameAddr, param_text, parse_params
from firmware.sip.message import Headers, Request
from firmware.sip.methods import INVITE
from firmware.sip.notifications import CallRef
from firmware.sip.uri import Uri

_NO_TAG: Final = "0"
"""How the empty tag of an RFC 2543 element is written (RFC 3891 §6.1)."""


class Replaces(Struct, frozen=True):
    """The dialog that a new INVITE shall replace; with `early_only` only while it is early."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    def __str__(self) -> str:
        to_tag, from_tag = (param_text(tag or _NO_TAG) for tag in (self.to_tag, self.from_tag))
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={to_tag};from-tag={from_tag}{early}"


def parse_replaces(text: str) -> Replaces:
    """Read one Replaces value.

    Raises:
        ParseError: it is not one.
    """
    # In the URI of a Refer-To it comes escaped, and may hold what no header can.
    if not text.isprintable():
        raise ParseError("controls in a Replaces")
    call_id, semicolon, rest = text.strip().partition(";")
    address = NameAddr("", Uri("sip"), parse_params(semicolon + rest))
    to_tag, from_tag = address.param("to-tag"), address.param("from-tag")
    if not call_id.strip() or to_tag is None or from_tag is None:
        raise ParseError("bad Replaces")
    early = address.has("early-only")
    return Replaces(call_id.strip(), _tag(to_tag), _tag(from_tag), early)


def naming(dialog: Dialog, *, early_only: bool = False) -> Replaces:
    """The value by which the far end of `dialog` finds it: for the Refer-To of a transfer."""
    return Replaces(dialog.call_id, dialog.remote_tag, dialog.local_tag, early_only)


@runtime_checkable
class Joinable(Protocol):
    """The user of a dialog that an INVITE made, in whatever stage."""

    @property
    def leg(self) -> object:
        """Its side of the dialog."""


@runtime_checkable
class Replaceable(Protocol):
    """The user of a dialog that an INVITE made."""

    @property
    def call(self) -> CallRef:
        """The call."""

    @property
    def replaceable(self) -> bool | None:
        """True: it is up. False: we placed it and nobody answered yet. None: it just ended."""


def judge(headers: Headers, dialogs: Mapping[DialogKey, DialogUser]) -> CallRef | Refusal | None:
    """The call that an INVITE wants to replace, why it may not, or None if it names none."""
    rows = headers.all("Replaces")
    if not rows:
        return None
    if len(rows) > 1 or headers.get("Join") is not None:
        # RFC 3891 §3: more than one, or one that contradicts another header.
        return 400, ()
    try:
        wanted = parse_replaces(rows[0])
    except ParseError:
        return 400, ()
    # RFC 3891 §3: the tags are compared as if they stood in a request to us.
    user: object = dialogs.get((wanted.call_id, wanted.to_tag, wanted.from_tag))
    if not isinstance(user, Replaceable):
        # Nothing, a subscription, or a call that rings here and was not placed by us.
        return 481, ()
    if user.replaceable is None:
        return 603, ()
    if user.replaceable and wanted.early_only:
        return 486, ()
    return user.call


def judge_join(headers: Headers, dialogs: Mapping[DialogKey, DialogUser]) -> Refusal | None:
    """Why an INVITE may not join a call of ours, None if it does not want to (RFC 3911 §4).

    This phone mixes nobody else in, so the best that can be said is 488; what is wrong with the
    wish is said first.
    """
    rows = headers.all("Join")
    if not rows:
        return None
    try:
        wanted = parse_replaces(rows[0])
    except ParseError:
        return 400, ()
    if len(rows) > 1 or headers.get("Replaces") is not None:
        return 400, ()
    user: object = dialogs.get((wanted.call_id, wanted.to_tag, wanted.from_tag))
    if not isinstance(user, Joinable):
        return 481, ()
    ended = isinstance(user, Replaceable) and user.replaceable is None
    return (603, ()) if ended else (488, warning_rows("this phone joins no calls"))


def misplaced(request: Request) -> bool:
    """Whether it takes over or joins a call without being an INVITE (RFC 3891 §3, RFC 3911 §4)."""
    return request.method != INVITE and any(
        request.headers.get(name) is not None for name in ("Replaces", "Join")
    )


def _tag(text: str) -> str:
    return "" if text == _NO_TAG else text
