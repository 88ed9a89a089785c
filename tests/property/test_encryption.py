"""Whatever arrives where keys are agreed on or used: it is taken, or it is nothing."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.base.suites import SUITES, Keys
from firmware.call.negotiation import Negotiation, Refused
from firmware.call.secrecy import Material, secrecy_of
from firmware.net.dtls import Association, make_identity
from firmware.rtp.srtp import Guard
from firmware.sdp.crypto import parse
from firmware.sdp.description import Format
from firmware.sdp.negotiate import Capabilities

PHONE = Capabilities((Format(0, "PCMU", 8000),))
SUITE = st.sampled_from(tuple(SUITES))
WORDS = st.one_of(
    SUITE,
    st.binary(max_size=50).map(lambda octets: "inline:" + base64.b64encode(octets).decode()),
    st.sampled_from(["1", "2^31", "|1:4", "inline:", "UNENCRYPTED_SRTP", "WSH=64", "-X", ";", "|"]),
    st.text(max_size=12),
)
LINES = st.lists(WORDS, max_size=6).map(" ".join)
VALUES = st.one_of(
    LINES, st.sampled_from(["actpass", "active", "sha-256 AA", "sha-256 " + "A" * 64])
)
ATTRIBUTES = st.lists(
    st.tuples(st.sampled_from(["crypto", "fingerprint", "setup", "rtcp-mux"]), VALUES), max_size=6
)
PROFILES = st.sampled_from(["RTP/AVP", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/AVPF"])
POLICIES = st.sampled_from(["off", "prefer", "require"])
WAYS = st.sampled_from(["auto", "sdes", "dtls"])
IDENTITY = make_identity()


def call(srtp, ways, fill=b"s"):
    material = Material(fill * 32, IDENTITY.fingerprint)
    secrecy = secrecy_of(srtp, ways, material, protected=True, emergency=False)
    return Negotiation.open(PHONE, "192.0.2.1", 4000, 7, secrecy)


def described(profile, attributes):
    rows = "".join(f"a={name}:{value}\r\n" for name, value in attributes)
    head = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    return f"{head}m=audio 5000 {profile} 0\r\n{rows}".encode("utf-8", "replace")


@given(LINES)
def test_a_crypto_line_is_read_or_is_none(line):
    found = parse(line)
    if found is not None:
        assert len(found.key) == SUITES[found.suite].octets


@given(POLICIES, WAYS, PROFILES, ATTRIBUTES)
def test_any_offer_is_answered_within_the_policy_or_refused_in_words(srtp, ways, profile, rows):
    result = call(srtp, ways).answer(described(profile, rows), held=False)
    if isinstance(result, Refused):
        assert result.why
        return
    after, _ = result
    encrypted = after.media.keying is not None
    assert encrypted or (srtp != "require" and "SAVP" not in profile)
    assert not (encrypted and srtp == "off")


@given(POLICIES, WAYS, PROFILES, ATTRIBUTES)
def test_any_answer_is_taken_within_the_policy_or_refused_in_words(srtp, ways, profile, rows):
    offered, _ = call(srtp, ways).make_offer(held=False)
    after = offered.take_answer(described(profile, rows))
    if isinstance(after, Refused):
        assert after.why
        return
    encrypted = after.media.keying is not None
    assert encrypted or srtp != "require"
    assert not (encrypted and srtp == "off")


@given(WAYS, PROFILES, ATTRIBUTES)
def test_a09_nothing_makes_an_encrypted_call_plain(ways, profile, rows):
    offered, offer = call("prefer", ways).make_offer(held=False)
    _, answer = call("prefer", ways, b"t").answer(offer, held=False)
    up = offered.take_answer(answer)
    assert up.media.keying is not None
    result = up.answer(described(profile, rows), held=False)
    assert isinstance(result, Refused) or result[0].media.keying is not None
    again, _ = up.make_offer(held=True)
    after = again.take_answer(described(profile, rows))
    assert isinstance(after, Refused) or after.media.keying is not None


@given(SUITE, st.binary(max_size=200), st.integers(0, 20))
def test_a10_no_datagram_is_heard_that_nobody_sealed(suite, noise, mki):
    key = b"k" * SUITES[suite].octets
    guard = Guard()
    guard.use(Keys(suite, key, key[::-1], mki))
    for datagram in (noise, b"\x80" + noise, b"\x80\x00" + noise, b"\x80\xc8" + noise):
        assert guard.open(datagram) is None
        assert guard.open_control(datagram) is None


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=80), max_size=4), st.booleans())
def test_p02_no_datagram_breaks_a_handshake_of_ours(noise, active):
    association = Association(IDENTITY, (("sha-256", b"\0" * 32),), active=active)
    association.start()
    for data in noise:
        for first in (b"", b"\x16\xfe\xff", b"\x16\xfe\xfd" + bytes(8) + len(data).to_bytes(2)):
            association.feed(first + data)
            association.take()
    assert association.keys is None
