"""How a caller wants to be announced and answered: Alert-Info, Call-Info, Answer-Mode.

Alert-Info was meant to name a sound file; a phone that fetched it would load what strangers chose,
so a file is never fetched. What PBXs really write there are words: URNs of RFC 7462, or `info=`
parameters that no RFC knows. The same holds for the two ways to ask for an automatic answer.
"""

import re
from typing import Final, NamedTuple

from firmware.sip.facts import AnswerWish, RingKind
from firmware.sip.headers import NameAddr
from firmware.sip.identity.who import addresses
from firmware.sip.message import Headers

# RFC 7462 §8.2, by category; what is left out (service, locale, delay) changes no ring of ours.
_BY_URN: Final = {
    "source:internal": RingKind.INTERNAL,
    "source:friend": RingKind.INTERNAL,
    "source:family": RingKind.INTERNAL,
    "source:external": RingKind.EXTERNAL,
    "priority:high": RingKind.PRIORITY,
    "priority:low": RingKind.SHORT,
    "duration:short": RingKind.SHORT,
    "service:forward": RingKind.EXTERNAL,
}
# What PBXs write as `info=` or as the name of a sound, by a part of it; the first match counts.
_BY_WORD: Final = (
    ("internal", RingKind.INTERNAL),
    ("external", RingKind.EXTERNAL),
    ("priority", RingKind.PRIORITY),
    ("emergency", RingKind.PRIORITY),
    ("urgent", RingKind.PRIORITY),
    ("silent", RingKind.NONE),
    ("no-ring", RingKind.NONE),
    ("short", RingKind.SHORT),
    ("ring-splash", RingKind.SHORT),
    # The Bellcore rings as PBXs use them: dr1 is the usual one.
    ("dr2", RingKind.EXTERNAL),
    ("dr3", RingKind.PRIORITY),
    ("dr4", RingKind.SHORT),
)
_AUTO: Final = re.compile(r"auto.?answer|info\s*=\s*\"?(?:intercom|auto)", re.IGNORECASE)
_ANSWER_AFTER: Final = re.compile(r"answer-after\s*=\s*\"?([0-9.]{1,6})", re.IGNORECASE)
_LONGEST_TEXT: Final = 2000
_MOST: Final = 16
_LONGEST_WAIT: Final = 60.0


class Answering(NamedTuple):
    """What a caller wishes of the answer; `after` is seconds."""

    wish: AnswerWish = AnswerWish.NONE
    required: bool = False
    after: float = 0.0


def ring_kind(headers: Headers) -> RingKind:
    """How to ring: the first value of Alert-Info that says something we can do counts.

    RFC 7462 §12.1: the order of the URNs is their weight.
    """
    for alert in list(addresses(headers.all("Alert-Info")))[:_MOST]:
        kind = _by_urn(alert) or _by_word(alert)
        if kind is not None:
            return kind
    priority = (headers.get("Priority") or "").strip().lower()
    # RFC 3261 §20.26: what is urgent may interrupt.
    return RingKind.PRIORITY if priority in ("emergency", "urgent") else RingKind.USUAL


def answering(headers: Headers) -> Answering:
    """What the caller wishes of the answer, by RFC 5373 or in the ways PBXs had before."""
    for name, auto in (
        ("Priv-Answer-Mode", AnswerWish.PRIVILEGED),
        ("Answer-Mode", AnswerWish.AUTO),
    ):
        mode, _, params = (headers.get(name) or "").partition(";")
        required = "require" in (part.strip().lower() for part in params.split(";"))
        match mode.strip().lower():
            case "auto":
                return Answering(auto, required)
            case "manual":
                return Answering(AnswerWish.MANUAL, required)
            case _:
                pass  # RFC 5373 §4.5.1: a mode we do not know is as good as none
    return _vendor_answering(headers)


def icon(headers: Headers) -> str:
    """The address of a picture of the caller (RFC 3261 §20.9), https only, "" if there is none."""
    for info in addresses(headers.all("Call-Info")):
        if (info.param("purpose") or "").lower() == "icon" and info.uri.scheme == "https":
            return str(info.uri)
    return ""


def _vendor_answering(headers: Headers) -> Answering:
    rows = (*headers.all("Call-Info"), *headers.all("Alert-Info"))
    text = ";".join(rows)[:_LONGEST_TEXT]
    after = _ANSWER_AFTER.search(text)
    if after is not None:
        return Answering(AnswerWish.AUTO, after=_seconds(after[1]))
    return Answering(AnswerWish.AUTO) if _AUTO.search(text) else Answering()


def _seconds(text: str) -> float:
    try:
        return min(float(text), _LONGEST_WAIT)
    except ValueError:
        return 0.0


def _by_urn(alert: NameAddr) -> RingKind | None:
    """RFC 7462 §7: what a private extension adds after `@` or further `:` may be cut off."""
    if alert.uri.scheme != "urn" or not alert.uri.user.lower().startswith("alert:"):
        return None
    parts = alert.uri.user.lower().split(":")[1:]
    return _BY_URN.get(":".join(parts[:2]))


def _by_word(alert: NameAddr) -> RingKind | None:
    # Of an address only the last part names the sound; the rest is a server.
    name = "" if alert.uri.scheme == "urn" else alert.uri.user.rpartition("/")[2]
    said = f"{alert.param('info') or ''} {name}".lower()
    return next((kind for word, kind in _BY_WORD if word in said), None)
