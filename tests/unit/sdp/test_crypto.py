import base64

import pytest

from firmware.base.suites import SUITES
from firmware.sdp.crypto import Crypto, attribute, lines_of, parse
from firmware.sdp.description import Attribute, Media

CM = "AES_CM_128_HMAC_SHA1_80"
KEY = bytes(range(30))
INLINE = "inline:" + base64.b64encode(KEY).decode()


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_written_can_be_read(suite):
    crypto = Crypto(3, suite, bytes(range(SUITES[suite].octets)))
    written = attribute(crypto)
    assert written.name == "crypto"
    assert parse(written.value) == crypto


def test_the_line_of_the_rfc():
    """RFC 4568 §6.1."""
    line = f"1 {CM} inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32"
    found = parse(line)
    assert (found.tag, found.suite, found.mki) == (1, CM, 32)
    assert len(found.key) == 30


@pytest.mark.parametrize(
    ("line", "mki"),
    [
        (f"1 {CM} {INLINE}", 0),
        (f"1 {CM} {INLINE}|2^31", 0),
        (f"1 {CM} {INLINE}|1048576", 0),
        (f"1 {CM} {INLINE}|1:1", 1),
        (f"1 {CM} {INLINE}|2^48|1:4", 4),
        (f"1 {CM} {INLINE} WSH=128", 0),
        (f"1 {CM} {INLINE} KDR=0 -NEW=3", 0),
        (f"1   {CM}   {INLINE.replace('inline', 'INLINE')}", 0),
        (f"999999999 {CM} {INLINE}", 0),
    ],
)
def test_lines_that_we_can_take(line, mki):
    """RFC 4568 §9.2."""
    found = parse(line)
    assert (found.key, found.mki) == (KEY, mki)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "1",
        f"1 {CM}",
        f"one {CM} {INLINE}",
        f"-1 {CM} {INLINE}",
        f"1234567890 {CM} {INLINE}",
        f"1 F8_128_HMAC_SHA1_80 {INLINE}",
        f"1 {CM} mikey:AAAA",
        f"1 {CM} inline:",
        f"1 {CM} inline:AAAA",
        f"1 {CM} inline:{'A' * 44}",
        f"1 {CM} inline:%%%%{INLINE[11:]}",
        f"1 {CM} {INLINE}|1:0",
        f"1 {CM} {INLINE}|1:129",
        f"1 {CM} {INLINE}|1:x",
        f"1 {CM} {INLINE}|1:4;{INLINE}|2:4",
        f"1 {CM} {INLINE} UNENCRYPTED_SRTP",
        f"1 {CM} {INLINE} UNAUTHENTICATED_SRTP",
        f"1 {CM} {INLINE} UNENCRYPTED_SRTCP",
        f"1 {CM} {INLINE} KDR=24",
        f"1 {CM} {INLINE} FEC_KEY={INLINE}",
        f"1 {CM} inline:é{INLINE[8:]}",
    ],
)
def test_lines_that_are_as_if_they_were_not_there(line):
    """RFC 4568 §6.3.7: an unknown parameter may change how the media must be treated."""
    assert parse(line) is None


def test_the_lines_of_a_medium_in_their_order():
    """RFC 4568 §5.1.2."""
    media = Media(
        "audio",
        4000,
        attributes=(
            Attribute("crypto", f"7 {CM} {INLINE}"),
            Attribute("crypto"),
            Attribute("crypto", "9 NEW inline:AAAA"),
            Attribute("silenceSupp", "off"),
            Attribute("crypto", f"2 AES_CM_128_HMAC_SHA1_32 {INLINE}"),
        ),
    )
    assert [crypto.tag for crypto in lines_of(media)] == [7, 2]


def test_a24_keys_do_not_print():
    assert repr(Crypto(1, CM, KEY)) == f"Crypto(1 {CM})"
