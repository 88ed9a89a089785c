"""Digest authentication against the RFCs' own numbers, and against itself."""

import hashlib
import json
from itertools import product
from pathlib import Path

import pytest

from firmware.sip.auth.digest import (
    Algorithm,
    Challenge,
    Qop,
    answer,
    challenge,
    choose,
    parse_challenges,
    parse_credentials,
    verify,
)

DATA = Path(__file__).parents[3] / "data" / "digest" / "vectors.json"
VECTORS = json.loads(DATA.read_text(encoding="utf-8"))
NAMES = {"md5": "MD5", "sha256": "SHA-256", "sha512_256": "SHA-512-256"}


def reply_to(one: Challenge, user: str = "bob", **changes) -> str:
    wanted = {"method": "REGISTER", "uri": "sip:biloxi.com", "body": b"", "cnonce": "0a4f113b"}
    return answer(one, user, "zanzibar", nonce_count=1, **{**wanted, **changes})


@pytest.mark.parametrize("row", [row for row in VECTORS if "response" in row])
def test_the_published_numbers_come_out(row):
    """The examples of RFC 2617 §3.5 and RFC 7616 §3.9.1 among them."""
    one = Challenge(
        row["realm"],
        row["nonce"],
        Algorithm(NAMES[row["algorithm"]]),
        Qop(row["qop"]) if row["qop"] else None,
    )
    value = answer(
        one,
        row["user"],
        row["password"],
        row["method"],
        row["uri"],
        b"",
        row["cnonce"],
        int(row["nc"], 16),
    )
    claim = parse_credentials(value)
    assert claim.response == row["response"]
    assert verify(value, row["method"], b"", lambda *_: row["password"]) == claim


def test_a_hashed_user_name_is_that_of_the_erratum():
    (row,) = [row for row in VECTORS if "userhash" in row]
    one = Challenge("api@example.org", "n", Algorithm.SHA_512_256, Qop.AUTH, userhash=True)
    value = reply_to(one, "Jäsøn Doe")
    assert f'username="{row["userhash"]}"' in value
    assert value.endswith("userhash=true")


def test_the_row_has_quotes_where_the_rfc_wants_them():
    one = Challenge("biloxi.com", "n0", Algorithm.MD5, Qop.AUTH, opaque="o")
    response = parse_credentials(reply_to(one)).response
    assert reply_to(one) == (
        'Digest username="bob", realm="biloxi.com", nonce="n0", uri="sip:biloxi.com", '
        f'response="{response}", algorithm=MD5, opaque="o", cnonce="0a4f113b", '
        "qop=auth, nc=00000001"
    )


def test_without_qop_no_client_nonce_is_sent():
    """As RFC 2069 had it."""
    value = reply_to(Challenge("biloxi.com", "n0"))
    assert "cnonce" not in value
    assert "nc=" not in value


def test_a_session_key_is_bound_to_both_nonces():
    def sha(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    one = Challenge("r", "n", Algorithm.SHA_256_SESS, Qop.AUTH)
    key = sha(sha("bob:r:zanzibar") + ":n:0a4f113b")
    expected = sha(f"{key}:n:00000001:0a4f113b:auth:" + sha("REGISTER:sip:biloxi.com"))
    assert parse_credentials(reply_to(one)).response == expected


@pytest.mark.parametrize("name", ["md5", "sha256", "sha512_256"])
@pytest.mark.parametrize("session", [False, True])
@pytest.mark.parametrize("qop", [None, Qop.AUTH, Qop.AUTH_INT])
def test_the_formulas_written_apart_come_to_the_same(name, session, qop):
    """RFC 7616 §3.4.1 to §3.4.3 as plain text, hashed by hashlib and by nothing of ours."""

    def sha(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    algorithm = Algorithm(NAMES[name] + ("-sess" if session else ""))
    a1 = sha("bob", "r", "zanzibar")
    if session:
        a1 = sha(a1, "n", "0a4f113b")
    body = hashlib.new(name, b"v=0").hexdigest()
    a2 = sha("INVITE", "sip:a@b", *((body,) if qop is Qop.AUTH_INT else ()))
    expected = sha(a1, "n", "00000001", "0a4f113b", qop.value, a2) if qop else sha(a1, "n", a2)
    value = reply_to(
        Challenge("r", "n", algorithm, qop), method="INVITE", uri="sip:a@b", body=b"v=0"
    )
    assert parse_credentials(value).response == expected


def test_integrity_covers_the_body():
    one = Challenge("r", "n", Algorithm.MD5, Qop.AUTH_INT)
    body = hashlib.md5(b"v=0").hexdigest()  # noqa: S324 - the algorithm under test
    key = hashlib.md5(b"bob:r:zanzibar").hexdigest()  # noqa: S324
    target = hashlib.md5(f"REGISTER:sip:biloxi.com:{body}".encode()).hexdigest()  # noqa: S324
    whole = f"{key}:n:00000001:0a4f113b:auth-int:{target}"
    expected = hashlib.md5(whole.encode()).hexdigest()  # noqa: S324
    value = reply_to(one, body=b"v=0")
    assert parse_credentials(value).response == expected
    assert verify(value, "REGISTER", b"v=0", lambda *_: "zanzibar")
    assert verify(value, "REGISTER", b"v=1", lambda *_: "zanzibar") is None


@pytest.mark.parametrize(
    ("algorithm", "qop"), list(product(Algorithm, [None, Qop.AUTH, Qop.AUTH_INT]))
)
def test_both_ends_agree(algorithm, qop):
    one = Challenge("r", "n", algorithm, qop)
    value = reply_to(one, body=b"x")

    def password_of(user: str, realm: str) -> str | None:
        return {("bob", "r"): "zanzibar"}.get((user, realm))

    assert verify(value, "REGISTER", b"x", password_of).username == "bob"
    assert verify(value, "INVITE", b"x", password_of) is None
    assert verify(value, "REGISTER", b"x", lambda *_: "wrong") is None
    assert verify(value, "REGISTER", b"x", lambda *_: None) is None
    assert verify(value.replace("nonce=", "nonce=x, y="), "REGISTER", b"x", password_of) is None


def test_our_challenge_can_be_read_by_ourselves():
    row = challenge('the "realm"', "n", Algorithm.SHA_256, stale=True)
    assert parse_challenges([row]) == [
        Challenge('the \\"realm\\"', "n", Algorithm.SHA_256, Qop.AUTH, stale=True)
    ]
    assert "stale" not in challenge("r", "n")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('Digest realm="r", nonce="n"', Challenge("r", "n")),
        ('digest  REALM = "r" ,NONCE= "n",', Challenge("r", "n")),
        ("Digest realm=r, nonce=bm9uY2U==", Challenge("r", "bm9uY2U==")),
        ('Digest nonce="n",realm="",opaque=""', Challenge("", "n", opaque="")),
        (
            'Digest realm="r",nonce="n",algorithm="sha-256",qop=auth,stale="TRUE"',
            Challenge("r", "n", Algorithm.SHA_256, Qop.AUTH, stale=True),
        ),
        (
            'Digest realm="r",nonce="n",qop="auth-int, auth",new-thing=7,domain="sip:x"',
            Challenge("r", "n", qop=Qop.AUTH),
        ),
        (
            'Digest realm="r",nonce="n",qop="future,auth-int"',
            Challenge("r", "n", qop=Qop.AUTH_INT),
        ),
        ('Digest realm="r",nonce="n",qop=""', Challenge("r", "n")),
        ('Digest realm="a,b=\\"c\\"", nonce="n"', Challenge('a,b=\\"c\\"', "n")),
        ('Digest realm="r",nonce="n",nonce="other"', Challenge("r", "n")),
        ('Digest realm="r",nonce="n",userhash=true', Challenge("r", "n", userhash=True)),
    ],
)
def test_a_challenge_is_read_however_it_is_quoted(row, expected):
    assert parse_challenges([row]) == [expected]


