"""Digits into a call, by RFC 4733 where it was agreed, else by INFO or as tones; and out of it.

Tones within the speech are listened for where no telephone-events were agreed on; a line whose
setting asks for tones agrees on none.
"""

from firmware.base.values import replace
from firmware.config.schema import LineSettings
from firmware.media.messages import DigitHeard, SendDigits
from firmware.phone.actions import Digit, SendDtmf
from firmware.phone.commands import SendInfoDigit
from firmware.phone.desk import tones
from firmware.phone.features import endings
from firmware.phone.model import Call, Engine, PhoneState
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Notice
from firmware.sdp.negotiate import Capabilities
from firmware.sip.notifications import CallRef, DigitsRefused, InfoDigit

_DIGITS = frozenset("0123456789*#ABCD!")
_FLASH = "!"
"""A flash of the hook, which only telephone-events can say (RFC 4733 §3.2)."""
_MOST = 64
_SHOWN = 16


def capabilities(turn: Turn, call: Call) -> Capabilities:
    """What we can speak in a call of this line."""
    line = _line_of(turn, call)
    if line is None:
        return turn.rules.capabilities
    return replace(
        turn.rules.capabilities,
        dtmf=line.dtmf != "inband",
        symmetric=line.symmetric_rtp,
        metrics=bool(line.quality_reports),
    )


def key(turn: Turn, event: Digit) -> None:
    """A key pressed while talking."""
    send(turn, event.digit, None)


def why_not(state: PhoneState, _rules: Rules, event: SendDtmf) -> Notice | None:
    """Why no digit can be sent, None if it can."""
    call = state.meant(event.call)
    if call is None or call.negotiation is None or call.negotiation.media is None:
        return notice("no_call_up")
    return None if state.engine is Engine.UP else notice("audio_restarting")


def send(turn: Turn, digits: str, ref: CallRef | None) -> None:
    """Send digits into a call that has media; what is no digit is left out."""
    call = endings.front_of(turn, ref)
    if call is None or call.negotiation is None or call.negotiation.media is None:
        return
    wanted = "".join(digit for digit in digits.upper() if digit in _DIGITS)[:_MOST]
    if _as_tones(call) or _by_info(turn, call):
        wanted = wanted.replace(_FLASH, "")
    if not wanted:
        return
    _send(turn, call, wanted)
    if turn.state.front == call.ref and len(wanted) == 1 and wanted != _FLASH:
        tones.key(turn, wanted)


def refused(turn: Turn, event: DigitsRefused) -> None:
    """The far end takes no digits by INFO: these, and all others of this call, go with the audio.

    Where the setting wants INFO and nothing else the person sees that nothing came of it.
    """
    call = turn.state.call(event.call)
    if call is None or not call.answered:
        return
    if _how(turn, call) == "info":
        turn.say(notice("digits_refused", who=call.who, line=call.line), 5.0)
        return
    _send(turn, turn.put(replace(call, digits_in_audio=True)), event.digits)


def _send(turn: Turn, call: Call, digits: str) -> None:
    if _by_info(turn, call):
        turn.do(*(SendInfoDigit(call.ref, digit) for digit in digits))
    else:
        # The order lasts no longer than the engine: an engine that is gone has nothing to send.
        turn.order(SendDigits(call.stream, digits))


def _by_info(turn: Turn, call: Call) -> bool:
    how = _how(turn, call)
    if how != "auto":
        return how == "info"
    # Tones within speech are the last resort: codecs and echo cancellers spoil them.
    return not call.digits_in_audio and _as_tones(call)


def _as_tones(call: Call) -> bool:
    """Whether no telephone-events were agreed on."""
    media = None if call.negotiation is None else call.negotiation.media
    return media is not None and media.dtmf is None


def _how(turn: Turn, call: Call) -> str:
    line = _line_of(turn, call)
    return "auto" if line is None else line.dtmf


def _line_of(turn: Turn, call: Call) -> LineSettings | None:
    return next((line for line in turn.rules.settings.lines if line.name == call.line), None)


def heard(turn: Turn, event: DigitHeard) -> None:
    """The far end pressed a key: by RFC 4733, or as a tone where that was not agreed on."""
    call = turn.state.call_of_stream(event.stream)
    if call is not None and not (call.digits_by_info and _as_tones(call)):
        _note(turn, call, event.digit)


def informed(turn: Turn, event: InfoDigit) -> None:
    """The far end pressed a key (SIP INFO); the tone that some send besides is not another one."""
    call = turn.state.call(event.call)
    if call is not None:
        _note(turn, turn.put(replace(call, digits_by_info=True)), event.digit)


def _note(turn: Turn, call: Call | None, digit: str) -> None:
    if call is not None and call.answered:
        turn.put(replace(call, digits=(call.digits + digit)[-_SHOWN:]))
