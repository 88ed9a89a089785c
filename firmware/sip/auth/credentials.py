"""Answers to challenges: which realms, how often, and what is kept for the next request.

A line's keyring remembers the last challenge of each realm, so that a refresh or a call carries
its credentials at once (RFC 7616 §3.4, nonce count), and what its next hop insists on (RFC 3329).
A password never helps anybody but the line's own servers: the caller says whether the other end is
one (A6).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firmware.base.tokens import Tokens
from firmware.base.values import replace
from firmware.sip.account import Account
from firmware.sip.auth.agreement import Agreement, agree
from firmware.sip.auth.digest import (
    Challenge,
    answer,
    choose,
    list_proof,
    parse_challenges,
    parse_info,
    server_proves,
)
from firmware.sip.message import Request, Response

if TYPE_CHECKING:
    from firmware.sip.auth.aka import Card, CardAnswer

_HEADERS: Final = {
    "WWW-Authenticate": "Authorization",
    "Proxy-Authenticate": "Proxy-Authorization",
}
_CHALLENGES: Final = (401, 407)
# RFC 3329 §2.4: a server that wants an agreement challenges in the same breath.
_AGREE: Final = (421, 494)
_INFOS: Final = {
    "Authorization": "Authentication-Info",
    "Proxy-Authorization": "Proxy-Authentication-Info",
}
_TRIES: Final = 2
"""How many answers of ours to one realm may be refused before the password must be wrong (F20)."""
_MOST_ROUNDS: Final = 6
"""How many challenges one request may meet, stale ones included."""
_MOST_AGREEMENTS: Final = 2
_MOST_REALMS: Final = 8

Lock = tuple[str, str]
"""The header that answers and the realm."""


@dataclass(slots=True)
class _Key:
    """A challenge that can be answered again; `password` is the card's if AKA asked."""

    challenge: Challenge
    password: str = field(repr=False)
    auts: str = ""
    uses: int = 0


class Keyring:
    """The challenges of one account, by answering header and realm."""

    def __init__(self, account: Account, tokens: Tokens) -> None:
        self.agreement: Agreement | None = None
        self._account = account
        self._tokens = tokens
        self._keys: dict[Lock, _Key] = {}
        self._card = _card(account)
        self._told = self._card.numbers if self._card is not None else ()

    def __len__(self) -> int:
        return len(self._keys)

    def opens(self, realm: str) -> bool:
        """Whether the account may answer this realm."""
        account = self._account
        has_secret = bool(account.password) or account.aka is not None
        return has_secret and account.realm in ("", realm)

    def fits(self, challenge: Challenge) -> bool:
        """Whether there is what this challenge asks for: a password or a SIM card."""
        account = self._account
        if not self.opens(challenge.realm):
            return False
        return account.aka is not None if challenge.algorithm.aka else bool(account.password)

    def keep(self, header: str, challenge: Challenge) -> bool:
        """Remember a challenge in place of the realm's last; False if it cannot be answered."""
        if challenge.algorithm.aka:
            told = self._ask_card(challenge)
            if told is None:
                return False
            # The octets of RES as text, so that hashing gives them back unchanged.
            password, auts = told.password.decode("utf-8", "surrogateescape"), told.auts
        else:
            password, auts = self._account.password, ""
        if len(self._keys) >= _MOST_REALMS:
            self._keys.clear()
        self._keys[header, challenge.realm] = _Key(challenge, password, auts)
        return True

    def forget(self, header: str, realm: str) -> None:
        """A challenge whose answer was refused is of no more use."""
        self._keys.pop((header, realm), None)

    def out_of_step(self, lock: Lock) -> bool:
        """Whether the last answer asked the network to synchronise (RFC 3310 §3.4)."""
        key = self._keys.get(lock)
        return key is not None and bool(key.auts)

    def authorize(self, request: Request) -> set[Lock]:
        """Add an answer for every challenge kept, and the agreement; returns which."""
        name, proof = self._user, ""
        for (header, _), key in self._keys.items():
            key.uses += 1
            text = answer(
                key.challenge,
                name,
                key.password,
                request.method,
                request.uri,
                request.body,
                self._tokens.word(80),
                key.uses,
                key.auts,
            )
            request.headers.add(header, text)
            if self.agreement is not None and not proof:
                asked = (request.method, name, key.password, request.body)
                proof = list_proof(text, *asked, self.agreement.listed)
        if self.agreement is not None:
            by_digest = self.agreement.by_digest
            self.agreement.write(request.headers, proof if by_digest else "")
        return set(self._keys)

    def confirm(self, request: Request, response: Response) -> bool:
        """Take a 2xx to an authorised request; False if the server does not know the password."""
        for (header, realm), key in list(self._keys.items()):
            row = response.headers.get(_INFOS[header])
            sent = [each for each in request.headers.all(header) if f'realm="{realm}"' in each]
            if row is None or not sent:
                continue
            info = parse_info(row)
            if not server_proves(info, sent[0], self._user, key.password, response.body):
                self.forget(header, realm)
                return False
            if info.next_nonce and not key.challenge.algorithm.aka:
                # RFC 7616 §3.5: the nonce of our next request.
                key.challenge = replace(key.challenge, nonce=info.next_nonce)
                key.uses = 0
        return True

    def advanced(self) -> tuple[int, ...] | None:
        """The card's sequence numbers if they are others than those last told, to be kept."""
        if self._card is None or self._card.numbers == self._told:
            return None
        self._told = self._card.numbers
        return self._told

    @property
    def _user(self) -> str:
        return self._account.auth_user or self._account.user

    def _ask_card(self, challenge: Challenge) -> "CardAnswer | None":
        if self._card is None:
            return None
        algorithm = challenge.algorithm
        return self._card.answer(challenge.nonce, algorithm.aka, algorithm.hash_name)


