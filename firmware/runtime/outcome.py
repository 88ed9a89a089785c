"""What a call, or a registration, came to: the last rows of its ladder. Pure.

Two witnesses are heard: the messages say who ended it and with which words, and the stack
(`CallEnded`) what that means, which is the only witness if nothing ever went out.
"""

from collections.abc import Iterable, Sequence

from firmware.base.phrase import Phrase, phrase
from firmware.phone.texts import call_text, how_long
from firmware.runtime.glimpse import (
    asks,
    body,
    headers,
    is_request,
    label,
    method,
    status,
    who,
    why,
)
from firmware.runtime.trace import Seen
from firmware.sip.notifications import CallEnded, FailureCause

_CHALLENGES = ("401", "407")
_SAID_ALREADY = (FailureCause.CANCELLED,)
"""Causes that add nothing to what the messages tell."""


def outcome(
    messages: Sequence[Seen], ended: CallEnded | None = None, dialled: str = ""
) -> list[Phrase]:
    """The rows in their order: on whose word it went elsewhere, who ended it, what that means."""
    rows = _sent_on(messages)
    rows.append(ending(messages) if messages else phrase("ladder.unsent"))
    return rows if ended is None else [*rows, *_meaning(messages, ended, dialled)]


def ending(messages: Iterable[Seen]) -> Phrase:
    """Who ended it, as far as the messages tell."""
    said = list(messages)
    if any(method(seen) == "REGISTER" for seen in said):
        return _registration(said)
    goodbye = next((seen for seen in said if asks(seen, "BYE")), None)
    final = _final(said, "INVITE")
    if goodbye is not None:
        return _goodbye(said, goodbye)
    if final is None:
        return _without_answer(said, "INVITE")
    if status(final).startswith("2"):
        return phrase("ladder.up")
    cancel = next((seen for seen in said if asks(seen, "CANCEL")), None)
    if cancel is not None and status(final) == "487":
        return phrase("ladder.cancel_us" if cancel.sent else "ladder.cancel_them", why=why(cancel))
    text = "ladder.refused_us" if final.sent else "ladder.refused_them"
    return phrase(text, peer=final.peer, status=label(final), why=why(final))


def _goodbye(said: list[Seen], goodbye: Seen) -> Phrase:
    if goodbye.sent and _never_acknowledged(said):
        return phrase("ladder.no_ack", why=why(goodbye))
    target = _transferred(said)
    if target:
        text = "ladder.transfer_us" if goodbye.sent else "ladder.transfer_them"
        return phrase(text, target=target, why=why(goodbye))
    return phrase("ladder.bye_us" if goodbye.sent else "ladder.bye_them", why=why(goodbye))


def _transferred(said: list[Seen]) -> str:
    """Where the far end of this call was sent, if it has arrived there."""
    refer = next((seen for seen in said if seen.sent and asks(seen, "REFER")), None)
    if refer is None:
        return ""
    arrived = any(
        not seen.sent and asks(seen, "NOTIFY") and body(seen).startswith("SIP/2.0 2")
        for seen in said
    )
    return who(headers(refer).get("refer-to", "")) if arrived else ""


def _sent_on(messages: Sequence[Seen]) -> list[Phrase]:
    """Redirections that were followed."""
    rows = []
    for place, seen in enumerate(messages):
        moved = not seen.sent and status(seen)[:1] == "3" and method(seen) == "INVITE"
        later = messages[place + 1 :]
        if moved and any(each.sent and asks(each, "INVITE") for each in later):
            target = who(headers(seen).get("contact", ""))
            row = phrase("ladder.sent_on", peer=seen.peer, target=target, status=label(seen))
            if row not in rows:
                rows.append(row)
    return rows


def _meaning(messages: Sequence[Seen], ended: CallEnded, dialled: str) -> list[Phrase]:
    rows = []
    invite = next((seen for seen in messages if asks(seen, "INVITE")), None)
    ends = {} if invite is None else headers(invite)
    ours, theirs = ("from", "to") if invite is None or invite.sent else ("to", "from")
    if ended.answered_elsewhere:
        rows.append(phrase("ladder.elsewhere"))
    elif ended.cause is not None and ended.cause not in _SAID_ALREADY:
        rows.append(
            phrase(
                call_text(ended.cause, ended.status),
                who=who(ends.get(theirs, "")) or dialled or ended.call,
                line=who(ends.get(ours, "")),
                status=ended.status or "",
                phrase=ended.phrase,
            )
        )
    if ended.retry_after:
        rows.append(phrase("ladder.retry", time=how_long(ended.retry_after)))
    return rows


def _registration(said: list[Seen]) -> Phrase:
    final = _final(said, "REGISTER")
    if final is None:
        return _without_answer(said, "REGISTER")
    if status(final).startswith("2"):
        return phrase("ladder.registered", peer=final.peer)
    return phrase("ladder.not_registered", peer=final.peer, status=label(final), why=why(final))


def _without_answer(said: list[Seen], name: str) -> Phrase:
    asked = [seen for seen in said if seen.sent and asks(seen, name)]
    if not asked or any(not seen.sent and not is_request(seen) for seen in said):
        return phrase("ladder.open")
    return phrase("ladder.silence", peer=asked[-1].peer, count=len(asked))


def _final(said: list[Seen], name: str) -> Seen | None:
    """The answer that decided; a challenge or redirection only if nothing came after it."""
    finals = [
        seen
        for seen in said
        if not is_request(seen) and method(seen) == name and status(seen) >= "200"
    ]
    if name == "REGISTER":
        return finals[-1] if finals else None
    # The first one: what answers a re-INVITE decides nothing about the call.
    decided = [seen for seen in finals if status(seen) not in _CHALLENGES]
    ways = [seen for seen in decided if status(seen)[:1] != "3"]
    for found in (ways, decided[-1:], finals[-1:]):
        if found:
            return found[0]
    return None


def _never_acknowledged(said: list[Seen]) -> bool:
    answered = any(
        seen.sent and not is_request(seen) and status(seen)[:1] == "2" and method(seen) == "INVITE"
        for seen in said
    )
    return answered and not any(asks(seen, "ACK") for seen in said)
