"""Texts: those that come are kept, counted and shown one by one; those that go out are answered.

What somebody wrote is for the person at the phone: it stands on the screen and is told to listeners
of the control socket, but never in the log.
"""

from firmware.base.values import replace
from firmware.phone.actions import SendText, TextsRead, Writing
from firmware.phone.commands import ForgetTexts, KeepText, MarkRead, SayWriting, SendMessage
from firmware.phone.desk import lines
from firmware.phone.dialplan import dialable
from firmware.phone.events import TextsKept
from firmware.phone.model import Call, Line, PhoneState
from firmware.phone.social import MOST_TEXTS, Sending, Social, TextMessage
from firmware.phone.texts import CALL_CAUSES, MESSAGE_STATUSES, notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import CallState, Mode, Notice
from firmware.sip.names import MessageRef
from firmware.sip.notifications import (
    CallRef,
    ComposingChanged,
    LineName,
    MessageOutcome,
    MessageReceived,
)

_SHOWN = 30.0
_TOLD = 5.0
_MOST_SENDING = 8
MOST_OCTETS = 800
"""The longest text; so long it fits into a datagram with its headers (RFC 3428 §8)."""


def received(turn: Turn, event: MessageReceived) -> None:
    """Somebody wrote; a phone at rest shows it at once, a busy one counts it."""
    number = turn.number()
    key = f"{turn.state.hardware.life}-{number}"
    text = TextMessage(number, turn.now, event.line, event.sender, event.text, key=key)
    social = turn.state.social
    _put(turn, replace(social, texts=(*social.texts, text)[-MOST_TEXTS:]))
    turn.do(KeepText(key, event.line, event.sender, event.text))
    turn.log(notice("message_arrived", who=_who(text), line=event.line))
    if turn.state.mode is Mode.IDLE and turn.state.notice is None:
        turn.show(_words(text), _SHOWN)


def kept(turn: Turn, event: TextsKept) -> None:
    """Those of earlier runs stand before what has come since."""
    social = turn.state.social
    old = tuple(
        TextMessage(-number, each.at, each.line, each.sender, each.text, each.unread, each.key)
        for number, each in zip(range(len(event.texts), 0, -1), event.texts, strict=True)
    )
    _put(turn, replace(social, texts=(*old, *social.texts)[-MOST_TEXTS:]))


def read_all(turn: Turn, event: TextsRead) -> None:
    """Somebody has read them elsewhere: on the page, say."""
    social = turn.state.social
    standing = turn.state.notice is not None and turn.state.notice.text == "message_from"
    seen = tuple(replace(text, unread=False) if text.unread else text for text in social.texts)
    _put(turn, replace(social, texts=() if event.forget else seen))
    if standing:
        turn.unsay()
    turn.do(ForgetTexts() if event.forget else MarkRead())


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
    turn.do(MarkRead((text.key,)))
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
    if len(event.text.encode("utf-8", "replace")) > MOST_OCTETS:
        return notice("message_too_long")
    if len(state.social.sending) >= _MOST_SENDING:
        return notice("message_too_many")
    return _why_not_to(state, event)


def why_not_writing(state: PhoneState, _rules: Rules, event: Writing) -> Notice | None:
    """Why nobody can be told that a text is being written."""
    return _why_not_to(state, event)


def _why_not_to(state: PhoneState, event: SendText | Writing) -> Notice | None:
    """Why nothing can be sent there now."""
    if not event.target:
        return None if _call(state, event.call) is not None else notice("no_call_up")
    if not dialable(event.target):
        return notice("call_not_dialable", number=event.target)
    line = _line(state, event.line)
    if line is not None:
        return lines.trouble(state, line)
    if event.line is None or not state.lines:
        return notice("line_none")
    names = ", ".join(line.name for line in state.lines)
    return notice("call_no_such_line", line=event.line, lines=names)


def send(turn: Turn, event: SendText) -> None:
    """Send a text; what becomes of it is said."""
    way = _way(turn.state, event)
    if way is None or why_not(turn.state, turn.rules, event) is not None:
        return
    who, line, target, call = way
    ref = MessageRef(f"text-{turn.state.run}-{turn.number()}")
    social = turn.state.social
    _put(turn, replace(social, sending=(*social.sending, Sending(ref, who))))
    turn.do(SendMessage(ref, line, target, event.text, call))


def write(turn: Turn, event: Writing) -> None:
    """Somebody types; how often that is told is the SIP stack's business (RFC 3994 §3.2)."""
    way = _way(turn.state, event)
    if way is not None and why_not_writing(turn.state, turn.rules, event) is None:
        _, line, target, call = way
        turn.do(SayWriting(line, target, event.active, call))


def _way(
    state: PhoneState, event: SendText | Writing
) -> tuple[str, LineName, str, CallRef | None] | None:
    """Whom a text is for as a person would say it, its line, and what is dialled or the call."""
    if event.target:
        line = _line(state, event.line)
        return None if line is None else (event.target, line.name, dialable(event.target), None)
    call = _call(state, event.call)
    return None if call is None else (call.who, call.line, "", call.ref)


def _call(state: PhoneState, wanted: CallRef | None) -> Call | None:
    """The call that a text goes into, once both sides are through."""
    ref = state.front if wanted is None else wanted
    found = next((call for call in state.calls if call.ref == ref), None)
    return found if found is not None and found.stage is CallState.TALKING else None


def answered(turn: Turn, event: MessageOutcome) -> None:
    """A text of ours was taken, or was not."""
    social = turn.state.social
    found = next((each for each in social.sending if each.ref == event.ref), None)
    if found is None:
        return
    left = tuple(each for each in social.sending if each is not found)
    _put(turn, replace(social, sending=left))
    if event.cause is None:
        kept = MESSAGE_STATUSES.get(event.status, "message_sent")
        said = notice(kept, who=found.who)
    else:
        about = {"status": event.status or "", "phrase": event.phrase}
        words = MESSAGE_STATUSES.get(event.status) or CALL_CAUSES[event.cause]
        said = notice(words, who=found.who, line=event.line, **about)
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
