"""Texts: those that come are kept, counted and shown one by one; those that go out are answered.

What somebody wrote is for the person at the phone: it stands on the screen and is told to listeners
of the control socket, but never in the log.
"""

from firmware.base.values import replace
from firmware.phone.actions import SendText
from firmware.phone.commands import SendMessage
from firmware.phone.desk import lines
from firmware.phone.dialplan import dialable
from firmware.phone.model import Line, PhoneState
from firmware.phone.social import MOST_TEXTS, Sending, Social, TextMessage
from firmware.phone.texts import CALL_CAUSES, notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Mode, Notice
from firmware.sip.names import MessageRef
from firmware.sip.notifications import ComposingChanged, LineName, MessageOutcome, MessageReceived

_SHOWN = 30.0
_TOLD = 5.0
_MOST_SENDING = 8


def received(turn: Turn, event: MessageReceived) -> None:
    """Somebody wrote; a phone at rest shows it at once, a busy one counts it."""
    text = TextMessage(turn.number(), turn.now, event.line, event.sender, event.text)
    social = turn.state.social
    _put(turn, replace(social, texts=(*social.texts, text)[-MOST_TEXTS:]))
    turn.log(notice("message_arrived", who=_who(text), line=event.line))
    if turn.state.mode is Mode.IDLE and turn.state.notice is None:
        turn.show(_words(text), _SHOWN)


def read(turn: Turn) -> bool:
    """Show the oldest text that nobody has looked at, and count it as read; False = none left."""
    social = turn.state.social
    text = next(iter(social.unread), None)
    if text is None:
        return False
    # The one that still stands there since it came has been read.
    shown = turn.state.notice is not None and turn.state.notice == _words(text)
    seen = replace(text, unread=False)
    _put(
        turn, replace(social, texts=tuple(seen if each is text else each for each in social.texts))
    )
    if shown:
        turn.unsay()
        return read(turn)
    turn.show(_words(text), _SHOWN)
    return True


def composing(turn: Turn, event: ComposingChanged) -> None:
    """Somebody writes, or has stopped."""
    social = turn.state.social
    others = tuple(party for party in social.writing if party.uri != event.sender.uri)
    writing = (*others, event.sender) if event.active else others
    _put(turn, replace(social, writing=writing))


def why_not(state: PhoneState, _rules: Rules, event: SendText) -> Notice | None:
    """Why no text can be sent now, None if it can."""
    if not event.text.strip():
        return notice("message_empty")
    if not dialable(event.target):
        return notice("call_not_dialable", number=event.target)
    if len(state.social.sending) >= _MOST_SENDING:
        return notice("message_too_many")
    line = _line(state, event.line)
    if line is not None:
        return lines.trouble(state, line)
    if event.line is None or not state.lines:
        return notice("line_none")
    names = ", ".join(line.name for line in state.lines)
    return notice("call_no_such_line", line=event.line, lines=names)


def send(turn: Turn, event: SendText) -> None:
    """Send a text; what becomes of it is said."""
    line = _line(turn.state, event.line)
    if line is None or why_not(turn.state, turn.rules, event) is not None:
        return
    ref = MessageRef(f"text-{turn.state.run}-{turn.number()}")
    social = turn.state.social
    sending = Sending(ref, event.target)
    _put(turn, replace(social, sending=(*social.sending, sending)))
    turn.do(SendMessage(ref, line.name, dialable(event.target), event.text))


def answered(turn: Turn, event: MessageOutcome) -> None:
    """A text of ours was taken, or was not."""
    social = turn.state.social
    found = next((each for each in social.sending if each.ref == event.ref), None)
    if found is None:
        return
    left = tuple(each for each in social.sending if each is not found)
    _put(turn, replace(social, sending=left))
    if event.cause is None:
        said = notice("message_sent", who=found.who)
    else:
        about = {"status": event.status or "", "phrase": event.phrase}
        said = notice(CALL_CAUSES[event.cause], who=found.who, line=event.line, **about)
    turn.say(said, _TOLD)


def _put(turn: Turn, social: Social) -> None:
    turn.state = replace(turn.state, social=social)


def _line(state: PhoneState, wanted: LineName | None) -> Line | None:
    return lines.default(state) if wanted is None else state.line(wanted)


def _who(text: TextMessage) -> str:
    sender = text.sender
    return sender.name or sender.user or sender.uri


def _words(text: TextMessage) -> Notice:
    return notice("message_from", who=_who(text), words=" ".join(text.text.split()))
