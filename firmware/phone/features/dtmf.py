"""Digits into a call: RFC 4733 where it was agreed, tones in the speech where not."""

from firmware.media.messages import SendDigits
from firmware.phone.actions import Digit
from firmware.phone.features import endings, tones
from firmware.phone.turn import Turn
from firmware.sip.notifications import CallRef

_DIGITS = frozenset("0123456789*#ABCD")
_MOST = 64


def key(turn: Turn, event: Digit) -> None:
    """A key pressed while talking."""
    send(turn, event.digit, None)


def send(turn: Turn, digits: str, ref: CallRef | None) -> None:
    """Send digits into a call that has media; what is no digit is left out."""
    call = endings.front_of(turn, ref)
    wanted = "".join(digit for digit in digits.upper() if digit in _DIGITS)[:_MOST]
    if call is None or call.session is None or call.session.media is None or not wanted:
        return
    # The order lasts no longer than the engine: an engine that is gone has nothing to send.
    turn.order(SendDigits(call.stream, wanted))
    if turn.state.front == call.ref and len(wanted) == 1:
        tones.key(turn, wanted)
