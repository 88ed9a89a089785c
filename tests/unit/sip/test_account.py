"""A line as it is written in the configuration, as SIP needs it."""

import pytest

from firmware.base.values import replace
from firmware.sip.account import Account
from firmware.sip.errors import LocalError
from firmware.sip.flow import Transport


@pytest.mark.parametrize(
    ("server", "transport", "uri", "where"),
    [
        ("pbx.example", Transport.UDP, "sip:pbx.example", "pbx.example by UDP"),
        ("pbx.example:5080", Transport.UDP, "sip:pbx.example:5080", "pbx.example:5080 by UDP"),
        ("192.0.2.9", Transport.TCP, "sip:192.0.2.9;transport=tcp", "192.0.2.9 by TCP"),
        ("[2001:db8::9]:50", Transport.UDP, "sip:[2001:db8::9]:50", "[2001:db8::9]:50 by UDP"),
        ("sip:pbx.example", Transport.UDP, "sip:pbx.example", "pbx.example by UDP"),
    ],
)  # fmt: skip
def test_the_server(server, transport, uri, where):
    account = Account("desk", "101", server, transport=transport)
    assert str(account.server_uri) == uri
    assert account.where == where


def test_the_address_of_record_names_no_transport():
    account = Account(
        "desk", "101", "pbx.example:5080", display_name='Bob "B"', transport=Transport.TCP
    )
    assert str(account.identity) == '"Bob \\"B\\"" <sip:101@pbx.example:5080>'


def test_a_proxy_is_a_loose_route():
    account = Account("desk", "101", "pbx.example", proxy="edge", transport=Transport.TCP)
    assert str(account.proxy_uri) == "sip:edge;transport=tcp;lr"
    assert account.where == "edge by TCP"


@pytest.mark.parametrize(
    ("dialled", "uri"),
    [
        ("600", "sip:600@pbx.example:5080"),
        ("*97", "sip:*97@pbx.example:5080"),
        ("#31#", "sip:%2331%23@pbx.example:5080"),
        ("bob", "sip:bob@pbx.example:5080"),
        ("sip:bob@other.example", "sip:bob@other.example"),
        ("SIPS:bob@other.example", "SIPS:bob@other.example"),
        ("tel:+49-30", "sip:+4930@pbx.example:5080;user=phone"),
    ],
)
def test_what_is_dialled(dialled, uri):
    assert str(Account("desk", "101", "pbx.example:5080").target(dialled)) == uri


@pytest.mark.parametrize("dialled", ["", "6 00", "6\r\n00", "sip:", "sip:a@b c", "\x7f"])
def test_what_cannot_be_dialled(dialled):
    with pytest.raises(LocalError):
        Account("desk", "101", "pbx.example").target(dialled)


@pytest.mark.parametrize("server", ["", "a b", "pbx:99999", "http://x", "[::1"])
def test_a_server_that_is_none(server):
    with pytest.raises(LocalError):
        Account("desk", "101", server)


@pytest.mark.parametrize("field", ["user", "display_name", "auth_user", "realm"])
def test_a23_line_breaks_in_a_text_are_refused_before_they_reach_a_header(field):
    texts = {"user": "101", field: "a\r\nX: y"}
    with pytest.raises(LocalError, match="line breaks"):
        Account("desk", server="pbx", **texts)


def test_a_line_needs_a_name_and_its_contact_must_not_be_guessable():
    with pytest.raises(LocalError, match="name"):
        Account("", "101", "pbx.example")
    with pytest.raises(LocalError, match="guessed"):
        Account("desk", "101", "pbx.example", contact_user="101")


def test_a24_the_password_is_not_in_its_text():
    assert "secret" not in repr(Account("desk", "101", "pbx.example", password="secret"))


@pytest.mark.parametrize(
    ("user", "rings"), [("101", True), ("0123", True), ("012", False), ("x", False)]
)
def test_whom_it_rings_for(user, rings):
    assert Account("desk", "101", "pbx", numbers=("0???",)).rings_for(user) is rings


BOUND = Account("desk", "101", "pbx.example", password="x")


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "Reception"},
        {"peers": ("192.0.2.0/24",)},
        {"numbers": ("4930*",)},
        {"accept_any_user": True},
    ],
    ids=str,
)
def test_what_the_registrar_does_not_know_leaves_the_registration_good(change):
    assert BOUND.is_bound_like(replace(BOUND, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"user": "102"},
        {"server": "other.example"},
        {"password": "y"},
        {"proxy": "edge.example"},
        {"expires": 60},
        {"transport": Transport.TCP},
        {"register": False},
    ],
    ids=str,
)
def test_what_the_registrar_knows_needs_a_new_registration(change):
    assert not BOUND.is_bound_like(replace(BOUND, **change))


@pytest.mark.parametrize(
    ("server", "uri", "zoned"),
    [
        ("[fe80::1%eth0]:5070", "sip:[fe80::1]:5070", "fe80::1%eth0"),
        ("fe80::1%wlan0.2", "sip:[fe80::1]", "fe80::1%wlan0.2"),
        ("sip:[fe80::1%25eth0]", "sip:[fe80::1]", "fe80::1%eth0"),
        ("2001:db8::1", "sip:[2001:db8::1]", None),
    ],
)
def test_f54_a_zone_finds_the_interface_and_stands_in_no_uri(server, uri, zoned):
    """RFC 4007 §11.2, RFC 6874 §2, RFC 6874 §4."""
    account = Account("desk", "101", server)
    assert str(account.server_uri) == uri
    assert account.zones.get("fe80::1") == zoned


def test_f54_who_is_asked_for_a_link_local_server_is_told_the_zone(world, sip):
    desk = sip.Desk(world, "fe80::2")
    asked = []
    world.lookup = lambda effect: asked.append(effect.host) or []
    desk.line("[fe80::1%eth0]:5060", proxy="[fe80::3%eth1]")
    desk.agent.register(sip.LINE, world.now)
    world.run(0.1)
    assert asked == ["fe80::3%eth1"]
