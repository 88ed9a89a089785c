"""Digest authentication, both ends: RFC 7616 as RFC 8760 and RFC 3261 §22 apply it to SIP.

    client   parse_challenges → choose → answer, later server_proof
    server   challenge → verify

Which realm may have an answer and how often, and which nonces are good, is for the caller to
know. Texts in quotes are kept as they stand between the quotes, backslashes and all: RFC 7616
§3.4.5 takes off the quotes and nothing else before hashing.
"""

import enum
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.auth.sha512_256 import sha512_256

_WORD: Final = r"[A-Za-z0-9\-.!%*_+`'~]++"
# One `name=value`, with the scheme before the first; lenient about which values are in quotes.
_PARAM: Final = re.compile(
    rf"[ \t,]*+(?:(?P<scheme>{_WORD})[ \t]++(?={_WORD}[ \t]*+=))?(?P<name>{_WORD})"
    r'[ \t]*+=[ \t]*+(?:"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*+)"|(?P<plain>[^,"\s]*+))',
    re.DOTALL,
)
_QUOTE: Final = re.compile(r'["\\]')
_MOST_PARAMS: Final = 128
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_HEX_COUNT: Final = re.compile(r"[0-9A-Fa-f]{8}")


class Algorithm(enum.Enum):
    """How to hash; the value is its name on the wire."""

    MD5 = "MD5"
    MD5_SESS = "MD5-sess"
    SHA_256 = "SHA-256"
    SHA_256_SESS = "SHA-256-sess"
    SHA_512_256 = "SHA-512-256"
    SHA_512_256_SESS = "SHA-512-256-sess"
    AKAV1_MD5 = "AKAv1-MD5"
    AKAV1_SHA_256 = "AKAv1-SHA-256"
    AKAV2_MD5 = "AKAv2-MD5"
    AKAV2_SHA_256 = "AKAv2-SHA-256"

    @property
    def session(self) -> bool:
        """Whether the key is bound to the first nonces (RFC 7616 §3.4.2)."""
        return self.value.endswith("-sess")

    @property
    def aka(self) -> int:
        """The version of AKA that makes the password (RFC 3310 §3.1), 0 if a person did."""
        return int(self.value[4]) if self.value.startswith("AKAv") else 0

    @property
    def hash_name(self) -> str:
        """The hash as hashlib calls it."""
        if "SHA-512-256" in self.value:
            return "sha512_256"
        return "sha256" if "SHA-256" in self.value else "md5"

    @property
    def weak(self) -> bool:
        """Whether it rests on MD5."""
        return self.hash_name == "md5"

    def digest(self, data: bytes) -> str:
        """The hash in lower-case hexadecimal (RFC 8760 §2.2)."""
        if self.weak:
            return hashlib.md5(data, usedforsecurity=False).hexdigest()
        if self.hash_name in hashlib.algorithms_available:
            return hashlib.new(self.hash_name, data).hexdigest()
        return sha512_256(data)


class Qop(enum.Enum):
    """What the digest covers: the request line, or the body as well."""

    AUTH = "auth"
    AUTH_INT = "auth-int"


_ALGORITHMS: Final = {each.value.lower(): each for each in Algorithm}


class Challenge(Struct, frozen=True):
    """A challenge that can be answered. `qop` is None from a server of RFC 2069."""

    realm: str
    nonce: str
    algorithm: Algorithm = Algorithm.MD5
    qop: Qop | None = None
    opaque: str | None = None
    stale: bool = False
    userhash: bool = False


