"""The messages of one call as a ladder that a person can read, with the reason for its end.

     time  us 192.0.2.1:5060                        192.0.2.9:5060 UDP
   0.000s  |-- INVITE ----------------------------->|  PCMU · 192.0.2.1:40000 · sendrecv
   0.502s  |-- INVITE ×2 -------------------------->|
   0.531s  |<- 180 Ringing (INVITE) ----------------|

Each far end has a column of its own. `×2` is a message that was repeated. Bodies are summed up,
credentials left out, passwords in URIs masked (A24). Octets are looked at leniently: garbage has
its place on a ladder too.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from firmware.base.phrase import Phrase, phrase
from firmware.runtime.trace import Seen
from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_reason, readable

_NARROWEST = 41
_LONG = {"c": "content-type", "m": "contact", "r": "refer-to", "o": "event", "f": "from", "t": "to"}
_SHOWN = {
    "INVITE": ("replaces", "referred-by"),
    "BYE": ("reason",),
    "CANCEL": ("reason",),
    "REFER": ("refer-to",),
    "NOTIFY": ("event", "subscription-state"),
    "SUBSCRIBE": ("event", "expires"),
    "INFO": ("info-package", "content-type"),
    "REGISTER": ("expires",),
}
"""Headers worth a word beside a request."""
_SHOWN_IN_ANSWER = {
    3: ("contact",),
    4: ("reason", "warning", "min-expires", "retry-after", "require", "unsupported"),
    5: ("reason", "warning", "retry-after"),
    6: ("reason", "warning", "retry-after"),
}
_NOTE = 100
"""The longest note in characters."""
_CHALLENGES = ("401", "407")
_PASSWORD = re.compile(r"(?i)(sips?:[^:@\s<>\"]*):[^@\s<>\"]*@")
_CONNECTION = re.compile(r"^c=IN IP[46] (\S+)", re.MULTILINE)
_AUDIO = re.compile(r"^m=audio (\d+)(?:/\d+)? \S+((?: \d+)*)", re.MULTILINE)
_RTPMAP = re.compile(r"^a=rtpmap:(\d+) ([^/\s]+)", re.MULTILINE)
_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", re.MULTILINE)
_STATIC = {"0": "PCMU", "8": "PCMA", "9": "G722", "13": "CN", "18": "G729"}
Words = Callable[[Phrase], str]


def ladder(messages: Sequence[Seen], lost: int = 0, words: Words = str) -> list[str]:
    """The rows: a head, an arrow for each message, what it came to.

    `messages` are those of one call, at least one; `lost` more were there before them.
    """
    peers = list(dict.fromkeys(f"{seen.peer} {seen.transport}" for seen in messages))
    width = max(_NARROWEST, *(len(peer) + 2 for peer in peers), len(messages[0].here) + 5)
    head = f"us {messages[0].here}".ljust(width) + "".join(peer.ljust(width) for peer in peers)
    rows = [words(phrase("ladder.of", call=_clean(messages[0].call_id))), *_parties(messages)]
    if lost:
        rows.append(words(phrase("ladder.lost", count=lost)))
    rows.append(f"{'time':>9}  {head}".rstrip())
    times: Counter[tuple[bool, str, bytes]] = Counter()
    for seen in messages:
        times[_identity(seen)] += 1
        place = peers.index(f"{seen.peer} {seen.transport}")
        arrow = _arrow(seen, times[_identity(seen)], place, len(peers), width)
        note = "" if times[_identity(seen)] > 1 else _note(seen, words)
        rows.append(f"{seen.at - messages[0].at:8.3f}s  {arrow}  {note}".rstrip())
    rows.append(words(ending(messages)))
    return [_clean(_masked(row)) for row in rows]


def ending(messages: Iterable[Seen]) -> Phrase:
    """What it came to, and who ended it and why, as far as the messages tell."""
    said = list(messages)
    if any(_method(seen) == "REGISTER" for seen in said):
        return _registration(said)
    goodbye = next((seen for seen in said if _is_request(seen) and _method(seen) == "BYE"), None)
    final = _final(said, "INVITE")
    if goodbye is not None:
        if goodbye.sent and _never_acknowledged(said):
            return phrase("ladder.no_ack", why=_why(goodbye))
        return phrase("ladder.bye_us" if goodbye.sent else "ladder.bye_them", why=_why(goodbye))
    if final is None:
        return _without_answer(said, "INVITE")
    if _status(final).startswith("2"):
        return phrase("ladder.up")
    cancel = next((seen for seen in said if _is_request(seen) and _method(seen) == "CANCEL"), None)
    if cancel is not None and _status(final) == "487":
        return phrase("ladder.cancel_us" if cancel.sent else "ladder.cancel_them", why=_why(cancel))
    text = "ladder.refused_us" if final.sent else "ladder.refused_them"
    return phrase(text, peer=final.peer, status=_label(final), why=_why(final))


# --- what the messages tell ---------------------------------------------------------------------


def _registration(said: list[Seen]) -> Phrase:
    final = _final(said, "REGISTER")
    if final is None:
        return _without_answer(said, "REGISTER")
    if _status(final).startswith("2"):
        return phrase("ladder.registered", peer=final.peer)
    return phrase("ladder.not_registered", peer=final.peer, status=_label(final), why=_why(final))


def _without_answer(said: list[Seen], method: str) -> Phrase:
    asked = [seen for seen in said if seen.sent and _is_request(seen) and _method(seen) == method]
    if not asked or any(not seen.sent and not _is_request(seen) for seen in said):
        return phrase("ladder.open")
    return phrase("ladder.silence", peer=asked[-1].peer, count=len(asked))


def _final(said: list[Seen], method: str) -> Seen | None:
    """The answer that decided; a challenge only if nothing came after it."""
    finals = [
        seen
        for seen in said
        if not _is_request(seen) and _method(seen) == method and _status(seen) >= "200"
    ]
    decided = [seen for seen in finals if _status(seen) not in _CHALLENGES]
    if method == "REGISTER":
        return finals[-1] if finals else None
    # The first one: what answers a re-INVITE decides nothing about the call.
    return decided[0] if decided else (finals[-1] if finals else None)


def _never_acknowledged(said: list[Seen]) -> bool:
    answered = any(
        seen.sent
        and not _is_request(seen)
        and _status(seen)[:1] == "2"
        and _method(seen) == "INVITE"
        for seen in said
    )
    return answered and not any(_is_request(seen) and _method(seen) == "ACK" for seen in said)


def _why(seen: Seen) -> str:
    """What a Reason or Warning header says, in brackets behind a sentence."""
    headers = _headers(seen)
    reason = headers.get("reason", "")
    try:
        found = parse_reason(reason)
    except ParseError:
        return f" ({readable(headers['warning'])})" if "warning" in headers else ""
    cause = "" if found.cause is None else f" {found.cause}"
    return f" ({found.protocol}{cause}{f' {found.text}' if found.text else ''})"


# --- how it is drawn ----------------------------------------------------------------------------


def _parties(messages: Sequence[Seen]) -> list[str]:
    headers = _headers(messages[0])
    ends = [_clean(headers.get(name, "").partition(";tag")[0]) for name in ("from", "to")]
    return [" → ".join(ends)] if all(ends) else []


def _identity(seen: Seen) -> tuple[bool, str, bytes]:
    return seen.sent, seen.peer, seen.data


def _arrow(seen: Seen, times: int, place: int, peers: int, width: int) -> str:
    label = _label(seen) + (f" ×{times}" if times > 1 else "")
    length = width * (place + 1) - 1
    label = label if len(label) <= length - 8 else label[: length - 9] + "…"
    line = f"-- {label} ".ljust(length - 1, "-") + ">"
    if not seen.sent:
        line = f"<- {label} ".ljust(length, "-")
    beyond = "".join("|".rjust(width) for _ in range(peers - place - 1))
    return f"|{line}|{beyond}"


def _label(seen: Seen) -> str:
    if _is_request(seen):
        return seen.first.partition(" ")[0]
    method = _method(seen)
    return seen.first[8:].strip() + (f" ({method})" if method else "")


def _note(seen: Seen, words: Words) -> str:
    headers = _headers(seen)
    if _is_request(seen):
        names: tuple[str, ...] = _SHOWN.get(_method(seen), ())
    else:
        names = _SHOWN_IN_ANSWER.get(int(_status(seen)[:1] or 0), ())
    parts = [f"{name.title()}: {headers[name]}" for name in names if name in headers]
    body = seen.data.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/sdp" or "\nm=audio" in body:
        parts.append(_media(body))
    elif kind == "message/sipfrag":
        parts.append(body.partition("\r\n")[0])
    note = _clean(" · ".join(part for part in parts if part))
    note = note if len(note) <= _NOTE else note[: _NOTE - 1] + "…"
    return f"{note} {words(Phrase('ladder.cut'))}".strip() if seen.cut else note


def _media(body: str) -> str:
    """Codecs, address and direction of the audio in a session description."""
    body = body.replace("\r\n", "\n")
    audio = _AUDIO.search(body)
    if audio is None:
        return ""
    # The media's own connection stands behind its m= line, the session's before the first.
    own = _CONNECTION.search(body, audio.end())
    address = own or _CONNECTION.search(body)
    names = {**_STATIC, **dict(_RTPMAP.findall(body))}
    codecs = " ".join(names.get(number, number) for number in audio.group(2).split())
    direction = _DIRECTION.search(body)
    where = f"{address.group(1) if address else '?'}:{audio.group(1)}"
    return f"{codecs} · {where} · {direction.group(1) if direction else 'sendrecv'}"


# --- reading leniently --------------------------------------------------------------------------


def _is_request(seen: Seen) -> bool:
    return not seen.first.upper().startswith("SIP/")


def _method(seen: Seen) -> str:
    return seen.cseq.rpartition(" ")[2]


def _status(seen: Seen) -> str:
    status = seen.first[8:11]
    return status if len(status) == 3 and status.isdecimal() else ""


def _headers(seen: Seen) -> dict[str, str]:
    """The first row of each header, names in small letters."""
    head = seen.data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    found: dict[str, str] = {}
    for row in re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")[1:]:
        name, _, value = row.partition(":")
        name = name.strip().lower()
        found.setdefault(_LONG.get(name, name), value.strip())
    return found


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _masked(row: str) -> str:
    return _PASSWORD.sub(r"\1:•••@", row)
