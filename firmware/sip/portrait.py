"""A call as others may be told of it (RFC 4235): who with, how far, by which ids."""

import enum

from msgspec import Struct

from firmware.sip.bodies import party
from firmware.sip.dialog import Dialog
from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_name_addr
from firmware.sip.line import Line
from firmware.sip.notifications import Party


class CallStage(enum.Enum):
    """How far a call is."""

    TRYING = "trying"
    EARLY = "early"
    CONFIRMED = "confirmed"


class CallPortrait(Struct, frozen=True):
    """One call; `caller` is True if we placed it, `target` the far end's Contact.

    `remote_tag` and `target` are empty before the far end has answered in any way.
    """

    line: Line
    stage: CallStage
    caller: bool
    call_id: str
    local_tag: str
    remote: Party
    remote_tag: str = ""
    target: str = ""


def portrait_of(line: Line, dialog: Dialog, stage: CallStage, *, caller: bool) -> CallPortrait:
    """The portrait of a call that has a dialog."""
    try:
        remote = party(parse_name_addr(dialog.remote))
    except ParseError:
        remote = Party("", "", "")
    return CallPortrait(
        line,
        stage,
        caller,
        dialog.call_id,
        dialog.local_tag,
        remote,
        dialog.remote_tag,
        str(dialog.remote_target),
    )
