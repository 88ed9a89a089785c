"""One DTLS-SRTP association (RFC 5764): datagrams in, datagrams and finally SRTP keys out.

    feed(datagram) ─▶ OpenSSL over memory ─▶ take() what is to be sent
    next_timer()   ─▶ call fire() then       └▶ keys, or failure, once it is over

No socket, no clock, no thread of its own; OpenSSL is asked when its retransmission is due. What
arrives is never trusted: what is no DTLS, what is no certificate of the far end, what comes after
the end changes nothing but our answer to it. The certificate is told by its digest, which SDP
brought (RFC 5763 §5), not by any authority.
"""

import contextlib
import datetime as dt
import hashlib
import secrets

from msgspec import Struct

from firmware.base.suites import SUITES, Keys

_LABEL = b"EXTRACTOR-dtls_srtp"
"""RFC 5764 §4.2."""
_MTU = 1200
_RECORD = 13
"""Octets of a record header, the last two its length (RFC 6347 §4.1)."""
_HANDSHAKE_TYPES = range(20, 23)
"""Change of cipher, alert, handshake; nobody has data to send here."""
_LARGEST = 1 << 14
_LIFE = dt.timedelta(days=3650)


class Identity(Struct, frozen=True):
    """A certificate made for this run of the program; `fingerprint` as SDP has it."""

    context: object
    fingerprint: str

    def __repr__(self) -> str:
        """Without the context."""
        return f"Identity({self.fingerprint})"


def make_identity() -> Identity:
    """A key, its certificate, and OpenSSL ready to use them: a tenth of a second, off the loop.

    Raises:
        ImportError: pyOpenSSL is not there.
    """
    from cryptography import x509  # noqa: PLC0415 - 20 MB that only DTLS needs
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from OpenSSL import SSL  # noqa: PLC0415 - as above

    key = ec.generate_private_key(ec.SECP256R1())
    # RFC 5763 §8: a name in it would only tell who we are.
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
    # The clock of a phone may not be set yet, and nobody looks at these.
    begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + 5 * _LIFE)
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    # Its digest is compared after the handshake; here any certificate will do, but one there is.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.set_tlsext_use_srtp(":".join(suite.dtls for suite in SUITES.values()).encode())
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES")
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    return Identity(context, f"sha-256 {digest}")


class Association:
    """A handshake with the far end of one stream; the active side begins with `start`."""

    def __init__(
        self, identity: Identity, prints: tuple[tuple[str, bytes], ...], *, active: bool
    ) -> None:
        from OpenSSL import SSL  # noqa: PLC0415 - loaded by whoever made the identity

        self._ssl = SSL
        assert isinstance(identity.context, SSL.Context)
        self._connection = SSL.Connection(identity.context)
        self._connection.set_ciphertext_mtu(_MTU)
        self._active = active
        self._prints = prints
        self._out: list[bytes] = []
        self.keys: Keys | None = None
        self.unanswered = False
        """Whether that is only because nobody answered."""
        self.failure = ""
        """Why it came to nothing, a clause; "" while it has not."""
        if active:
            self._connection.set_connect_state()
        else:
            self._connection.set_accept_state()

    @property
    def over(self) -> bool:
        """Whether there are keys, or never will be."""
        return self.keys is not None or bool(self.failure)

    def start(self) -> None:
        """Say hello, if that is our part."""
        if self._active:
            self._go_on()

    def feed(self, datagram: bytes) -> None:
        """Take what may be DTLS."""
        if self.failure or not self._looks_right(datagram):
            return
        self._connection.bio_write(datagram)
        if self.keys is None:
            self._go_on()
        else:
            self._listen_on()

    def next_timer(self) -> float | None:
        """Seconds until OpenSSL wants to send again what was lost; None: nothing is under way."""
        if self.over:
            return None
        left: float | None = self._connection.DTLSv1_get_timeout()
        return left

    def fire(self) -> None:
        """That time has passed (RFC 6347 §4.2.4)."""
        if not self.over:
            try:
                self._connection.DTLSv1_handle_timeout()
            except self._ssl.Error:
                self.give_up()
            self._collect()

    def give_up(self) -> None:
        """Nobody waits any longer."""
        if not self.over:
            self.unanswered = True
            self.failure = "the far end does not answer the handshake"

    def take(self) -> tuple[bytes, ...]:
        """The datagrams that are to be sent now."""
        out, self._out = tuple(self._out), []
        return out

    def _looks_right(self, datagram: bytes) -> bool:
        """RFC 7983 §7, and a first record that is whole: the rest is for OpenSSL to judge."""
        if not _RECORD <= len(datagram) <= _LARGEST or datagram[0] not in _HANDSHAKE_TYPES:
            return False
        return _RECORD + int.from_bytes(datagram[11:13]) <= len(datagram)

    def _go_on(self) -> None:
        try:
            self._connection.do_handshake()
        except self._ssl.WantReadError:
            pass
        except self._ssl.Error:
            self.failure = "the handshake failed"
        else:
            self._finish()
        self._collect()

    def _listen_on(self) -> None:
        """The far end may have missed our last flight; anything else says nothing to us."""
        with contextlib.suppress(self._ssl.Error):
            self._connection.recv(_LARGEST)
        self._collect()

    def _collect(self) -> None:
        """What OpenSSL wants sent; its memory forgets where one datagram ended."""
        try:
            octets = self._connection.bio_read(1 << 16)
        except self._ssl.Error:
            return
        self._out += datagrams_of(octets)

    def _finish(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or not self._proved(_der(certificate)):
            self.failure = "the far end's certificate is not the one it announced"
            return
        profile = self._connection.get_selected_srtp_profile().decode()
        suite = next((name for name, row in SUITES.items() if row.dtls == profile), None)
        if suite is None:
            self.failure = "the far end chose no way to encrypt"
            return
        self.keys = self._exported(suite)

    def _proved(self, der: bytes) -> bool:
        """RFC 5763 §5: the certificate is one that SDP announced."""
        return any(
            hashlib.new(name.replace("-", ""), der).digest() == digest
            for name, digest in self._prints
        )

    def _exported(self, suite: str) -> Keys:
        """RFC 5764 §4.2: client key, server key, client salt, server salt."""
        row = SUITES[suite]
        octets = self._connection.export_keying_material(_LABEL, 2 * row.octets, None)
        keys, salts = octets[: 2 * row.key], octets[2 * row.key :]
        client = keys[: row.key] + salts[: row.salt]
        server = keys[row.key :] + salts[row.salt :]
        return Keys(suite, client, server) if self._active else Keys(suite, server, client)


def _der(certificate: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - it is loaded

    octets: bytes = certificate.public_bytes(Encoding.DER)  # type: ignore[attr-defined]
    return octets


def datagrams_of(octets: bytes) -> list[bytes]:
    """Records one after the other as datagrams that fit on the way."""
    found: list[bytes] = []
    start = 0
    while start + _RECORD <= len(octets):
        end = start + _RECORD + int.from_bytes(octets[start + 11 : start + 13])
        record = octets[start:end]
        if found and len(found[-1]) + len(record) <= _MTU:
            found[-1] += record
        else:
            found.append(record)
        start = end
    return found