class Credentials(Struct, frozen=True):
    """What a client claims in Authorization or Proxy-Authorization."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: Algorithm
    qop: Qop | None
    cnonce: str
    nonce_count: int
    hashed: bool = False
    """Whether `username` is the hash of the name (RFC 7616 §3.4.4)."""


# --- client -------------------------------------------------------------------------------------


def parse_challenges(rows: Iterable[str]) -> list[Challenge]:
    """The challenges that can be answered, in their order, from WWW- or Proxy-Authenticate rows.

    Other schemes, unknown algorithms or qops and malformed rows are passed over: a client must
    ignore what it does not understand (RFC 8760 §2.4).
    """
    found = (_challenge(params) for row in rows for params in _digests(row))
    return [challenge for challenge in found if challenge is not None]


def choose(challenges: Sequence[Challenge]) -> Challenge | None:
    """The challenge of one realm to answer, or None if there is none.

    The server lists what it likes best first (RFC 8760 §2.4); our own policy is that MD5 comes
    last, and of it AKA's first version (RFC 4169 §4.1), so that nobody can talk us down by
    reordering.
    """
    return min(challenges, key=_weakness, default=None)


def _weakness(one: Challenge) -> int:
    return 0 if not one.algorithm.weak else 1 if one.algorithm.aka == 2 else 2


def answer(  # noqa: PLR0913, PLR0917 - the parameters are the inputs of the hash
    challenge: Challenge,
    username: str,
    password: str,
    method: str,
    uri: str,
    body: bytes,
    cnonce: str,
    nonce_count: int,
    auts: str = "",
) -> str:
    """The value of Authorization or Proxy-Authorization.

    `uri` is the Request-URI as it will be sent, `nonce_count` how often this nonce is used now,
    from 1. With `auts` a SIM card asks to be synchronised (RFC 3310 §3.4).
    """
    name = _escape(username)
    claim = Credentials(
        name,
        challenge.realm,
        challenge.nonce,
        uri,
        "",
        challenge.algorithm,
        challenge.qop,
        cnonce,
        nonce_count,
    )
    response = _response(claim, method, body, password)
    if challenge.userhash:
        name = _hash(challenge.algorithm, name, challenge.realm)
    fields = [
        f'Digest username="{name}"',
        f'realm="{challenge.realm}"',
        f'nonce="{challenge.nonce}"',
        f'uri="{uri}"',
        f'response="{response}"',
        f"algorithm={challenge.algorithm.value}",
    ]
    if challenge.opaque is not None:
        fields.append(f'opaque="{challenge.opaque}"')
    if challenge.qop is not None or challenge.algorithm.session:
        fields.append(f'cnonce="{cnonce}"')
    if challenge.qop is not None:
        fields += [f"qop={challenge.qop.value}", f"nc={nonce_count:08x}"]
    if challenge.userhash:
        fields.append("userhash=true")
    if auts:
        fields.append(f'auts="{auts}"')
    return ", ".join(fields)


class ServerInfo(Struct, frozen=True):
    """What Authentication-Info or Proxy-Authentication-Info says (RFC 7616 §3.5)."""

    next_nonce: str
    response: str
    cnonce: str
    qop: str


def parse_info(row: str) -> ServerInfo:
    """Read Authentication-Info; what is not there is empty, and so is all of a malformed row."""
    params = next(iter(_digests(f"Digest {row}")), {})
    names = ("nextnonce", "rspauth", "cnonce", "qop")
    return ServerInfo(*(params.get(name, "") for name in names))


def server_proves(info: ServerInfo, sent: str, username: str, password: str, body: bytes) -> bool:
    """Whether the server's response digest is right (RFC 7616 §3.5).

    `sent` is our own Authorization value that it answers, `body` that of the response. A server
    that gives no digest proves nothing, and need not.
    """
    claim = parse_credentials(sent)
    if not info.response or claim is None:
        return True
    if info.cnonce and info.cnonce != claim.cnonce:
        return False
    qop = Qop.AUTH_INT if info.qop.lower() == Qop.AUTH_INT.value else Qop.AUTH
    claim = replace(claim, username=_escape(username), qop=qop if claim.qop else None)
    right = _response(claim, "", body, password)
    given = info.response.lower().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(right.encode(), given)


def list_proof(sent: str, method: str, username: str, password: str, body: bytes, it: str) -> str:
    """The digest over the server's list `it` of security mechanisms (RFC 3329 §2.2, `d-ver`)."""
    claim = parse_credentials(sent)
    if claim is None:
        return ""
    claim = replace(claim, username=_escape(username))
    return _response(claim, method, body, password, it)


# --- server -------------------------------------------------------------------------------------


def challenge(
    realm: str,
    nonce: str,
    algorithm: Algorithm = Algorithm.MD5,
    *,
    stale: bool = False,
    qop: str = "auth",
) -> str:
    """The value of WWW-Authenticate or Proxy-Authenticate; qop is always sent (RFC 8760 §2.6)."""
    again = ", stale=true" if stale else ""
    return (
        f'Digest realm="{_escape(realm)}", nonce="{nonce}", algorithm={algorithm.value}, '
        f'qop="{qop}"{again}'
    )


def parse_credentials(row: str) -> Credentials | None:
    """Read Authorization or Proxy-Authorization; None if it is no digest we understand."""
    params = next(iter(_digests(row)), {})
    _name_in_utf8(params)
    algorithm = _ALGORITHMS.get(params.get("algorithm", "MD5").lower())
    qop = params.get("qop")
    count = params.get("nc", "00000000")
    needed = ("username", "realm", "nonce", "uri", "response")
    if (
        algorithm is None
        or any(name not in params for name in needed)
        or qop not in (None, "auth", "auth-int")
        or _HEX_COUNT.fullmatch(count) is None
    ):
        return None
    username, realm, nonce, uri, response = (params[name] for name in needed)
    return Credentials(
        username,
        realm,
        nonce,
        uri,
        response,
        algorithm,
        None if qop is None else Qop(qop),
        params.get("cnonce", ""),
        int(count, 16),
        params.get("userhash", "").lower() == "true",
    )


