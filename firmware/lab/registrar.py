"""The registrar of the practice PBX (RFC 3261 §10.3) with digest; pure.

Anybody may register as any user whose password is the user's own name: a PBX for practice, bound
to loopback. Nonces are good for five minutes and then answered with `stale=true`, and each 200
proves that we know the password (RFC 7616 §3.5), so that a phone's handling of both is exercised
every day. The same credentials are not taken twice.
"""

from dataclasses import dataclass, field

from msgspec import Struct

from firmware.base.tokens import Tokens
from firmware.sip.auth.digest import (
    Algorithm,
    Credentials,
    challenge,
    parse_credentials,
    server_info,
    verify,
)
from firmware.sip.errors import ParseError
from firmware.sip.flow import Flow, Transport
from firmware.sip.headers import (
    WILDCARD,
    NameAddr,
    contact_list,
    delta_seconds,
    parse_cseq,
    parse_name_addr,
)
from firmware.sip.message import Request
from firmware.sip.uri import Uri, equivalent

REALM = "practice"
NONCE_SECONDS = 300.0
SHORTEST = 10
LONGEST = 3600
MOST_BINDINGS = 1000
MOST_NONCES = 2000
MOST_PHONES = 10
"""Of one user, that ring for a call."""
_ALGORITHMS = (Algorithm.SHA_256, Algorithm.MD5)
"""In the order of preference (RFC 8760 §2.4)."""


class Answer(Struct, frozen=True):
    """The response to a REGISTER."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


class Binding(Struct, frozen=True):
    """Where a user can be reached, until when, and which request said so."""

    contact: NameAddr
    flow: Flow
    until: float
    call_id: str
    number: int


@dataclass(slots=True)
class _Asked:
    """What a REGISTER wants."""

    user: str
    call_id: str
    number: int
    contacts: list[NameAddr] = field(default_factory=list)
    expires: int = LONGEST

    def outdated(self, binding: Binding) -> bool:
        """Whether the request is older than what it would change, or the same once more."""
        return binding.call_id == self.call_id and self.number <= binding.number


class Registrar:
    """Who is where."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._bindings: dict[str, list[Binding]] = {}
        self._nonces: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(len(bindings) for bindings in self._bindings.values())

    def places_of(self, user: str, now: float) -> list[list[str]]:
        """The ways to each phone of a user, the phone that registered last first.

        What has one instance ID is one phone (RFC 5626 §4.1), wherever it has registered from.
        """
        phones: dict[str, list[Binding]] = {}
        for binding in reversed(self._bindings.get(user, [])):
            if binding.until > now:
                name = binding.contact.param("+sip.instance") or str(binding.contact.uri)
                phones.setdefault(name, []).append(binding)
        return [_ways(bindings) for bindings in list(phones.values())[:MOST_PHONES]]

    def ways_to(self, user: str, now: float) -> list[str]:
        """The URIs that reach a user's phones, best first; none if nobody is registered as them."""
        return [way for ways in self.places_of(user, now) for way in ways]

    def next_end(self, now: float) -> float | None:
        """When the next registration runs out."""
        ends = (each.until for bindings in self._bindings.values() for each in bindings)
        return min((end for end in ends if end > now), default=None)

    def listing(self, now: float) -> tuple[str, ...]:
        """Who is registered and where, a phone a row: `201 udp 127.0.0.1:5062`."""
        return tuple(
            f"{user} {binding.flow.transport.value} {binding.flow.remote}"
            for user in sorted(self._bindings)
            for binding in self._bindings[user]
            if binding.until > now
        )

    def register(self, request: Request, flow: Flow, now: float) -> Answer:
        """Answer a REGISTER; never raises, whatever it says."""
        self._forget(now)
        try:
            asked = _asked(request)
        except ParseError as error:
            return Answer(error.status)
        proof = self._authenticate(request, asked.user, now)
        if isinstance(proof, Answer):
            return proof
        info = ("Authentication-Info", server_info(proof, asked.user))
        refusal = self._bind(asked, flow, now)
        return refusal or Answer(200, (*self._contacts(asked.user, now), info))

    def _bind(self, asked: _Asked, flow: Flow, now: float) -> Answer | None:
        """Take the Contacts over, all of them or none."""
        before = self._bindings.get(asked.user, [])
        every = asked.contacts == [WILDCARD]
        after = _cleared(before, asked) if every else _updated(before, asked, flow, now)
        if isinstance(after, Answer):
            return after
        if len(after) > len(before) and len(self) - len(before) + len(after) > MOST_BINDINGS:
            return Answer(503, (("Retry-After", "60"),))
        if after:
            self._bindings[asked.user] = after
        else:
            self._bindings.pop(asked.user, None)
        return None

    def _contacts(self, user: str, now: float) -> tuple[tuple[str, str], ...]:
        return tuple(
            ("Contact", f"<{binding.contact.uri}>;expires={max(1, round(binding.until - now))}")
            for binding in self._bindings.get(user, [])
        )

    def _authenticate(self, request: Request, user: str, now: float) -> Answer | Credentials:
        """The credentials if the request proves the password, else what to answer."""
        for row in request.headers.all("Authorization"):
            claim = parse_credentials(row)
            if claim is None or claim.realm != REALM:
                continue
            proof = verify(row, request.method, request.body, lambda name, _realm: name)
            born = self._nonces.get(claim.nonce)
            if born is None or now - born > NONCE_SECONDS:
                return self._challenge(now, stale=proof is not None)
            if proof is not None and not self._counted(proof):
                return self._challenge(now, stale=True)
            if proof is not None:
                return proof if proof.username == user else Answer(403)
        return self._challenge(now, stale=False)

    def _counted(self, proof: Credentials) -> bool:
        """Whether this is a later use of its nonce (RFC 7616 §3.4); without qop nobody counts."""
        if proof.qop is not None:
            if proof.nonce_count <= self._counts.get(proof.nonce, 0):
                return False
            self._counts[proof.nonce] = proof.nonce_count
        return True

    def _challenge(self, now: float, *, stale: bool) -> Answer:
        nonce = self._tokens.word(128)
        self._nonces[nonce] = now
        rows = (challenge(REALM, nonce, algorithm, stale=stale) for algorithm in _ALGORITHMS)
        return Answer(401, tuple(("WWW-Authenticate", row) for row in rows))

    def _forget(self, now: float) -> None:
        """Drop what has expired."""
        for user, bindings in list(self._bindings.items()):
            alive = [binding for binding in bindings if binding.until > now]
            if alive:
                self._bindings[user] = alive
            else:
                del self._bindings[user]
        while self._nonces:
            nonce, born = next(iter(self._nonces.items()))
            if now - born <= 2 * NONCE_SECONDS and len(self._nonces) <= MOST_NONCES:
                break
            del self._nonces[nonce]
            self._counts.pop(nonce, None)


