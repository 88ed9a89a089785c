"""What a person means: the vocabulary between keys, soft keys, the control API and the machine.

`firmware.ui` turns keys into actions, the control socket and the web page send them by name. The
hook is not here: its events go to the machine as they are, because a hook is a fact, not a wish.
"""

from dataclasses import dataclass

from firmware.media.messages import PathName
from firmware.sip.notifications import CallRef, LineName


@dataclass(frozen=True, slots=True)
class Digit:
    """A dialling key: collected before a call, sent as DTMF in one."""

    digit: str


@dataclass(frozen=True, slots=True)
class Backspace:
    """Take back the last digit not yet dialled."""


@dataclass(frozen=True, slots=True)
class DialNow:
    """Dial what was collected without waiting for the timer."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Dial a whole number or SIP URI at once; `line` None = the default line."""

    target: str
    line: LineName | None = None


@dataclass(frozen=True, slots=True)
class Redial:
    """Dial the last number again."""


@dataclass(frozen=True, slots=True)
class SendText:
    """Send a short text; `line` None = the default line."""

    target: str
    text: str
    line: LineName | None = None


@dataclass(frozen=True, slots=True)
class CallMailbox:
    """Hear the messages that wait."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a ringing call; `call` None = the one in front."""

    call: CallRef | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    """End or refuse a call; `call` None = the one in front."""

    call: CallRef | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Put a call on hold."""

    call: CallRef | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Take a call off hold."""

    call: CallRef | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """The transfer key, or a whole wish.

    The key begins a transfer, sends the call to the number typed, or connects the two calls. With
    `target` the call is sent there at once, with `to` to the far end of that call of ours.
    """

    target: str = ""
    call: CallRef | None = None
    to: CallRef | None = None


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """Send digits into a call."""

    digits: str
    call: CallRef | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """Mute or unmute the microphone; `on` None = toggle."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """Change a volume by `step` per cent or, if `level` is given, to that level.

    `path` None = what is heard now: the ringer when idle or ringing, else the talk path.
    """

    step: int = 0
    level: int | None = None
    path: PathName | None = None


@dataclass(frozen=True, slots=True)
class SelectPath:
    """Talk on this path (speaker and headset keys); on the one in use it means: put it down."""

    path: PathName


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Clear a notice, the missed-call sign, or go back to idle."""


Action = (
    Digit
    | Backspace
    | DialNow
    | Dial
    | Redial
    | CallMailbox
    | SendText
    | Answer
    | HangUp
    | Hold
    | Resume
    | Transfer
    | SendDtmf
    | Mute
    | Volume
    | SelectPath
    | Dismiss
)
