import base64

import pytest

from firmware.base.suites import SUITES
from firmware.call.negotiation import Negotiation, Refused
from firmware.call.secrecy import IN_THE_CLEAR, Material, secrecy_of
from firmware.sdp.description import Format
from firmware.sdp.keying import Handshake, Inline
from firmware.sdp.negotiate import Capabilities

PHONE = Capabilities((Format(9, "G722", 8000), Format(0, "PCMU", 8000)))
PRINT = "sha-256 " + ":".join(["AB"] * 32)
OTHER_PRINT = "sha-256 " + ":".join(["CD"] * 32)


def call(srtp="prefer", ways="auto", *, protected=True, seed=b"s" * 32, print_=PRINT, port=40000):
    secrecy = secrecy_of(srtp, ways, Material(seed, print_), protected=protected, emergency=False)
    return Negotiation.open(PHONE, "192.0.2.10", port, 7, secrecy)


def desk(srtp="prefer", **more):
    return call(srtp, **more)


def far(srtp="prefer", **more):
    return call(srtp, **{"seed": b"f" * 32, "print_": OTHER_PRINT, "port": 50000, **more})


def talk(caller, callee):
    """An offer and its answer; both ends, or who refused and why."""
    caller, offer = caller.make_offer(held=False)
    answered = callee.answer(offer, held=False)
    if isinstance(answered, Refused):
        return answered
    callee, body = answered
    caller = caller.take_answer(body)
    return caller if isinstance(caller, Refused) else (caller, callee)


def again(caller, callee, *, held=False):
    """A re-INVITE in a call that is up."""
    caller, offer = caller.make_offer(held=held)
    callee, body = callee.answer(offer, held=False)
    return caller.take_answer(body), callee


def encrypted(ends):
    one, other = ends
    here, there = one.media.keying, other.media.keying
    assert isinstance(here, Inline)
    assert (here.suite, here.ours, here.theirs) == (there.suite, there.theirs, there.ours)
    return here


# What the policies come to


@pytest.mark.parametrize(
    ("here", "there", "result"),
    [
        ("off", "off", "plain"),
        ("off", "prefer", "plain"),
        ("prefer", "off", "plain"),
        ("prefer", "prefer", "encrypted"),
        ("prefer", "require", "encrypted"),
        ("require", "prefer", "encrypted"),
        ("require", "require", "encrypted"),
        ("off", "require", "refused"),
        ("require", "off", "refused"),
    ],
)
@pytest.mark.parametrize("ways", ["auto", "sdes", "dtls"])
def test_two_policies_meet(here, there, result, ways):
    """RFC 8643 §3: encrypted if both can, plain if one need not and the other cannot."""
    ends = talk(desk(here, ways=ways), far(there, ways=ways))
    if result == "refused":
        assert isinstance(ends, Refused)
        return
    kinds = {type(end.media.keying) for end in ends}
    secret = Handshake if ways == "dtls" else Inline
    assert kinds == ({secret} if result == "encrypted" else {type(None)})
    assert all(end.private is (result == "encrypted") for end in ends)


@pytest.mark.parametrize(
    ("srtp", "protected", "ways", "profile", "lines"),
    [
        ("off", True, "auto", b"RTP/AVP", (0, 0)),
        ("prefer", True, "auto", b"RTP/AVP", (4, 0)),
        ("require", True, "auto", b"RTP/SAVP", (4, 0)),
        ("prefer", False, "auto", b"RTP/AVP", (0, 1)),
        ("require", False, "auto", b"UDP/TLS/RTP/SAVP", (0, 1)),
        ("require", False, "sdes", b"RTP/SAVP", (4, 0)),
        ("require", True, "dtls", b"UDP/TLS/RTP/SAVP", (0, 1)),
    ],
)
def test_what_an_offer_says(srtp, protected, ways, profile, lines):
    """RFC 4568 §8.3: keys stand in SDP only where nobody else can read it, or a setting says so."""
    _, offer = desk(srtp, protected=protected, ways=ways).make_offer(held=False)
    assert b"m=audio 40000 " + profile + b" 9" in offer
    assert (offer.count(b"a=crypto:"), offer.count(b"a=fingerprint:")) == lines
    assert offer.count(b"a=setup:actpass") == lines[1]
    assert b"a=rtcp-mux\r\n" in offer