def _ways(bindings: list[Binding]) -> list[str]:
    """The URIs of one phone, best first.

    The newest registration first. Where it came from is what counts, whatever the Contact says: a
    phone behind an address translation is reached the way it came (RFC 3581), and the connection it
    registered over leads back to it (RFC 5626 §5.3). Should that be gone, the Contact may still be
    right.
    """
    ways: list[str] = []
    for binding in bindings:
        uri, flow = binding.contact.uri, binding.flow
        ways.append(_uri(uri.user, flow.remote.host, flow.remote.port, flow.transport))
        if flow.transport.reliable and uri.host:
            ways.append(_uri(uri.user, uri.host, uri.port, flow.transport))
    return list(dict.fromkeys(ways))


def _asked(request: Request) -> _Asked:
    headers = request.headers
    user = parse_name_addr(headers.get("To") or "").uri.user
    if not user:
        raise ParseError("nobody to register", 404)
    asked = _Asked(user, headers.get("Call-ID") or "", parse_cseq(headers.get("CSeq") or "").number)
    asked.contacts = contact_list(headers)
    if (row := headers.get("Expires")) is not None:
        asked.expires = _delta(row)
    return asked


def _cleared(before: list[Binding], asked: _Asked) -> list[Binding] | Answer:
    """`Contact: *` (RFC 3261 §10.3 step 6)."""
    if asked.expires:
        return Answer(400)
    return Answer(500) if any(asked.outdated(binding) for binding in before) else []


def _updated(
    before: list[Binding], asked: _Asked, flow: Flow, now: float
) -> list[Binding] | Answer:
    """Bindings added, refreshed and removed one by one (RFC 3261 §10.3 step 7)."""
    bindings = list(before)
    for contact in asked.contacts:
        seconds = _seconds(contact, asked.expires)
        if 0 < seconds < SHORTEST:
            return Answer(423, (("Min-Expires", str(SHORTEST)),))
        known = next((b for b in bindings if equivalent(b.contact.uri, contact.uri)), None)
        if known is not None:
            # The same Contact twice in one request has just been bound by it.
            if known in before and asked.outdated(known):
                return Answer(500)
            bindings.remove(known)
        if seconds:
            until = now + min(seconds, LONGEST)
            bindings.append(Binding(contact, flow, until, asked.call_id, asked.number))
    return bindings


def _seconds(contact: NameAddr, default: int) -> int:
    text = contact.param("expires")
    return default if text is None else _delta(text)


def _delta(text: str) -> int:
    """RFC 3261 §20.10 and §20.19: a malformed value counts as 3600."""
    try:
        return delta_seconds(text)
    except ParseError:
        return LONGEST


def _uri(user: str, host: str, port: int | None, transport: Transport) -> str:
    params = () if transport is Transport.UDP else (("transport", transport.value),)
    return str(Uri("sip", user, host=host, port=port, params=params))
