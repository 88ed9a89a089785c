"""Passwords asked of those who call us."""

import pytest

from firmware.base.tokens import Tokens
from firmware.sip.digest import Algorithm, Challenge, Qop, answer, parse_challenges
from firmware.sip.gatekeeper import Gatekeeper


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


@pytest.mark.parametrize("which", [0, 1])
def test_the_right_password_opens_with_either_algorithm(gate, claim, which):
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
    assert ["SHA-256" in row for row in rows] == [True, False]
    assert not any("stale" in row for row in rows)
