"""`deskphone check` looks into certificates (F27)."""

import pytest

from firmware import cli_check
from tests.support.certificates import Authority

LINE = '[[line]]\nuser = "101"\nserver = "127.0.0.1"\ntransport = "tls"\n[line.tls]\n'
DOOR = '[[line]]\nuser = "101"\nserver = "127.0.0.1"\n[network.tls]\n'


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


@pytest.fixture
def said(tmp_path, capsys):
    """What is said of certificates in a file with these rows."""

    def check(begin, **rows):
        file = tmp_path / "deskphone.toml"
        file.write_text(begin + "".join(f'{key} = "{value}"\n' for key, value in rows.items()))
        assert cli_check.check(file) == 0
        lines = capsys.readouterr().out.splitlines()
        return [line.partition("tls.")[2] for line in lines if "tls." in line]

    return check


@pytest.mark.parametrize("begin", [LINE, DOOR], ids=["line", "door"])
def test_a_good_one_needs_no_words(said, office, begin):
    good = office.issue("DNS:phone.example")
    assert said(begin, ca=office.file, cert=good.cert, key=good.key) == []


@pytest.mark.parametrize("begin", [LINE, DOOR], ids=["line", "door"])
def test_f27_one_that_ends_within_a_month_is_told(said, office, begin):
    soon = office.issue("DNS:phone.example", ends=9.5)
    words = f"cert: {soon.cert} is good for 9 days more: renew it"
    assert said(begin, cert=soon.cert, key=soon.key) == [words]


def test_a_key_that_does_not_fit_is_told(said, office):
    one, other = office.issue(), office.issue()
    (found,) = said(LINE, cert=one.cert, key=other.key)
    assert found.startswith("cert: no secure link with this: ")
    assert found.endswith("key values mismatch")


def test_an_authority_that_is_none_is_told(said, tmp_path):
    nothing = tmp_path / "ca.pem"
    nothing.write_text("hello")
    (found,) = said(LINE, ca=nothing)
    assert found.startswith("ca: no secure link with this: ca.pem: ")
