"""Which names a certificate has, and whether ours is among them (RFC 5922 §7, §7.1, §7.2, §7.3)."""

import ssl
from datetime import UTC, datetime

import pytest

from firmware.sip.route.certificates import Subject, first_of, subject_of, valid_until

NAMES = (
    ("URI", "sip:office.example"),
    ("DNS", "web.example"),
    ("IP Address", "10.0.0.2"),
)


def of(*rows, common=()):
    return Subject(tuple(rows) if rows else None, tuple(common))


class TestIdentities:
    """RFC 5922 §7.1."""

    def test_a_sip_uri_is_the_domain_and_dns_names_beside_it_count_no_more(self):
        assert of(*NAMES).domains == ("office.example",)

    def test_without_a_sip_uri_the_dns_names_are_the_domains(self):
        assert of(("DNS", "a.example"), ("DNS", "b.example")).domains == ("a.example", "b.example")

    @pytest.mark.parametrize(
        "uri",
        [
            "sip:alice@office.example",
            "sip:@office.example",
            "sips:office.example",
            "https://office.example",
            "sip:",
            "sip:[",
        ],
    )
    def test_a_uri_with_a_user_or_another_scheme_names_no_domain(self, uri):
        assert of(("URI", uri)).domains == ()
        assert of(("URI", uri), ("DNS", "web.example")).domains == ("web.example",)

    def test_the_scheme_may_be_in_capitals_and_a_port_says_nothing(self):
        assert of(("URI", "SIP:Office.Example:5061")).domains == ("office.example",)

    def test_the_common_name_counts_only_without_any_subject_alt_name(self):
        assert of(common=["office.example"]).domains == ("office.example",)
        assert Subject((), ("office.example",)).domains == ()
        assert of(("email", "a@b"), common=["office.example"]).domains == ()

    def test_a_common_name_that_is_no_host_name_is_no_domain(self):
        assert of(common=["The Office, Inc.", "", "-a.b"]).domains == ()


class TestComparison:
    """RFC 5922 §7.2."""

    @pytest.mark.parametrize("name", ["office.example", "OFFICE.example", "office.example."])
    def test_case_and_the_final_dot_make_no_difference(self, name):
        assert of(("DNS", "Office.Example")).speaks_for(name)

    @pytest.mark.parametrize(
        ("listed", "asked"),
        [
            ("example.com", "foo.example.com"),
            ("foo.example.com", "example.com"),
            ("*.example.com", "foo.example.com"),
            (".example.com", "foo.example.com"),
            ("*", "example.com"),
        ],
    )
    def test_neither_suffix_nor_wildcard_matches(self, listed, asked):
        assert not of(("DNS", listed)).speaks_for(asked)

    def test_a_certificate_without_identities_speaks_for_nobody(self):
        assert not of().speaks_for("office.example")
        assert not of().speaks_for("")

    def test_a_server_known_by_its_address_needs_that_address(self):
        found = of(*NAMES, ("IP Address", "FD00:0:0:0:0:0:0:1"))
        assert found.speaks_for("10.0.0.2")
        assert found.speaks_for("[fd00::1]")
        assert not found.speaks_for("10.0.0.3")
        # A name that looks like an address is none.
        assert not of(("DNS", "10.0.0.2")).speaks_for("10.0.0.2")


def test_a_person_is_told_whose_certificate_it_is():
    assert of(("DNS", "a.example")).shown == "a.example"
    assert of(*(("DNS", f"{letter}.example") for letter in "abc")).shown == "a.example, b.example …"
    assert of(("IP Address", "10.0.0.2")).shown == "10.0.0.2"
    assert of().shown == "nobody"


@pytest.mark.parametrize("rows", [None, (), "DNS", ((1, 2), ("DNS",), "x", ("DirName", (1,)))])
def test_rows_that_are_none_are_passed_over(rows):
    assert subject_of(rows, rows).domains == ()


def test_what_getpeercert_returns_is_understood():
    subject = ((("countryName", "DE"),), (("commonName", "old.example"),))
    assert subject_of(None, subject).domains == ("old.example",)
    assert subject_of((("DNS", "new.example"),), subject).domains == ("new.example",)


def der(end, *, version=True):
    """A certificate with nothing in it but dates."""

    def element(kind, *parts):
        body = b"".join(parts)
        size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2, "big")
        return bytes([kind]) + size + body

    first = (element(0xA0, element(2, b"\x02")),) if version else ()
    padding = element(0x30, b"\x05\x00" * 100)
    validity = element(0x30, element(0x17, b"260101000000Z"), end(element))
    inner = element(0x30, *first, element(2, b"\x01"), element(0x30), padding, validity)
    return element(0x30, inner)


class TestValidity:
    """RFC 5280 §4.1.2.5."""

    def test_two_digits_are_of_this_century_until_2049(self):
        # RFC 5280 §4.1.2.5.1
        found = valid_until(der(lambda element: element(0x17, b"491231235959Z")))
        assert found == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
        past = valid_until(der(lambda element: element(0x17, b"500101000000Z")))
        assert past.year == 1950

    def test_from_2050_on_there_are_four(self):
        found = valid_until(der(lambda element: element(0x18, b"20500101000000Z"), version=False))
        assert found == datetime(2050, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "octets",
        [
            b"",
            b"\x30",
            b"\x30\x80",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x02\x01\x00",
            b"\x30\x8f" + b"\xff" * 15,
            der(lambda element: element(0x04, b"491231235959Z")),
            der(lambda element: element(0x17, b"tomorrow")),
            der(lambda element: element(0x17, b"\xff\xff")),
        ],
    )
    def test_what_is_no_certificate_is_a_value_error(self, octets):
        with pytest.raises(ValueError):  # noqa: PT011 - any words will do
            valid_until(octets)

    def test_the_first_certificate_of_a_file_is_the_holders(self):
        octets = der(lambda element: element(0x17, b"491231235959Z"))
        pem = ssl.DER_cert_to_PEM_cert(octets)
        assert first_of(b"# words\n" + pem.encode() * 2) == octets
        with pytest.raises(ValueError, match="no certificate"):
            first_of(b"-----BEGIN PRIVATE KEY-----")
