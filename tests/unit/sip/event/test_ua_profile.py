"""ua-profile: nothing but the address of a profile (RFC 6080)."""

import pytest

from firmware.sip.event.package import BodyError
from firmware.sip.event.ua_profile import Profile, ProfileReader

EXTERNAL = 'message/external-body; access-type="URL"; URL="{0}"; expiration="x"'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (EXTERNAL.format("https://p.example/a?b=c"), b"Content-Type: text/plain\r\n\r\n"),
        ("application/url", b"https://p.example/a?b=c\r\n"),
        ("Application/URL;x=y", b" https://p.example/a?b=c"),
    ],
)
def test_a_url_in_either_form(kind, body):
    """RFC 6080 §6.5. RFC 4483: message/external-body."""
    assert ProfileReader().read(kind, body) == Profile("https://p.example/a?b=c")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "javascript:alert(1)",
        "https://",
        "https://user:pw@host/",
        "https://a/b\r\nHost: c",
        "https://a/b c",
        "https://a/" + "b" * 3000,
        "http://\u0430/",
        "",
    ],
)
def test_a16_no_other_scheme_no_tricks(url):
    with pytest.raises(BodyError):
        ProfileReader().read("application/url", url.encode())
    with pytest.raises(BodyError):
        ProfileReader().read(EXTERNAL.format(url), b"")


def test_only_by_url():
    with pytest.raises(BodyError):
        ProfileReader().read('message/external-body;access-type=anon-ftp;URL="https://a/"', b"")
