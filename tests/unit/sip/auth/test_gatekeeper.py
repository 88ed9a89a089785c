"""Passwords asked of those who call us."""

import pytest

from firmware.base.tokens import Tokens
from firmware.base.values import replace
from firmware.sip.auth.digest import Algorithm, Challenge, Qop, answer, parse_challenges
from firmware.sip.auth.gatekeeper import Gatekeeper


@pytest.fixture
def gate():
    return Gatekeeper("lab", {"101": "secret"}, Tokens(b"0123456789abcdef"))


@pytest.fixture
def claim(gate, sip):
    """A REGISTER with an answer to the gate's challenge of a moment."""

    def claim(at=1000.0, which=0, user="101", password="secret"):  # noqa: S107 - a test
        request = sip.request("REGISTER", "sip:lab")
        rows = [value for _, value in gate.challenges(request, at)]
        chosen = parse_challenges(rows)[which]
        text = answer(chosen, user, password, "REGISTER", "sip:lab", b"", "c", 1)
        request.headers.add("Authorization", text)
        return request

    return claim


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_right_password_opens_with_any_algorithm(gate, claim, which):
    assert gate.admits(claim(which=which), 1100.0) == "101"


def test_a_wrong_password_an_unknown_user_and_nothing_do_not(gate, claim, sip):
    assert gate.admits(claim(password="guess"), 1000.0) is None
    assert gate.admits(claim(user="102"), 1000.0) is None
    assert gate.admits(sip.request("REGISTER", "sip:lab"), 1000.0) is None


def test_an_old_nonce_is_stale(gate, claim):
    request = claim()
    assert gate.admits(request, 1400.0) is None
    assert all("stale=true" in value for _, value in gate.challenges(request, 1400.0))


@pytest.mark.parametrize("nonce", ["3e8.00", "rubbish", "", "3e8", "-1.00", "\udcff.1"])
def test_a_made_up_nonce_opens_nothing_even_with_the_right_password(gate, sip, nonce):
    request = sip.request("REGISTER", "sip:lab")
    forged = Challenge("lab", nonce, Algorithm.SHA_256, Qop.AUTH)
    text = answer(forged, "101", "secret", "REGISTER", "sip:lab", b"", "c", 1)
    request.headers.add("Authorization", text)
    assert gate.admits(request, 1000.0) is None


def test_another_realm_opens_nothing(gate, sip):
    request = sip.request("REGISTER", "sip:lab")
    other = Challenge("other", "n", Algorithm.SHA_256, Qop.AUTH)
    text = answer(other, "101", "secret", "REGISTER", "sip:lab", b"", "c", 1)
    request.headers.add("Authorization", text)
    assert gate.admits(request, 1000.0) is None


def test_the_better_algorithm_is_offered_first(gate, sip):
    rows = [value for _, value in gate.challenges(sip.request("REGISTER", "sip:lab"), 0.0)]
    algorithms = [each.algorithm for each in parse_challenges(rows)]
    assert algorithms == [Algorithm.SHA_512_256, Algorithm.SHA_256, Algorithm.MD5]
    assert not any("stale" in row for row in rows)


def authorised(gate, sip, at, count=1, *, nonce="", qop=Qop.AUTH, body=b"", **more):
    """A MESSAGE with an answer to a challenge, new unless `nonce` names an old one."""
    request = sip.request("MESSAGE", "sip:lab", body=body)
    rows = [value for _, value in gate.challenges(request, at)]
    chosen = replace(parse_challenges(rows)[0], qop=qop, **more)
    chosen = replace(chosen, nonce=nonce or chosen.nonce)
    text = answer(chosen, "101", "secret", "MESSAGE", "sip:lab", body, "c", count)
    request.headers.add("Authorization", text)
    return request, chosen.nonce


def test_credentials_that_were_overheard_open_nothing(gate, sip):
    """RFC 7616 §3.4, §5.10: each use of a nonce has a higher count than the last."""
    request, nonce = authorised(gate, sip, 1000.0)
    assert gate.admits(request, 1000.0) == "101"
    assert gate.admits(request, 1001.0) is None
    again, _ = authorised(gate, sip, 1001.0, 2, nonce=nonce)
    assert gate.admits(again, 1001.0) == "101"
    earlier, _ = authorised(gate, sip, 1002.0, 1, nonce=nonce)
    assert gate.admits(earlier, 1002.0) is None
    assert all("stale=true" in value for _, value in gate.challenges(earlier, 1002.0))


def test_credentials_without_count_are_not_taken(gate, sip):
    request, _ = authorised(gate, sip, 1000.0, qop=None)
    assert gate.admits(request, 1000.0) is None


def test_with_integrity_a_changed_body_is_noticed(gate, sip):
    """RFC 7616 §3.4.3: auth-int covers the body."""
    request, _ = authorised(gate, sip, 1000.0, qop=Qop.AUTH_INT, body=b"pay 10")
    assert gate.admits(request, 1000.0) == "101"
    request, _ = authorised(gate, sip, 1000.0, qop=Qop.AUTH_INT, body=b"pay 10")
    request.body = b"pay 99"
    assert gate.admits(request, 1000.0) is None


def test_a_hashed_user_name_is_found_among_the_users(gate, sip):
    """RFC 7616 §3.4.4: nobody on the way reads who it is."""
    request, _ = authorised(gate, sip, 1000.0, userhash=True)
    assert '"101"' not in request.headers.get("Authorization")
    assert gate.admits(request, 1000.0) == "101"


def test_two_callers_at_once_have_two_nonces(gate, sip):
    ours, theirs = authorised(gate, sip, 1000.0), authorised(gate, sip, 1000.0)
    assert ours[1] != theirs[1]
    assert gate.admits(ours[0], 1000.0) == gate.admits(theirs[0], 1000.0) == "101"


def test_ten_thousand_nonces_are_kept_few_and_the_forgotten_open_nothing(gate, sip):
    first, _ = authorised(gate, sip, 1000.0)
    assert gate.admits(first, 1000.0) == "101"
    for number in range(10_000):
        at = 1000.0 + number / 100
        request, _ = authorised(gate, sip, at)
        assert gate.admits(request, at) == "101" or at % 1 < 0.5
        assert len(gate) <= 2000
    assert gate.admits(first, 1100.0) is None
    last, _ = authorised(gate, sip, 2000.0)
    assert gate.admits(last, 2000.0) == "101"
    assert len(gate) == 1


def test_a_proxy_on_the_way_may_have_changed_the_request_uri(gate, sip):
    """RFC 3261 §16.6: the credentials still name the one that the caller wrote."""
    request, _ = authorised(gate, sip, 1000.0)
    request.uri = "sip:contact@192.0.2.1"
    assert gate.admits(request, 1000.0) == "101"
