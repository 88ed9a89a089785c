"""What a person means: the vocabulary between keys, soft keys, the control API and the machine.

`firmware.ui` turns keys into actions, the control socket and the web page send them by name. The
hook is not here: its events go to the machine as they are, because a hook is a fact, not a wish.
"""

from msgspec import Struct

from firmware.media.messages import PathName
from firmware.sip.facts import Activity
from firmware.sip.notifications import CallRef, LineName


class Digit(Struct, frozen=True):
    """A dialling key: collected before a call, sent as DTMF in one."""

    digit: str


class Backspace(Struct, frozen=True):
    """Take back the last digit not yet dialled."""


class DialNow(Struct, frozen=True):
    """Dial what was collected without waiting for the timer."""


class Dial(Struct, frozen=True):
    """Dial a whole number or SIP URI at once; `line` None = the default line."""

    target: str
    line: LineName | None = None


class Redial(Struct, frozen=True):
    """Dial the last number again."""


class SendText(Struct, frozen=True):
    """Send a short text; `line` None = the default line.

    Without a `target` it goes into a call that is up, `call` or the one in front.
    """

    target: str
    text: str
    line: LineName | None = None
    call: CallRef | None = None


class Writing(Struct, frozen=True):
    """A key was pressed in such a text, or (not `active`) it was deleted."""

    target: str
    active: bool = True
    line: LineName | None = None
    call: CallRef | None = None


class TextsRead(Struct, frozen=True):
    """All texts have been looked at; with `forget` none is kept either."""

    forget: bool = False


class ShowAs(Struct, frozen=True):
    """Be shown to others as away or busy, or (AVAILABLE) as what the phone does."""

    activity: Activity


class CallMailbox(Struct, frozen=True):
    """Hear the messages that wait."""


class Answer(Struct, frozen=True):
    """Answer a ringing call; `call` None = the one in front."""

    call: CallRef | None = None


class HangUp(Struct, frozen=True):
    """End or refuse a call; `call` None = the one in front."""

    call: CallRef | None = None


class Unwanted(Struct, frozen=True):
    """Refuse a ringing call as one that should not have been made (RFC 8197)."""

    call: CallRef | None = None


class PickUp(Struct, frozen=True):
    """Answer here what rings at somebody we watch; "" = the first of them whose phone rings."""

    target: str = ""


class Hold(Struct, frozen=True):
    """Put a call on hold."""

    call: CallRef | None = None


class Resume(Struct, frozen=True):
    """Take a call off hold."""

    call: CallRef | None = None


class Transfer(Struct, frozen=True):
    """The transfer key, or a whole wish.

    The key begins a transfer, sends the call to the number typed, or connects the two calls. With
    `target` the call is sent there at once, with `to` to the far end of that call of ours.
    """

    target: str = ""
    call: CallRef | None = None
    to: CallRef | None = None


class Join(Struct, frozen=True):
    """Make one conversation of all calls that are up, or part them; `on` None = the other way."""

    on: bool | None = None


class SendDtmf(Struct, frozen=True):
    """Send digits into a call."""

    digits: str
    call: CallRef | None = None


class Record(Struct, frozen=True):
    """Record a call and all that are one conversation with it, or end that; None = toggle."""

    on: bool | None = None
    call: CallRef | None = None


class Mute(Struct, frozen=True):
    """Mute or unmute the microphone; `on` None = toggle."""

    on: bool | None = None


class Volume(Struct, frozen=True):
    """Change a volume by `step` per cent or, if `level` is given, to that level.

    `path` None = what is heard now: the ringer when idle or ringing, else the talk path.
    """

    step: int = 0
    level: int | None = None
    path: PathName | None = None


class SelectPath(Struct, frozen=True):
    """Talk on this path (speaker and headset keys); on the one in use it means: put it down."""

    path: PathName


class Dismiss(Struct, frozen=True):
    """Clear a notice, the missed-call sign, or go back to idle."""


Action = (
    Digit
    | Backspace
    | DialNow
    | Dial
    | Redial
    | ShowAs
    | CallMailbox
    | SendText
    | Writing
    | TextsRead
    | Answer
    | HangUp
    | Unwanted
    | PickUp
    | Hold
    | Resume
    | Transfer
    | Join
    | SendDtmf
    | Record
    | Mute
    | Volume
    | SelectPath
    | Dismiss
)
