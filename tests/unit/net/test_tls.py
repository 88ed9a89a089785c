"""TLS between two layers that are joined by hand: no socket, real certificates, real OpenSSL."""

import contextlib
import ssl
import subprocess

import pytest

from firmware.net.link_error import LinkError
from firmware.net.tls import TlsLayer, client_context, server_context
from firmware.sip.flow import TlsTerms
from firmware.sip.notifications import FailureCause
from tests.support.certificates import Authority, self_signed

HOST = "office.example"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("elsewhere"), "Somebody Else")


def server(certificate, ca=""):
    terms = TlsTerms(ca=str(ca), cert=str(certificate.cert), key=str(certificate.key))
    return TlsLayer(server_context(terms), server=True)


def client(office, name=HOST, certificate=None, *, verify=True, clock_is_set=True):
    files = (str(certificate.cert), str(certificate.key)) if certificate else ("", "")
    terms = TlsTerms(str(office.file) if office else "", *files, verify=verify)
    return TlsLayer(client_context(terms), name, clock_is_set=lambda: clock_is_set)


def join(one, other):
    """Carry octets both ways until nobody has anything to say; returns what each deciphered."""
    heard = {one: b"", other: b""}
    one.begin()
    other.begin()
    while True:
        forth, back = one.take(), other.take()
        if not forth and not back:
            return heard[one], heard[other]
        if forth:
            heard[other] += other.feed(forth)
        if back:
            heard[one] += one.feed(back)


def join_deaf(phone, pbx):
    """As `join`, but what the server finds wrong only the phone is told."""
    phone.begin()
    for _ in range(6):
        with contextlib.suppress(LinkError):
            pbx.feed(phone.take())
        phone.feed(pbx.take())


def refusal(one, other):
    with pytest.raises(LinkError) as caught:
        join(one, other)
    return caught.value


class TestCarrying:
    def test_a_message_goes_through_and_the_wire_does_not_show_it(self, office):
        phone, pbx = client(office), server(office.issue(f"DNS:{HOST}"))
        join(phone, pbx)
        assert phone.ready
        assert pbx.ready
        phone.wrap(b"REGISTER sip:office.example SIP/2.0")
        wire = phone.take()
        assert b"REGISTER" not in wire
        assert pbx.feed(wire) == b"REGISTER sip:office.example SIP/2.0"

    def test_a_long_message_in_single_octets_arrives_whole(self, office):
        phone, pbx = client(office), server(office.issue(f"DNS:{HOST}"))
        join(phone, pbx)
        message = bytes(range(256)) * 250
        pbx.wrap(message)
        wire = pbx.take()
        assert (
            b"".join(phone.feed(wire[at : at + 997]) for at in range(0, len(wire), 997)) == message
        )

    def test_the_end_is_said_and_heard(self, office):
        # RFC 5923 §8.3
        phone, pbx = client(office), server(office.issue(f"DNS:{HOST}"))
        join(phone, pbx)
        phone.end()
        assert pbx.feed(phone.take()) == b""
        assert pbx.ended


class TestWhoIsThere:
    """RFC 5922 §7.3, and a sentence for each refusal."""

    def test_the_name_asked_for_may_stand_in_a_sip_uri(self, office):
        certificate = office.issue(f"URI:sip:{HOST}", "DNS:web.example")
        phone = client(office)
        join(phone, server(certificate))
        assert phone.domains == (HOST,)

    def test_an_address_is_verified_as_one(self, office):
        join(client(office, "10.0.0.2"), server(office.issue("IP:10.0.0.2")))
        other = refusal(client(office, "10.0.0.3"), server(office.issue("IP:10.0.0.2")))
        assert other.cause is FailureCause.CERT_NAME

    def test_f26_another_name_is_refused_and_told(self, office):
        certificate = office.issue("DNS:other.example", "DNS:more.example")
        phone = client(office)
        error = refusal(phone, server(certificate))
        assert error.cause is FailureCause.CERT_NAME
        assert str(error) == "other.example, more.example"
        assert not phone.ready

    def test_f26_a_wildcard_matches_nothing(self, office):
        error = refusal(client(office), server(office.issue("DNS:*.example")))
        assert error.cause is FailureCause.CERT_NAME

    def test_f26_an_unknown_authority_is_refused(self, office, elsewhere):
        error = refusal(client(office), server(elsewhere.issue(f"DNS:{HOST}")))
        assert error.cause is FailureCause.CERT_UNTRUSTED

    def test_f26_a_self_signed_certificate_is_refused_until_it_is_named(self, office, tmp_path):
        alone = self_signed(tmp_path, HOST)
        assert refusal(client(office), server(alone)).cause is FailureCause.CERT_SELF_SIGNED
        terms = TlsTerms(ca=str(alone.cert))
        join(TlsLayer(client_context(terms), HOST), server(alone))

    def test_f26_an_expired_certificate_is_refused(self, office):
        certificate = office.issue(f"DNS:{HOST}", begins=-30, ends=-1)
        assert refusal(client(office), server(certificate)).cause is FailureCause.CERT_EXPIRED

    @pytest.mark.parametrize(
        ("clock_is_set", "cause"),
        [(True, FailureCause.CERT_NOT_YET), (False, FailureCause.CLOCK_NOT_SET)],
    )
    def test_f11_not_valid_yet_while_nobody_has_set_the_clock_is_the_clocks_fault(
        self, office, clock_is_set, cause
    ):
        certificate = office.issue(f"DNS:{HOST}", begins=2, ends=30)
        phone = client(office, clock_is_set=clock_is_set)
        assert refusal(phone, server(certificate)).cause is cause

    def test_verification_can_be_switched_off(self, office, elsewhere):
        phone = client(office, verify=False)
        join(phone, server(elsewhere.issue("DNS:other.example")))
        assert phone.ready


