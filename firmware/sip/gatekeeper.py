"""Digest challenges for requests that arrive (RFC 3261 §22.1), for a server such as a practice PBX.

Nonces are not stored: each carries its time and a seal made with a secret of this run.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from firmware.base.tokens import Tokens
from firmware.sip.digest import Algorithm, challenge, verify
from firmware.sip.message import Request

_NONCE_SECONDS: Final = 300


class Gatekeeper:
    """Knows the passwords of one realm."""

    def __init__(self, realm: str, passwords: Mapping[str, str], tokens: Tokens) -> None:
        self._realm = realm
        self._passwords = passwords
        self._secret = tokens.octets(32)

    def admits(self, request: Request, now: float) -> str | None:
        """The user whose password the request proves, or None."""
        for row in request.headers.all("Authorization"):
            claim = verify(row, request.method, request.body, self._password)
            if claim is not None and self._fresh(claim.nonce, now):
                return claim.username
        return None

    def challenges(self, request: Request, now: float) -> tuple[tuple[str, str], ...]:
        """The WWW-Authenticate rows for a 401, best algorithm first (RFC 8760 §2.4)."""
        nonce = self._nonce(int(now))
        stale = any(
            verify(row, request.method, request.body, self._password) is not None
            for row in request.headers.all("Authorization")
        )
        return tuple(
            ("WWW-Authenticate", challenge(self._realm, nonce, algorithm, stale=stale))
            for algorithm in (Algorithm.SHA_256, Algorithm.MD5)
        )

    def _password(self, user: str, realm: str) -> str | None:
        return self._passwords.get(user) if realm == self._realm else None

    def _nonce(self, at: int) -> str:
        seal = hmac.new(self._secret, str(at).encode(), hashlib.sha256).hexdigest()[:32]
        return f"{at:x}.{seal}"

    def _fresh(self, nonce: str, now: float) -> bool:
        try:
            at = int(nonce.partition(".")[0], 16)
        except ValueError:
            return False
        right = hmac.compare_digest(nonce.encode("utf-8", "replace"), self._nonce(at).encode())
        return right and -1 <= now - at <= _NONCE_SECONDS
