"""Secrets out of sight: settings and texts as they may be shown, logged or put into a bundle (A24).

`repr` of the settings leaves secrets out by itself (`firmware.config.schema`); this is for text
that somebody else made.
"""

import re
from collections.abc import Iterator

from firmware.config.schema import Settings
from firmware.config.table import SETTINGS

MASK = "•••"
# Digest answers and nonces of a SIP trace let a password be guessed off-line (RFC 7616 §5.1).
_DIGEST = re.compile(r'(?i)\b(response|cnonce|nonce|nextnonce|rspauth)="[^"]*"')
_KEYS = "|".join(sorted({key.rsplit(".", 1)[1] for key, row in SETTINGS.items() if row.secret}))
# A comment may hold an old password: what looks like an assignment is masked there too.
_ASSIGNMENT = re.compile(
    rf"""(?P<before> \b(?:{_KEYS})["']? [ \t]*=[ \t]*)
    (?: \"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z) | \'\'\'.*?(?:\'\'\'|\Z)
      | "(?:[^"\\\n]|\\.)*"? | '[^'\n]*'? | [^,}}\]\s\#"']+ )""",
    re.DOTALL | re.VERBOSE,
)
_SRTP_KEY = re.compile(r"(?i)\b(inline|ice-pwd):[A-Za-z0-9+/=]+")
_SHORTEST = 4
"""Shorter secrets are not looked for in free text: they would mask half of it."""


def secrets(settings: Settings) -> tuple[str, ...]:
    """Every secret in the settings that is set, the longest first."""
    found = {value for value in _secrets(settings) if value}
    return tuple(sorted(found, key=len, reverse=True))


def redact(text: str, settings: Settings | None = None) -> str:
    """A text without digests, media keys, assignments to secret keys, or the settings' secrets."""
    text = _DIGEST.sub(rf'\1="{MASK}"', text)
    text = _SRTP_KEY.sub(rf"\1:{MASK}", text)
    text = redact_toml(text)
    for secret in secrets(settings) if settings else ():
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
    return text


def redact_toml(text: str) -> str:
    """A configuration text with every secret value masked; it need not be valid."""
    return _ASSIGNMENT.sub(rf'\g<before>"{MASK}"', text)


def _secrets(settings: Settings) -> Iterator[str]:
    for key, row in SETTINGS.items():
        if not row.secret:
            continue
        names = key.split(".")
        roots: tuple[object, ...] = settings.lines if names[0] == "line" else (settings,)
        for root in roots:
            value: object = root
            for name in names[names[0] == "line" :]:
                value = getattr(value, name)
            yield str(value)