def test_the_refusal_says_why():
    assert talk(desk("require"), far("off")).why == "encryption is switched off for this line"
    assert "takes no other call" in talk(desk("off"), far("require")).why
    why = talk(desk("require", ways="sdes"), far("require", protected=False)).why
    assert why == "the keys came over a connection that others can read"


def test_an_answer_without_keys_ends_a_call_that_requires_them():
    caller, _ = desk("require").make_offer(held=False)
    plain = desk("off", port=50000)
    _, offer = desk("off").make_offer(held=False)
    _, body = plain.answer(offer, held=False)
    assert caller.take_answer(body) == Refused("the answer is not encrypted")


def test_an_emergency_call_is_made_in_any_case():
    secrecy = secrecy_of("require", "auto", Material(b"s" * 32), protected=True, emergency=True)
    urgent = Negotiation.open(PHONE, "192.0.2.10", 40000, 7, secrecy)
    caller, _ = talk(urgent, far("off"))
    assert caller.media.keying is None
    assert not caller.secure


def test_keys_that_others_could_read_are_no_secret():
    """RFC 8643 §4, RFC 4568 §8.3."""
    ends = talk(
        desk("require", ways="sdes", protected=False), far("require", ways="sdes", protected=False)
    )
    assert encrypted(ends)
    assert [end.private for end in ends] == [False, False]
    assert all(end.secure for end in ends)


def test_without_material_there_are_no_keys():
    secrecy = secrecy_of("prefer", "auto", Material(), protected=True, emergency=False)
    _, offer = Negotiation.open(PHONE, "192.0.2.10", 40000, 7, secrecy).make_offer(held=False)
    assert b"crypto" not in offer
    assert b"fingerprint" not in offer


# A9


@pytest.mark.parametrize("ways", ["sdes", "dtls"])
@pytest.mark.parametrize("srtp", ["prefer", "require"])
def test_a09_a_re_invite_in_the_clear_is_refused_and_the_call_is_as_before(srtp, ways):
    caller, callee = talk(desk(srtp, ways=ways), far(srtp, ways=ways))
    _, plain = desk("off").make_offer(held=False)
    refused = callee.answer(plain, held=False)
    assert refused == Refused("the call is encrypted and stays so")
    assert again(caller, callee)[1].media.keying == callee.media.keying


@pytest.mark.parametrize("ways", ["sdes", "dtls"])
def test_a09_our_own_re_invite_answered_in_the_clear_changes_nothing(ways):
    caller, _ = talk(desk(ways=ways), far(ways=ways))
    offered, offer = caller.make_offer(held=True)
    _, body = desk("off", port=50000).answer(offer, held=False)
    assert offered.take_answer(body) == Refused("the call is encrypted and stays so")
    assert offered.take_back().media == caller.media


def test_a09_a_fork_that_was_encrypted_cannot_answer_in_the_clear():
    caller, offer = desk().make_offer(held=False)
    _, early = far().answer(offer, held=False)
    _, plain = far("off").answer(offer, held=False)
    heard = caller.hear_early(early)
    assert isinstance(heard.take_answer(plain), Refused)
    assert caller.take_answer(plain).media.keying is None


def tampered(body, old, new):
    assert old in body
    return body.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a=crypto:1 ", b"a=crypto:2 "),
        (b"a=crypto:1 ", b"a=crypto:9 "),
        (b"a=crypto:1 AEAD_AES_256_GCM", b"a=crypto:1 AES_CM_128_HMAC_SHA1_32"),
        (b"inline:", b"inline:AAAA"),
        (b"a=crypto:1", b"a=crypto:1 NONSENSE inline:AA\r\na=crypto:1"),
    ],
)
def test_an_answer_with_swapped_or_bent_crypto_lines_is_refused(old, new):
    """RFC 4568 §5.1.3: tag and suite must be those of one line of the offer; no silent fallback."""
    caller, offer = desk().make_offer(held=False)
    _, body = far().answer(offer, held=False)
    assert isinstance(caller.take_answer(tampered(body, old, new)), Refused)