@pytest.mark.parametrize(
    "row",
    [
        "",
        "Digest",
        "Digest ",
        "Digest realm",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n',
        'Digest realm="r", nonce="n", algorithm=AKAv9-MD5',
        'Digest realm="r", nonce="n", qop="future"',
        'Digest realm="r", nonce="n"; x',
        'Basic realm="r"',
        'Basic realm="r", nonce="n"',
        "Negotiate YII=",
        "NoOneKnowsThisScheme opaque-data=here",
        ',,,="',
        'Digest realm="r", nonce="n"' + ", x=y" * 200,
        '"',
    ],
)
def test_a_challenge_not_understood_is_passed_over(row):
    good = 'Digest realm="good", nonce="n"'
    assert parse_challenges([row, good]) == [Challenge("good", "n")]


def test_several_challenges_may_stand_in_one_row():
    row = 'Digest realm="a", nonce="1", Basic realm="b", Digest realm="c", nonce="2"'
    assert parse_challenges([row]) == [Challenge("a", "1"), Challenge("c", "2")]


MD5, MD5_SESS, SHA, SHA_512 = (
    Challenge("r", "n", algorithm)
    for algorithm in (
        Algorithm.MD5,
        Algorithm.MD5_SESS,
        Algorithm.SHA_256,
        Algorithm.SHA_512_256,
    )
)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], None),
        ([MD5], MD5),
        ([SHA, MD5], SHA),
        ([SHA_512, SHA, MD5], SHA_512),
        ([SHA, SHA_512], SHA),
        ([MD5, SHA], SHA),
        ([MD5_SESS, MD5], MD5_SESS),
    ],
)
def test_the_topmost_challenge_is_taken_but_md5_last(offered, chosen):
    assert choose(offered) == chosen


@pytest.mark.parametrize(
    "change",
    [
        ("Digest", "Basic"),
        ("username", "user"),
        ("realm", "kingdom"),
        ("response", "answer"),
        ("uri=", "url="),
        ("algorithm=MD5", "algorithm=ROT13"),
        ("qop=auth", "qop=none"),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=-0000001"),
        ("nc=00000001", "nc=00000001, userhash=true"),
        ('cnonce="', "cnonce="),
    ],
)
def test_credentials_that_are_malformed_prove_nothing(change):
    value = reply_to(Challenge("r", "n", qop=Qop.AUTH)).replace(*change)
    assert verify(value, "REGISTER", b"", lambda *_: "zanzibar") is None


def test_a_response_in_odd_letters_proves_nothing():
    value = reply_to(Challenge("r", "n"))
    response = parse_credentials(value).response
    for odd in ("ü", "", "\udcff", response[:-1]):
        forged = value.replace(response, odd)
        assert verify(forged, "REGISTER", b"", lambda *_: "zanzibar") is None
    assert verify(value.replace(response, response.upper()), "REGISTER", b"", lambda *_: "zanzibar")


def test_a_user_name_with_quotes_stays_one_name():
    """RFC 7616 §3.4.5: the quotes are taken off and nothing else."""
    value = reply_to(Challenge("r", "n"), user='b"o\\b')
    assert 'username="b\\"o\\\\b"' in value
    assert parse_credentials(value).realm == "r"
