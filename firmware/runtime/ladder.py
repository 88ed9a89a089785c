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
from collections.abc import Callable, Sequence

from firmware.base.phrase import Phrase, phrase
from firmware.runtime.glimpse import body, clean, headers, is_request, label, masked, method, status
from firmware.runtime.outcome import outcome
from firmware.runtime.trace import Seen
from firmware.sip.notifications import CallEnded

_NARROWEST = 41
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
_CONNECTION = re.compile(r"^c=IN IP[46] (\S+)", re.MULTILINE)
_AUDIO = re.compile(r"^m=audio (\d+)(?:/\d+)? \S+((?: \d+)*)", re.MULTILINE)
_RTPMAP = re.compile(r"^a=rtpmap:(\d+) ([^/\s]+)", re.MULTILINE)
_DIRECTION = re.compile(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", re.MULTILINE)
_STATIC = {"0": "PCMU", "8": "PCMA", "9": "G722", "13": "CN", "18": "G729"}
Words = Callable[[Phrase], str]


def ladder(
    messages: Sequence[Seen],
    lost: int = 0,
    words: Words = str,
    ended: CallEnded | None = None,
    gap: int = 0,
    dialled: str = "",
) -> list[str]:
    """The rows: a head, an arrow for each message, what it came to.

    `messages` are those of one call; `lost` more were there behind the first `gap` of them.
    `ended` is what the stack said of the end; with it there may be no message, but what was
    `dialled`.
    """
    if not messages:
        head = [words(phrase("ladder.call", call=dialled))]
    else:
        head = _drawn(messages, lost, words, gap)
    rows = [*head, *map(words, outcome(messages, ended, dialled))]
    return [clean(masked(row)) for row in rows]


def _drawn(messages: Sequence[Seen], lost: int, words: Words, gap: int) -> list[str]:
    peers = list(dict.fromkeys(f"{seen.peer} {seen.transport}" for seen in messages))
    width = max(_NARROWEST, *(len(peer) + 2 for peer in peers), len(messages[0].here) + 5)
    head = f"us {messages[0].here}".ljust(width) + "".join(peer.ljust(width) for peer in peers)
    rows = [words(phrase("ladder.of", call=clean(messages[0].call_id))), *_parties(messages)]
    if lost and not gap:
        rows.append(words(phrase("ladder.lost", count=lost)))
    rows.append(f"{'time':>9}  {head}".rstrip())
    times: Counter[tuple[bool, str, bytes]] = Counter()
    for number, seen in enumerate(messages):
        if lost and number == gap > 0:
            rows.append(words(phrase("ladder.between", count=lost)))
        times[_identity(seen)] += 1
        place = peers.index(f"{seen.peer} {seen.transport}")
        arrow = _arrow(seen, times[_identity(seen)], place, len(peers), width)
        note = "" if times[_identity(seen)] > 1 else _note(seen, words)
        rows.append(f"{seen.at - messages[0].at:8.3f}s  {arrow}  {note}".rstrip())
    return rows


# --- how it is drawn ----------------------------------------------------------------------------


def _parties(messages: Sequence[Seen]) -> list[str]:
    found = headers(messages[0])
    ends = [clean(found.get(name, "").partition(";tag")[0]) for name in ("from", "to")]
    return [" → ".join(ends)] if all(ends) else []


def _identity(seen: Seen) -> tuple[bool, str, bytes]:
    return seen.sent, seen.peer, seen.data


def _arrow(seen: Seen, times: int, place: int, peers: int, width: int) -> str:
    text = label(seen) + (f" ×{times}" if times > 1 else "")
    length = width * (place + 1) - 1
    text = text if len(text) <= length - 8 else text[: length - 9] + "…"
    line = f"-- {text} ".ljust(length - 1, "-") + ">"
    if not seen.sent:
        line = f"<- {text} ".ljust(length, "-")
    beyond = "".join("|".rjust(width) for _ in range(peers - place - 1))
    return f"|{line}|{beyond}"


def _note(seen: Seen, words: Words) -> str:
    found = headers(seen)
    if is_request(seen):
        names: tuple[str, ...] = _SHOWN.get(method(seen), ())
    else:
        names = _SHOWN_IN_ANSWER.get(int(status(seen)[:1] or 0), ())
    parts = [f"{name.title()}: {found[name]}" for name in names if name in found]
    text = body(seen)
    kind = found.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/sdp" or "\nm=audio" in text:
        parts.append(_media(text))
    elif kind == "message/sipfrag":
        parts.append(text.partition("\r\n")[0])
    note = clean(" · ".join(part for part in parts if part))
    note = note if len(note) <= _NOTE else note[: _NOTE - 1] + "…"
    return f"{note} {words(Phrase('ladder.cut'))}".strip() if seen.cut else note


def _media(text: str) -> str:
    """Codecs, address and direction of the audio in a session description."""
    text = text.replace("\r\n", "\n")
    audio = _AUDIO.search(text)
    if audio is None:
        return ""
    # The media's own connection stands behind its m= line, the session's before the first.
    own = _CONNECTION.search(text, audio.end())
    address = own or _CONNECTION.search(text)
    names = {**_STATIC, **dict(_RTPMAP.findall(text))}
    codecs = " ".join(names.get(number, number) for number in audio.group(2).split())
    direction = _DIRECTION.search(text)
    where = f"{address.group(1) if address else '?'}:{audio.group(1)}"
    return f"{codecs} · {where} · {direction.group(1) if direction else 'sendrecv'}"
