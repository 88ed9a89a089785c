"""What a person must know about a line that is not registered: the reason, and that it is tried.

    "No answer from 10.0.0.2:5060 by UDP, trying (12 s)"

The seconds run down to the next attempt while one is awaited, and up while one is under way.
"""

from collections.abc import Callable

from firmware.phone.view import LineView
from firmware.sip.notifications import RegistrationState

Say = Callable[..., str]
"""`say(text_id, **arguments)`, the words of a text."""

_HAIR = 1e-6
_RETRIED = (RegistrationState.TRYING, RegistrationState.FAILED)


def line_words(line: LineView, now: float, say: Say, *, counts: bool = True) -> str:
    """The sentence; no words if all is well. `now` is the clock of the view's moments."""
    if line.state is RegistrationState.REGISTERED:
        return ""
    reason = _reason(line, say)
    if not (counts and is_counting(line)):
        return reason
    seconds = seconds_of(line, now)
    if line.state is RegistrationState.TRYING:
        return say("line.trying_for", reason=reason, seconds=seconds)
    return say("line.trying_again", reason=reason, seconds=seconds)


def _reason(line: LineView, say: Say) -> str:
    if line.notice is not None:
        return say(line.notice.text, **dict(line.notice.args))
    return say(f"line.{line.state.value}")


def is_counting(line: LineView) -> bool:
    """Whether seconds stand in the sentence."""
    return line.state in _RETRIED and bool(line.until or line.since)


def seconds_of(line: LineView, now: float) -> int:
    """Whole seconds until the next attempt, rounded up, else since the one under way began."""
    if line.until > now + _HAIR:
        return -int(-(line.until - now - _HAIR) // 1)
    return max(0, int(now - (line.until or line.since) + _HAIR))