def test_our_own_key_sent_back_is_refused():
    """RFC 4568 §7.1.2."""
    caller, offer = desk().make_offer(held=False)
    _, body = far(seed=b"s" * 32).answer(offer, held=False)
    assert caller.take_answer(body) == Refused("the answer sends our own key back")


# Keys of their own


def test_each_direction_suite_and_generation_has_its_own_key():
    """RFC 4568 §6.4."""
    secrecy = desk().secrecy
    keys = [
        key
        for each in (secrecy, secrecy.rekeyed(), far().secrecy)
        for _, key in each.means(None, "").keys
    ]
    assert len({key[:28] for key in keys}) == 3 * len(SUITES)


@pytest.mark.parametrize("suite", SUITES)
def test_the_first_line_of_theirs_that_we_can_is_taken(suite):
    """RFC 4568 §5.1.2."""
    _, offer = desk().make_offer(held=False)
    lines = offer.split(b"\r\n")
    kept = [line for line in lines if b"a=crypto" not in line or suite.encode() in line]
    tag = next(line for line in kept if b"a=crypto" in line).split(b" ")[0]
    after, body = far().answer(b"\r\n".join(kept), held=False)
    assert after.media.keying.suite == suite
    assert tag + b" " + suite.encode() in body
    assert body.count(b"a=crypto") == 1


def test_hold_and_resume_keep_the_keys():
    ends = talk(desk(), far())
    first = encrypted(ends)
    ends = again(*ends, held=True)
    assert encrypted(ends) == first
    assert encrypted(again(*ends)) == first


def test_another_address_of_ours_brings_another_key_of_ours():
    """RFC 4568 §7.1.4."""
    caller, callee = talk(desk(), far())
    first = encrypted((caller, callee))
    moved = again(caller.at("192.0.2.77", 41000), callee)
    second = encrypted(moved)
    assert second.ours != first.ours
    assert second.theirs != first.theirs, "who hears us now may not know our counters"


def test_a_re_key_by_the_far_end_is_followed():
    caller, callee = talk(desk(), far())
    first = encrypted((caller, callee))
    other_key = far(seed=b"x" * 32)
    offered, offer = Negotiation.make_offer(other_key, held=False)
    caller, body = caller.answer(offer, held=False)
    second = encrypted((caller, offered.take_answer(body)))
    assert second.theirs != first.theirs


def test_who_answers_twice_says_the_same():
    caller, callee = talk(desk(), far())
    _, offer = caller.at("192.0.2.77", 41000).make_offer(held=False)
    assert callee.answer(offer, held=False)[1] == callee.answer(offer, held=False)[1]


# DTLS


def test_the_caller_waits_and_the_answerer_begins():
    """RFC 5763 §5."""
    caller, callee = talk(desk(ways="dtls"), far(ways="dtls"))
    assert (caller.media.keying.active, callee.media.keying.active) == (False, True)
    assert caller.media.keying.prints == (("sha-256", b"\xcd" * 32),)
    assert callee.media.keying.prints == (("sha-256", b"\xab" * 32),)


def test_a_later_offer_from_the_other_side_changes_no_role():
    """RFC 5763 §6.6: a change of roles would be another association."""
    caller, callee = talk(desk(ways="dtls"), far(ways="dtls"))
    before = caller.media.keying, callee.media.keying
    callee, caller = again(callee, caller)
    assert (caller.media.keying, callee.media.keying) == before


@pytest.mark.parametrize(("said", "ours"), [("active", False), ("passive", True), ("", False)])
def test_the_role_follows_the_offer(said, ours):
    """RFC 4145 §4: one that does not say is active."""
    _, offer = desk(ways="dtls").make_offer(held=False)
    line = f"a=setup:{said}\r\n".encode() if said else b""
    after, body = far(ways="dtls").answer(tampered(offer, b"a=setup:actpass\r\n", line), held=False)
    assert after.media.keying.active is ours
    assert (b"a=setup:active" in body) is ours


@pytest.mark.parametrize(("said", "ours"), [("active", False), ("passive", True), ("", True)])
def test_our_role_follows_the_answer(said, ours):
    """RFC 4145 §4: one that does not say is passive (RFC 8842 §5.3)."""
    caller, offer = desk(ways="dtls").make_offer(held=False)
    _, body = far(ways="dtls").answer(offer, held=False)
    line = f"a=setup:{said}\r\n".encode() if said else b""
    heard = caller.take_answer(tampered(body, b"a=setup:active\r\n", line))
    assert heard.media.keying.active is ours


