"""Digest challenges for requests that arrive (RFC 3261 §22.1), for a server such as a practice PBX.

Nonces are not stored until they are used: each carries its time and a seal made with a secret of
this run. Of one that was used its highest count is kept, so that nobody who listened can send the
same credentials once more (RFC 7616 §3.4, §5.10). What is kept is bounded: when it is full the
oldest nonces are declared stale, which costs their owners one more round and opens nothing.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from firmware.base.tokens import Tokens
from firmware.sip.auth.digest import Algorithm, Credentials, challenge, verify
from firmware.sip.message import Request

_NONCE_SECONDS: Final = 300
_MOST_NONCES: Final = 2000
_OFFERED: Final = (Algorithm.SHA_512_256, Algorithm.SHA_256, Algorithm.MD5)
"""In the order of preference (RFC 8760 §2.4)."""


class Gatekeeper:
    """Knows the passwords of one realm."""

    def __init__(self, realm: str, passwords: Mapping[str, str], tokens: Tokens) -> None:
        self._realm = realm
        self._passwords = passwords
        self._secret = tokens.octets(32)
        # The highest count of each nonce in use, the oldest use first.
        self._counts: dict[str, int] = {}
        self._oldest = 0
        self._issued = 0

    def __len__(self) -> int:
        return len(self._counts)

    def admits(self, request: Request, now: float) -> str | None:
        """The user whose password the request proves, or None."""
        for row in request.headers.all("Authorization"):
            claim = self._verified(row, request)
            if claim is not None and self._fresh(claim.nonce, now) and self._counted(claim, now):
                return claim.username
        return None

    def challenges(self, request: Request, now: float) -> tuple[tuple[str, str], ...]:
        """The WWW-Authenticate rows for a 401, best algorithm first (RFC 8760 §2.4)."""
        # No two callers get one nonce: each counts its own uses.
        self._issued += 1
        nonce = self._nonce(int(now), self._issued)
        rows = request.headers.all("Authorization")
        stale = any(self._verified(row, request) is not None for row in rows)
        return tuple(
            (
                "WWW-Authenticate",
                challenge(self._realm, nonce, algorithm, stale=stale, qop="auth,auth-int"),
            )
            for algorithm in _OFFERED
        )

    def _verified(self, row: str, request: Request) -> Credentials | None:
        """The claim if its digest is right and its uses can be counted, as with every qop.

        Its uri need not be the request's: proxies on the way have changed that (RFC 3261 §16.6).
        """
        users = self._passwords
        claim = verify(row, request.method, request.body, self._password, users)
        return claim if claim is not None and claim.qop is not None else None

    def _password(self, user: str, realm: str) -> str | None:
        return self._passwords.get(user) if realm == self._realm else None

    def _nonce(self, at: int, serial: int) -> str:
        text = f"{at:x}.{serial:x}"
        seal = hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]
        return f"{text}.{seal}"

    def _fresh(self, nonce: str, now: float) -> bool:
        try:
            born, serial = (int(part, 16) for part in nonce.split(".")[:2])
        except ValueError:
            return False
        right = self._nonce(born, serial).encode()
        if not hmac.compare_digest(nonce.encode("utf-8", "replace"), right):
            return False
        return born >= self._oldest and -1 <= now - born <= _NONCE_SECONDS

    def _counted(self, claim: Credentials, now: float) -> bool:
        """Whether this use of the nonce is later than every other."""
        if claim.nonce_count <= self._counts.get(claim.nonce, 0):
            return False
        self._counts[claim.nonce] = claim.nonce_count
        self._forget(now)
        return True

    def _forget(self, now: float) -> None:
        for nonce in list(self._counts):
            born = int(nonce.partition(".")[0], 16)
            if now - born <= _NONCE_SECONDS and len(self._counts) <= _MOST_NONCES:
                break
            del self._counts[nonce]
            if now - born <= _NONCE_SECONDS:
                self._oldest = max(self._oldest, born + 1)
