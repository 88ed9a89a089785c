"""What the phone remembers of earlier runs, and who each line is; read once, written by `Keeper`.

Kept apart from the keeper because registering needs it, and the rest of the keeper can wait until
the first REGISTER has left.
"""

import logging
from pathlib import Path

import msgspec

from firmware.base.phrase import phrase
from firmware.base.tokens import Tokens
from firmware.storage.kept import Kept, KeptFile, KeptLine

_LOG = logging.getLogger(__name__)
_CONTACT_BITS = 80
"""A Contact user that cannot be guessed (A4)."""


class Memory:
    """The remembered values; `changed` until somebody has written them down."""

    def __init__(self, state: Path, tokens: Tokens) -> None:
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            _LOG.warning(phrase("log.no_memory", folder=state, reason=error.strerror))
        self.file = KeptFile(state / "kept.json")
        self.kept = self.file.load()
        self.changed = False
        self._tokens = tokens

    def contact_user(self, line: str) -> str:
        """The random user part of a line's Contact."""
        return self._line(line).contact_user

    def instance_id(self, line: str) -> str:
        """A line's `+sip.instance`."""
        return f"urn:uuid:{self._line(line).instance}"

    def card_numbers(self, line: str) -> tuple[int, ...]:
        """The sequence numbers that a line's SIM card has seen."""
        return self.kept.cards.get(line, ())

    def replace(self, **values: object) -> Kept:
        """Remember other values; returns all of them."""
        self.kept = msgspec.structs.replace(self.kept, **values)
        self.changed = True
        return self.kept

    def _line(self, line: str) -> KeptLine:
        known = self.kept.lines.get(line)
        if known is None:
            known = KeptLine(self._tokens.word(_CONTACT_BITS), _uuid(self._tokens.octets(16)))
            self.replace(lines={**self.kept.lines, line: known})
        return known


def _uuid(octets: bytes) -> str:
    """Random octets as a UUID of version 4 (RFC 4122 §4.4)."""
    raw = bytearray(octets)
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