class Attempts:
    """How often one request was challenged; made anew for every request."""

    def __init__(self, keyring: Keyring | None) -> None:
        self._keyring = keyring
        self._refused: dict[Lock, int] = {}
        self._answered: set[Lock] = set()
        self._fresh: set[Lock] = set()
        self._rounds = 0
        self._agreements = 0

    def authorize(self, request: Request) -> None:
        """Add what credentials there are; the other end must be one of the line's servers."""
        if self._keyring is not None:
            self._answered = self._keyring.authorize(request)

    def challenged(self, response: Response) -> bool:
        """Take a refusal; whether it is worth sending the request again (RFC 3261 §22.2)."""
        status = response.status
        if status not in _CHALLENGES and status not in _AGREE:
            return False
        self._rounds += 1
        if self._keyring is None or self._rounds > _MOST_ROUNDS:
            return False
        agreed = status in _AGREE and self._agree(response)
        if status in _AGREE and not agreed:
            return False
        worth = agreed
        # A proxy and the server behind it may both ask in one response (RFC 3261 §22.3).
        for asks in _HEADERS:
            worth = self._take(response.headers.all(asks), _HEADERS[asks]) or worth
        return worth

    def confirmed(self, request: Request, response: Response) -> bool:
        """Take a 2xx; False if it proves that the server does not know our password."""
        return self._keyring is None or self._keyring.confirm(request, response)

    def _agree(self, response: Response) -> bool:
        assert self._keyring is not None
        self._agreements += 1
        found = agree(response)
        if found is None or self._agreements > _MOST_AGREEMENTS:
            return False
        self._keyring.agreement = found
        return True

    def _take(self, rows: list[str], header: str) -> bool:
        assert self._keyring is not None
        found = [each for each in parse_challenges(rows) if self._keyring.fits(each)]
        worth = False
        for realm in sorted({each.realm for each in found}):
            chosen = choose([each for each in found if each.realm == realm])
            worth = (chosen is not None and self._may_answer(header, chosen)) or worth
        return worth

    def _may_answer(self, header: str, challenge: Challenge) -> bool:
        assert self._keyring is not None
        key = (header, challenge.realm)
        # An answer to a nonce from an earlier request does not count: nonces grow old. Nor does
        # one that only told the network where our card is.
        spent = key in self._answered and key in self._fresh
        if spent and not challenge.stale and not self._keyring.out_of_step(key):
            self._refused[key] = self._refused.get(key, 0) + 1
        if self._refused.get(key, 0) >= _TRIES:
            self._keyring.forget(*key)
            return False
        self._fresh.add(key)
        if not self._keyring.keep(header, challenge):
            self._keyring.forget(*key)
            return False
        return True


def _card(account: Account) -> "Card | None":
    if account.aka is None:
        return None
    # Now, while the line is made, and not when the first challenge comes.
    from firmware.sip.auth.aka import Card  # noqa: PLC0415 - hardly any line has a SIM card

    return Card(account.aka, account.card_numbers)