@pytest.mark.parametrize("said", ["actpass", "holdconn", "x" * 99])
def test_an_answer_must_choose_its_role(said):
    """RFC 5763 §5: actpass is no answer."""
    caller, offer = desk("require", ways="dtls").make_offer(held=False)
    _, body = far(ways="dtls").answer(offer, held=False)
    refused = caller.take_answer(tampered(body, b"a=setup:active", b"a=setup:" + said.encode()))
    assert "a DTLS role that says" in refused.why


@pytest.mark.parametrize(
    "fingerprint",
    ["sha-1 " + ":".join(["AB"] * 20), "md5 AB", "sha-256 AB:CD", "sha-256 no", "sha-256"],
)
def test_a_weak_fingerprint_proves_nothing(fingerprint):
    """RFC 8122 §5."""
    _, offer = desk("require", ways="dtls").make_offer(held=False)
    refused = far(ways="dtls").answer(
        tampered(offer, PRINT.encode(), fingerprint.encode()), held=False
    )
    assert refused == Refused("no fingerprint by SHA-256 or better")


def test_of_several_fingerprints_the_strong_ones_count():
    _, offer = desk("require", ways="dtls").make_offer(held=False)
    more = tampered(
        offer,
        b"a=fingerprint:",
        b"a=fingerprint:sha-1 " + b":".join([b"01"] * 20) + b"\r\na=fingerprint:",
    )
    after, _ = far(ways="dtls").answer(more, held=False)
    assert after.media.keying.prints == (("sha-256", b"\xab" * 32),)


def test_rtcp_shares_the_port_or_is_not_sent_with_dtls():
    """RFC 5764 §4.2: on a port of its own it would need a handshake of its own."""
    caller, callee = talk(desk(ways="dtls"), far(ways="dtls"))
    assert caller.media.remote_rtcp == caller.media.remote == ("192.0.2.10", 50000)
    _, offer = desk(ways="dtls").make_offer(held=False)
    alone, body = far(ways="dtls").answer(tampered(offer, b"a=rtcp-mux\r\n", b""), held=False)
    assert alone.media.remote_rtcp == ("", 0)
    assert b"rtcp-mux" not in body
    del callee


# RFC 5761


def test_both_ends_share_a_port_for_rtcp():
    """RFC 5761 §5.1.1."""
    for end in talk(desk("off"), far("off")):
        assert end.media.remote_rtcp == end.media.remote


def test_rtcp_has_its_own_port_where_the_far_end_knows_no_other_way():
    """RFC 5761 §5.1.1: without the attribute in the answer RTCP goes to the next port."""
    caller, offer = desk("off").make_offer(held=False)
    _, body = far("off").answer(offer, held=False)
    after = caller.take_answer(tampered(body, b"a=rtcp-mux\r\n", b""))
    assert after.media.remote_rtcp == ("192.0.2.10", 50001)


# Two m= lines


def both(offer):
    """As some do it: the same audio encrypted and, after or before it, in the clear."""
    head, _, audio = offer.partition(b"m=audio")
    secure = b"m=audio" + audio
    plain = b"m=audio 40004 RTP/AVP 9 0\r\n"
    return head + plain + secure


def test_of_two_audio_lines_the_encrypted_one_is_taken():
    _, offer = desk("require").make_offer(held=False)
    after, body = far().answer(both(offer), held=False)
    assert after.media.keying is not None
    assert b"m=audio 0 RTP/AVP" in body
    after, body = far("off").answer(both(offer), held=False)
    assert after.media.keying is None
    assert b"m=audio 0 RTP/SAVP" in body


def test_a24_nothing_of_a_call_prints_its_keys():
    caller, callee = talk(desk(), far())
    secret = caller.media.keying.ours
    written = base64.b64encode(secret).decode()
    for value in (caller, callee, caller.secrecy.means(None, ""), IN_THE_CLEAR):
        assert repr(secret) not in repr(value)
        assert written[:12] not in repr(value)
        assert "ssss" not in repr(value)
    assert repr(Material(b"s" * 32, "sha-256 AB")) == "Material(sha-256 AB)"
