import pytest

from firmware.config.load import parse
from firmware.rtp import srtp
from firmware.runtime.accounts import accounts_of, concern_lines
from firmware.sip.flow import Terms, TlsTerms, Transport
from firmware.sip.names import Barrier

FILE = """
[[line]]
user = "101"
password = "pw"
server = "pbx.example:5070"
name = "desk"
transport = "tcp"
expires = 60
display_name = "Ann"
auth_user = "auth101"
realm = "pbx"
proxy = "edge.example"
peers = ["192.0.2.0/24"]
numbers = ["49301*"]
accept_any_user = true

[[line]]
user = "102"
server = "pbx.example"
register = false

[[line]]
user = "103"
server = "pbx.example"
srtp = "require"
"""


class Identities:
    def contact_user(self, line):
        return f"contact-of-{line}"

    def instance_id(self, line):
        return f"urn:uuid:{line}"

    def card_numbers(self, line):
        return (32, 65) if line == "desk" else ()


def test_lines_become_accounts_with_their_kept_identities():
    desk, second, _ = accounts_of(parse(FILE), Identities())
    assert (desk.line, desk.user, desk.server, desk.password) == (
        *("desk", "101", "pbx.example:5070", "pw"),
    )
    assert (desk.transport, desk.expires, desk.register) == (Transport.TCP, 60, True)
    assert (desk.display_name, desk.auth_user, desk.realm) == ("Ann", "auth101", "pbx")
    assert (desk.proxy, desk.peers, desk.numbers) == (
        *("edge.example", ("192.0.2.0/24",), ("49301*",)),
    )
    assert desk.accept_any_user
    assert (desk.contact_user, desk.instance_id) == ("contact-of-desk", "urn:uuid:desk")
    assert (second.line, second.register) == ("102@pbx.example", False)
    assert (desk.card_numbers, second.card_numbers) == ((32, 65), ())


def test_a_line_that_asks_for_more_security_than_there_is_stays_down(monkeypatch):
    monkeypatch.setattr(srtp, "installed", lambda: False)
    assert [account.user for account in accounts_of(parse(FILE), Identities())] == ["101", "102"]


SECURE = """
[[line]]
user = "101"
server = "pbx.example"
transport = "wss"
ws_path = "/sip"
[line.tls]
ca = "ca.pem"
cert = "own.pem"
key = "own.key"
server_name = "sip.example"
verify = false
"""


def test_what_a_line_asks_of_its_secure_connection_arrives():
    (account,) = accounts_of(parse(SECURE), Identities())
    assert account.transport is Transport.WSS
    assert account.tls == TlsTerms("ca.pem", "own.pem", "own.key", "sip.example", verify=False)
    assert account.terms(Transport.WSS) == Terms("sip.example", account.tls, "/sip")


HOMES = """
[[line]]
user = "101"
server = "ims.example"
proxy = "edge1.example"
proxies = ["edge2.example"]
registrars = ["spare.example"]
aka_k = "465b5ce8b199b49faa5f0a2ee238a6bc"
aka_opc = "cd63cb71954a9f4e48a5994e37a02baf"
"""


def test_further_proxies_registrars_and_a_sim_card_arrive():
    (account,) = accounts_of(parse(HOMES), Identities())
    hops = [str(home.hop) for home in account.homes]
    assert hops == ["sip:edge1.example;lr", "sip:edge2.example;lr", "sip:spare.example"]
    assert account.aka is not None
    assert account.aka.key.hex().startswith("465b5ce8")
    assert account.aka.amf == b"\0\0"


def tree(phone="", line=""):
    board = '[board]\nname = "mock"\n'
    return parse(f'[phone]\n{phone}\n[[line]]\nuser = "101"\nserver = "pbx"\n{line}\n{board}')


@pytest.mark.parametrize(
    ("phone", "line", "news"),
    [
        ("", "", False),
        ("max_calls = 3", "", False),
        ('language = "de"', "", True),
        ('country = "DE"', "", True),
        ('never_sent_to = ["0900*"]', "", True),
        ('may_be_sent_to = ["0900*"]', "", True),
        ('emergency = ["0112"]', "", True),
        ("", "redirects = false", True),
    ],
)
def test_a19_a_change_of_the_rule_reaches_the_stack(phone, line, news):
    """A19: whom others may make us call follows from `[phone]`, not from the lines alone."""
    assert concern_lines(tree(), tree(phone, line)) is news


def test_a19_the_rule_stands_in_every_account():
    settings = tree('country = "DE"\nmay_be_sent_to = ["09001*"]', 'redirect_to = ["*.example"]')
    (account,) = accounts_of(settings, Identities())
    assert account.toll.barrier("090051234567") is Barrier.COSTLY
    assert account.toll.barrier("09001123456") is None
    assert account.leads_to("b.example")
    assert not account.click_to_dial
