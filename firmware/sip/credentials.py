"""Answers to challenges: which realms, how often, and what is kept for the next request.

A line's keyring remembers the last challenge of each realm, so that a refresh or a call carries
its credentials at once (RFC 7616 §3.4, nonce count). A password never helps anybody but the line's
own servers: the caller says whether the other end is one (A6).
"""

from dataclasses import dataclass
from typing import Final

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.digest import Challenge, answer, choose, parse_challenges
from firmware.sip.message import Request, Response

_HEADERS: Final = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}
_TRIES: Final = 2
"""How many answers of ours to one realm may be refused before the password must be wrong (F20)."""
_MOST_ROUNDS: Final = 6
"""How many challenges one request may meet, stale ones included."""
_MOST_REALMS: Final = 8


@dataclass(slots=True)
class _Key:
    """A challenge that can be answered again."""

    challenge: Challenge
    uses: int = 0


class Keyring:
    """The challenges of one account, by answering header and realm."""

    def __init__(self, account: Account, tokens: Tokens) -> None:
        self._account = account
        self._tokens = tokens
        self._keys: dict[tuple[str, str], _Key] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def opens(self, realm: str) -> bool:
        """Whether the account may answer this realm."""
        account = self._account
        return bool(account.password) and account.realm in ("", realm)

    def keep(self, header: str, challenge: Challenge) -> None:
        """Remember a challenge in place of the realm's last."""
        if len(self._keys) >= _MOST_REALMS:
            self._keys.clear()
        self._keys[header, challenge.realm] = _Key(challenge)

    def forget(self, header: str, realm: str) -> None:
        """A challenge whose answer was refused is of no more use."""
        self._keys.pop((header, realm), None)

    def authorize(self, request: Request) -> set[tuple[str, str]]:
        """Add an answer for every challenge kept; returns which."""
        account = self._account
        for (header, _), key in self._keys.items():
            key.uses += 1
            text = answer(
                key.challenge,
                account.auth_user or account.user,
                account.password,
                request.method,
                request.uri,
                request.body,
                self._tokens.word(80),
                key.uses,
            )
            request.headers.add(header, text)
        return set(self._keys)


class Attempts:
    """How often one request was challenged; made anew for every request."""

    def __init__(self, keyring: Keyring | None) -> None:
        self._keyring = keyring
        self._refused: dict[tuple[str, str], int] = {}
        self._answered: set[tuple[str, str]] = set()
        self._fresh: set[tuple[str, str]] = set()
        self._rounds = 0

    def authorize(self, request: Request) -> None:
        """Add what credentials there are; the other end must be one of the line's servers."""
        if self._keyring is not None:
            self._answered = self._keyring.authorize(request)

    def challenged(self, response: Response) -> bool:
        """Take a 401 or 407; whether it is worth sending the request again (RFC 3261 §22.2)."""
        self._rounds += 1
        if self._keyring is None or self._rounds > _MOST_ROUNDS:
            return False
        asks, header = _HEADERS[response.status]
        found = parse_challenges(response.headers.all(asks))
        realms = {each.realm for each in found if self._keyring.opens(each.realm)}
        worth = False
        for realm in sorted(realms):
            chosen = choose([each for each in found if each.realm == realm])
            worth = (chosen is not None and self._may_answer(header, chosen)) or worth
        return worth

    def _may_answer(self, header: str, challenge: Challenge) -> bool:
        assert self._keyring is not None
        key = (header, challenge.realm)
        # An answer to a nonce from an earlier request does not count: nonces grow old.
        if key in self._answered and key in self._fresh and not challenge.stale:
            self._refused[key] = self._refused.get(key, 0) + 1
        if self._refused.get(key, 0) >= _TRIES:
            self._keyring.forget(*key)
            return False
        self._fresh.add(key)
        self._keyring.keep(header, challenge)
        return True
