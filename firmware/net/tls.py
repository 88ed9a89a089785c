"""TLS on one connection, without its socket, and the contexts that lines ask for.

`ssl` decides whether a certificate is signed, valid and for this use (RFC 5280); whether it is the
right one is decided by `sip.route.certificates`. Older than TLS 1.2 is refused, on both sides.
This module is imported, and its contexts are made, in a thread: reading the authorities of a system
takes longer than the loop may stand still. So are handshakes, one step after the other: signing
with a long key does too.

A connection that is made again takes up the session of the last one, for an hour at most and not
beyond the end of the certificate it stands for: a resumed session is not asked for a certificate
again. Nobody is asked whether a certificate was revoked, neither by list nor by OCSP: a phone has
no list of its authority's, and to ask a server of it before each connection would make calls depend
on one server more. Who must lock a server out changes the authority.
"""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from firmware.net.clock import synchronised
from firmware.net.link_error import LinkError
from firmware.sip.flow import TlsTerms
from firmware.sip.notifications import FailureCause
from firmware.sip.route.certificates import first_of, subject_of, valid_until

Cause = FailureCause
_MOST_READ: Final = 65536
_LONGEST_SESSION: Final = 3600
# x509_vfy.h: what OpenSSL says of a certificate it does not accept.
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_VERDICTS: Final = {
    _NOT_YET_VALID: Cause.CERT_NOT_YET,
    _EXPIRED: Cause.CERT_EXPIRED,
    _SELF_SIGNED: Cause.CERT_SELF_SIGNED,
}
_TOO_OLD: Final = frozenset(
    {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION"}
)
_WANTS_CERT: Final = frozenset(
    {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_NO_CERTIFICATE",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    }
)
_OURS_REFUSED: Final = frozenset(
    {
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "TLSV1_ALERT_ACCESS_DENIED",
    }
)


class Context(Struct, frozen=True):
    """What a connection is made with; `own_until` is when our own certificate ends."""

    ssl: ssl.SSLContext
    terms: TlsTerms
    own_until: float | None = None


def client_context(terms: TlsTerms) -> Context:
    """For connections that a line opens. Reads files: not for the loop.

    Raises:
        LinkError: a file of the line cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False  # RFC 5922 §7.2 knows no wildcards: the name is our own business
    made.verify_mode = ssl.CERT_REQUIRED if terms.verify else ssl.CERT_NONE
    return _filled(made, terms)


def server_context(terms: TlsTerms) -> Context:
    """For connections that somebody opens to us; with `ca` they may show a certificate of it.

    Raises:
        LinkError: the certificate or its key cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # RFC 5923 §9.2: ask; who has none is not turned away for that.
    made.verify_mode = ssl.CERT_OPTIONAL if terms.ca else ssl.CERT_NONE
    return _filled(made, terms)


def _filled(made: ssl.SSLContext, terms: TlsTerms) -> Context:
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if terms.ca:
        # What a person names is trusted, also if it is no root.
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with _about(terms.ca):
            made.load_verify_locations(cafile=terms.ca)
    elif made.verify_mode is not ssl.CERT_NONE:
        made.load_default_certs()
    if not terms.cert:
        return Context(made, terms)
    with _about(terms.cert):
        until = valid_until(first_of(Path(terms.cert).read_bytes())).timestamp()
    with _about(terms.key or terms.cert):
        # A key with a password would ask for it on the terminal.
        made.load_cert_chain(terms.cert, terms.key or None, password=_no_password)
    return Context(made, terms, until)


def _no_password() -> str:
    raise ValueError("the key has a password")


@contextlib.contextmanager
def _about(file: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        # OpenSSL's own word, e.g. KEY_VALUES_MISMATCH, is the best there is.
        said = (error.reason or "NOT USABLE").replace("_", " ").lower()
        raise LinkError(Cause.TLS_OWN_FILES, f"{Path(file).name}: {said}") from error
    except OSError as error:
        raise LinkError(Cause.TLS_OWN_FILES, f"{Path(file).name}: {error.strerror}") from error
    except ValueError as error:
        raise LinkError(Cause.TLS_OWN_FILES, f"{Path(file).name}: {error}") from error


class Ticket(Struct, frozen=True):
    """A session to take up, until a moment in seconds since 1970."""

    session: ssl.SSLSession
    until: float


class TlsLayer:
    """TLS on one connection: ciphered octets on one side, plain ones on the other."""

    def __init__(
        self,
        context: Context,
        name: str = "",
        *,
        server: bool = False,
        clock_is_set: Callable[[], bool] = synchronised,
        session: ssl.SSLSession | None = None,
        keep: Callable[[Ticket], None] | None = None,
    ) -> None:
        """`name` is the domain that the far end must be, for a client.

        `session` is of an earlier connection; `keep` gets the one of this.
        """
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._context = context
        self._name = name
        self._server = server
        self._clock_is_set = clock_is_set
        self._keep = keep
        self._object = context.ssl.wrap_bio(
            *(self._in, self._out),
            server_side=server,
            server_hostname=None if server else name,
            session=session,
        )
        self.ready = False
        self.ended = False

    @property
    def domains(self) -> tuple[str, ...]:
        """The verified identities of the far end; none if it showed no certificate."""
        found = self._object.getpeercert() if self.ready else None
        return (
            subject_of(found.get("subjectAltName"), found.get("subject")).domains if found else ()
        )

    @property
    def resumed(self) -> bool:
        """Whether the handshake took up an earlier session."""
        return bool(self._object.session_reused)

    def begin(self) -> None:
        """A client speaks first."""
        if not self._server:
            self._shake_hands()

    def feed(self, data: bytes) -> bytes:
        """What arrived, deciphered; empty while the handshake goes on.

        Raises:
            LinkError: the far end is not whom we want, refuses us, or speaks no TLS.
        """
        self._in.write(data)
        if not self.ready:
            self._shake_hands()
        return self._read() if self.ready else b""

    def wrap(self, data: bytes) -> None:
        """Encipher."""
        self._object.write(data)

    def take(self) -> bytes:
        """The octets for the socket."""
        return self._out.read()

    def end(self) -> None:
        """Say that nothing more comes (RFC 5923 §8.3)."""
        if self.ready:
            with contextlib.suppress(ssl.SSLError):
                self._object.unwrap()

    def _shake_hands(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise self._refused(error) from error
        if not self._server and self._context.terms.verify:
            self._check_name()
        self.ready = True

    def _read(self) -> bytes:
        plain = []
        try:
            while piece := self._object.read(_MOST_READ):
                plain.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self.ended = True
        except ssl.SSLError as error:
            # With TLS 1.3 a server judges our certificate after the handshake.
            raise self._refused(error) from error
        if plain:
            self._keep_session()
        return b"".join(plain)

    def _keep_session(self) -> None:
        """Once the far end has said something: with TLS 1.3 its tickets have come by then."""
        keep, self._keep = self._keep, None
        session = self._object.session if keep is not None else None
        if keep is None or session is None or not session.has_ticket:
            return
        until = session.time + min(session.timeout, _LONGEST_SESSION)
        found = self._object.getpeercert()
        if found:
            ends = str(found.get("notAfter", ""))
            until = min(until, ssl.cert_time_to_seconds(ends)) if ends else until
        keep(Ticket(session, until))

    def _check_name(self) -> None:
        """RFC 5922 §7.3: the connection is closed at once if the domain is another."""
        found = self._object.getpeercert() or {}
        subject = subject_of(found.get("subjectAltName"), found.get("subject"))
        if not subject.speaks_for(self._name):
            raise LinkError(Cause.CERT_NAME, subject.shown)

    def _refused(self, error: ssl.SSLError) -> LinkError:
        """OpenSSL's verdict as a cause."""
        reason = error.reason or str(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            cause = _VERDICTS.get(error.verify_code, Cause.CERT_UNTRUSTED)
            if cause is Cause.CERT_NOT_YET and not self._clock_is_set():
                cause = Cause.CLOCK_NOT_SET
            return LinkError(cause, error.verify_message)
        if reason in _TOO_OLD:
            return LinkError(Cause.TLS_TOO_OLD, "its TLS is too old")
        return self._refused_us(reason)

    def _refused_us(self, reason: str) -> LinkError:
        if self._context.own_until is not None and reason in _OURS_REFUSED:
            return LinkError(Cause.TLS_FAILED, "our certificate is not accepted")
        # TLS 1.2 has no word of its own for this: a server that had shown its own certificate
        # and agreed on a cipher, and then gives up, misses ours.
        agreed = reason == "SSLV3_ALERT_HANDSHAKE_FAILURE" and self._object.cipher() is not None
        if self._context.own_until is None and (reason in _WANTS_CERT or agreed):
            return LinkError(Cause.TLS_WANTS_CERT, "it wants a certificate of ours")
        if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING"):
            return LinkError(Cause.TLS_FAILED, "it speaks no TLS on this port")
        return LinkError(Cause.TLS_FAILED, reason.replace("_", " ").lower())