def verify(
    row: str,
    method: str,
    body: bytes,
    password_of: Callable[[str, str], str | None],
    users: Iterable[str] = (),
) -> Credentials | None:
    """The credentials in `row` if they prove knowledge of the password, else None.

    `password_of(username, realm)` gives the password or None; a name that comes hashed is looked
    for among `users` (RFC 7616 §3.4.4). That the nonce is a fresh one of ours, and realm and
    algorithm are those of the challenge, is for the caller to check.
    """
    claim = parse_credentials(row)
    if claim is not None and claim.hashed:
        claim = _unhashed(claim, users)
    if claim is None:
        return None
    password = password_of(claim.username, claim.realm)
    if password is None:
        return None
    right = _response(claim, method, body, password)
    given = claim.response.lower().encode("utf-8", "surrogateescape")
    return claim if hmac.compare_digest(right.encode(), given) else None


def server_info(claim: Credentials, password: str, body: bytes = b"", next_nonce: str = "") -> str:
    """The value of Authentication-Info that answers verified credentials (RFC 7616 §3.5).

    `body` is that of the response.
    """
    fields = [f'rspauth="{_response(claim, "", body, password)}"']
    if claim.qop is not None:
        count = f"{claim.nonce_count:08x}"
        fields += [f'cnonce="{claim.cnonce}"', f"nc={count}", f"qop={claim.qop.value}"]
    if next_nonce:
        fields.append(f'nextnonce="{next_nonce}"')
    return ", ".join(fields)


# --- helpers ------------------------------------------------------------------------------------


def _digests(row: str) -> list[dict[str, str]]:
    """The parameters of each Digest in a row; of names given twice the first counts."""
    current: dict[str, str] | None = None
    position = count = 0
    end = len(row.rstrip(" \t,"))
    found: list[dict[str, str]] = []
    while position < end:
        match = _PARAM.match(row, position)
        if match is None or count > _MOST_PARAMS:
            return []
        count += 1
        position = match.end()
        scheme, name, quoted, plain = match.group("scheme", "name", "quoted", "plain")
        if scheme is not None:
            current = {} if scheme.lower() == "digest" else None
            if current is not None:
                found.append(current)
        if current is not None:
            current.setdefault(name.lower(), plain if quoted is None else quoted)
    return found


def _challenge(params: dict[str, str]) -> Challenge | None:
    algorithm = _ALGORITHMS.get(params.get("algorithm", "MD5").lower())
    if algorithm is None or "realm" not in params or "nonce" not in params:
        return None
    qop = None
    if params.get("qop"):
        offered = {option.strip(" \t").lower() for option in params["qop"].split(",")}
        # auth before auth-int: gateways on the way may rewrite a body.
        qop = next((option for option in Qop if option.value in offered), None)
        if qop is None:
            return None
    return Challenge(
        params["realm"],
        params["nonce"],
        algorithm,
        qop,
        params.get("opaque"),
        params.get("stale", "").lower() == "true",
        params.get("userhash", "").lower() == "true",
    )


def _name_in_utf8(params: dict[str, str]) -> None:
    """Take a `username*` for the name it encodes (RFC 7616 §3.4, RFC 5987 §3.2)."""
    charset, _, rest = params.pop("username*", "").partition("'")
    if "username" not in params and charset.lower() == "utf-8":
        text = rest.partition("'")[2].encode("ascii", "replace")
        octets = _PERCENT.sub(lambda match: bytes((int(match.group(1), 16),)), text)
        params["username"] = _escape(octets.decode("utf-8", "surrogateescape"))


def _unhashed(claim: Credentials, users: Iterable[str]) -> Credentials | None:
    for user in users:
        name = _escape(user)
        if _hash(claim.algorithm, name, claim.realm) == claim.username.lower():
            return replace(claim, username=name, hashed=False)
    return None


def _response(claim: Credentials, method: str, body: bytes, password: str, more: str = "") -> str:
    algorithm = claim.algorithm
    key = _hash(algorithm, claim.username, claim.realm, password)
    if algorithm.session:
        key = _hash(algorithm, key, claim.nonce, claim.cnonce)
    if claim.qop is Qop.AUTH_INT:
        covered = [method, claim.uri, algorithm.digest(body)]
    else:
        covered = [method, claim.uri]
    target = _hash(algorithm, *covered, *([more] if more else ()))
    if claim.qop is None:
        return _hash(algorithm, key, claim.nonce, target)
    count = f"{claim.nonce_count:08x}"
    return _hash(algorithm, key, claim.nonce, count, claim.cnonce, claim.qop.value, target)


def _hash(algorithm: Algorithm, *parts: str) -> str:
    return algorithm.digest(":".join(parts).encode("utf-8", "surrogateescape"))


def _escape(text: str) -> str:
    return _QUOTE.sub(lambda match: "\\" + match.group(), text)
