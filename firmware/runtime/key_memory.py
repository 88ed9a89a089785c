"""What of a call's keys outlives a stream or an audio process: the far end's counter, DTLS's keys.

The far end's packet index belongs to the key it encrypts with, not to our stream: if we move to
another address or start a new engine it simply goes on (RFC 3711 §3.3.1).
"""

from msgspec import Struct

from firmware.base.suites import Heard, Keys
from firmware.sip.notifications import CallRef

_MOST = 64
"""Calls remembered; one that ended without a word makes room for others."""


class _Past(Struct):
    """One call; `unsure` = the next report may still tell of the key before."""

    receive: bytes = b""
    unsure: bool = False
    heard: Heard | None = None
    prints: tuple[tuple[str, bytes], ...] = ()
    made: Keys | None = None


class KeyMemory:
    """Of every call that is up."""

    def __init__(self) -> None:
        self._calls: dict[CallRef, _Past] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def given(self, call: CallRef, keys: Keys) -> Heard | None:
        """An engine gets these keys; how far the far end had come with its own."""
        past = self._past(call)
        if past.receive != keys.receive:
            past.unsure = bool(past.receive)
            past.receive, past.heard = keys.receive, None
        return past.heard

    def reported(self, call: CallRef, heard: Heard | None) -> None:
        """The engine tells how far the far end has come."""
        past = self._calls.get(call)
        if past is None or heard is None:
            return
        if past.unsure:
            past.unsure = False
        else:
            past.heard = heard

    def made(self, call: CallRef, prints: tuple[tuple[str, bytes], ...], keys: Keys) -> None:
        """A handshake with the holder of this certificate came to keys."""
        past = self._past(call)
        past.prints, past.made = prints, keys

    def made_with(self, call: CallRef, prints: tuple[tuple[str, bytes], ...]) -> Keys | None:
        """The keys of the last handshake of this call, if it was with the same certificate."""
        past = self._calls.get(call)
        return None if past is None or past.prints != prints else past.made

    def forget(self, call: CallRef) -> None:
        """The call is over."""
        self._calls.pop(call, None)

    def _past(self, call: CallRef) -> _Past:
        past = self._calls.setdefault(call, _Past())
        while len(self._calls) > _MOST:
            self._calls.pop(next(iter(self._calls)))
        return past
