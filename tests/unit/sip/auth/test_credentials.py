"""How often a challenge is answered, and for whom."""

import pytest

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.auth.credentials import Attempts, Keyring
from firmware.sip.auth.digest import Algorithm, Challenge
from firmware.sip.message import Headers, Response

MD5 = 'Digest realm="pbx", nonce="{}", algorithm=MD5, qop="auth"'
SHA = 'Digest realm="pbx", nonce="{}", algorithm=SHA-256, qop="auth"'


@pytest.fixture
def ring():
    return Keyring(Account("desk", "101", "pbx", password="secret"), Tokens(b"0" * 16))


@pytest.fixture
def ask(ring, sip):
    """Send a REGISTER and be challenged; gives whether to send again, and what was sent."""
    attempts = Attempts(ring)

    def ask(*rows, status=401, header="WWW-Authenticate"):
        request = sip.request("REGISTER", "sip:pbx")
        attempts.authorize(request)
        response = Response(status, "", Headers([(header, row) for row in rows]))
        return attempts.challenged(response), request

    return ask


def test_the_stronger_algorithm_is_answered(ask):
    assert ask(MD5.format(1), SHA.format(1))[0]
    _, request = ask(SHA.format(2))
    assert "algorithm=SHA-256" in request.headers.get("Authorization")
    assert len(request.headers.all("Authorization")) == 1


def test_proxy_and_registrar_may_both_ask(ask):
    assert ask(MD5.format(1), status=407, header="Proxy-Authenticate")[0]
    assert ask(MD5.format(2))[0]
    _, request = ask(MD5.format(3) + ", stale=true")
    assert "Authorization" in request.headers
    assert "Proxy-Authorization" in request.headers


def test_two_refused_answers_are_enough_and_then_the_key_is_gone(ask, ring):
    assert [ask(MD5.format(n))[0] for n in range(3)] == [True, True, False]
    assert len(ring) == 0


def test_a_challenge_that_cannot_be_read_is_not_answered(ask):
    assert not ask("Basic realm=x")[0]
    assert not ask("Digest")[0]
    assert not ask()[0]


def test_nobody_without_keyring_answers(sip):
    attempts = Attempts(None)
    request = sip.request("BYE", "sip:a@b")
    attempts.authorize(request)
    assert "Authorization" not in request.headers
    assert not attempts.challenged(Response(401, ""))


def test_a_keyring_keeps_few_realms(ring):
    for number in range(1000):
        ring.keep("Authorization", Challenge(f"realm {number}", "n", Algorithm.MD5))
        assert len(ring) <= 8


def test_each_use_of_a_nonce_is_counted(ring, sip):
    ring.keep("Authorization", Challenge("pbx", "n", Algorithm.MD5))
    for _ in range(3):
        request = sip.request("REGISTER", "sip:pbx")
        ring.authorize(request)
    assert ring.opens("pbx")
