"""SHA-512/256 of our own, judged by known answers and by OpenSSL."""

import hashlib

import pytest

from firmware.sip.auth import digest
from firmware.sip.auth.digest import Algorithm
from firmware.sip.auth.sha512_256 import sha512_256


@pytest.mark.parametrize(
    ("text", "right"),
    [
        # FIPS 180-4, the examples of NIST for SHA-512/256.
        (b"abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        (
            (
                b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                b"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"
            ),
            "3928e184fb8690f840da3988121d31be65cb9d3ef83ee6146feac861e19b563a",
        ),
    ],
)
def test_known_answers(text, right):
    assert sha512_256(text) == right


@pytest.mark.parametrize("size", [0, 1, 111, 112, 113, 127, 128, 129, 500])
def test_every_way_to_fill_a_block(size):
    if "sha512_256" not in hashlib.algorithms_available:
        pytest.skip("this OpenSSL has no SHA-512/256 to compare with")
    text = bytes(at % 251 for at in range(size))
    assert sha512_256(text) == hashlib.new("sha512_256", text).hexdigest()


def test_a_python_without_openssl_answers_all_the_same(monkeypatch):
    """RFC 8760 §2.2"""
    monkeypatch.setattr(digest.hashlib, "algorithms_available", set())
    assert Algorithm.SHA_512_256.digest(b"abc").startswith("53048e2681941ef9")