class TestOldProtocols:
    def test_f26_tls_1_1_is_refused(self, office):
        pbx = server(office.issue(f"DNS:{HOST}"))
        context = pbx._context.ssl
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match=r"TLSv1_1 is deprecated"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        old = TlsLayer(pbx._context, server=True)
        with pytest.raises(LinkError):
            join(client(office), old)
        # What the phone makes of the alert that came back:
        phone = client(office)
        phone.begin()
        phone.take()
        with pytest.raises(LinkError) as caught:
            phone.feed(bytes.fromhex("15030100020246"))
        assert caught.value.cause is FailureCause.TLS_TOO_OLD

    def test_a_port_that_speaks_no_tls_is_named(self, office):
        phone = client(office)
        phone.begin()
        with pytest.raises(LinkError, match="speaks no TLS") as caught:
            phone.feed(b"SIP/2.0 400 Bad Request\r\n\r\n")
        assert caught.value.cause is FailureCause.TLS_FAILED


class TestOurCertificate:
    """Mutual TLS."""

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_a_server_that_wants_one_is_understood(self, office, version):
        certificate = office.issue(f"DNS:{HOST}")
        pbx = server(certificate, office.file)
        pbx._context.ssl.verify_mode = ssl.CERT_REQUIRED
        pbx._context.ssl.maximum_version = version
        pbx = TlsLayer(pbx._context, server=True)
        phone = client(office)
        with pytest.raises(LinkError) as caught:
            join_deaf(phone, pbx)
        assert caught.value.cause is FailureCause.TLS_WANTS_CERT

    def test_ours_is_shown_and_read_by_the_same_rules(self, office):
        # RFC 5922 §7.4
        ours = office.issue("URI:sip:phone.example")
        phone = client(office, certificate=ours)
        pbx = server(office.issue(f"DNS:{HOST}"), office.file)
        join(phone, pbx)
        assert pbx.domains == ("phone.example",)

    def test_who_shows_none_has_no_identity(self, office):
        pbx = server(office.issue(f"DNS:{HOST}"), office.file)
        join(client(office), pbx)
        assert pbx.domains == ()

    def test_one_that_is_not_accepted_is_told(self, office, elsewhere):
        pbx = server(office.issue(f"DNS:{HOST}"), office.file)
        phone = client(office, certificate=elsewhere.issue("DNS:phone.example"))
        with pytest.raises(LinkError) as caught:
            join_deaf(phone, pbx)
        assert caught.value.cause is FailureCause.TLS_FAILED
        assert str(caught.value) == "our certificate is not accepted"


class TestFiles:
    def test_a_missing_file_is_named(self):
        with pytest.raises(LinkError, match=r"gone\.pem: No such file") as caught:
            client_context(TlsTerms(ca="/nowhere/gone.pem"))
        assert caught.value.cause is FailureCause.TLS_OWN_FILES

    def test_a_key_of_another_certificate_is_told(self, office):
        one, other = office.issue(), office.issue()
        with pytest.raises(LinkError, match="key values mismatch"):
            client_context(TlsTerms(cert=str(one.cert), key=str(other.key)))

    def test_a_file_that_holds_no_certificate_is_told(self, tmp_path):
        empty = tmp_path / "empty.pem"
        empty.write_text("hello")
        with pytest.raises(LinkError, match=r"empty\.pem: no certificate in it"):
            client_context(TlsTerms(cert=str(empty)))
        with pytest.raises(LinkError, match=r"empty\.pem: no certificate or crl found"):
            client_context(TlsTerms(ca=str(empty)))

    def test_a_key_with_a_password_asks_nobody(self, office, tmp_path):
        one = office.issue()
        locked = tmp_path / "locked.key"
        words = ["openssl", "ec", "-in", one.key, "-aes128", "-passout", "pass:x", "-out", locked]
        subprocess.run(words, check=True, capture_output=True, timeout=30)
        with pytest.raises(LinkError, match=r"locked\.key: the key has a password"):
            client_context(TlsTerms(cert=str(one.cert), key=str(locked)))
