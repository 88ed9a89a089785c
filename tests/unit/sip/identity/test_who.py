"""Who calls: asserted by a trusted server, else said by the caller, else nobody."""

import pytest

from firmware.sip.headers import parse_name_addr
from firmware.sip.identity.who import asserted, caller, is_anonymous
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

SENDER = parse_name_addr('"A" <sip:a@b>')
NOBODY = Party("Anonymous", "anonymous", "sip:anonymous@anonymous.invalid")
FROM_A = Party("A", "a", "sip:a@b")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"Desk" <sip:7@pbx>', Party("Desk", "7", "sip:7@pbx")),
        ("<sip:7@pbx>", Party("A", "7", "sip:7@pbx")),
        ("<tel:7>, <sip:8@pbx>", Party("A", "8", "sip:8@pbx")),
        ("<tel:+1201>", Party("A", "+1201", "tel:+1201")),
        ("<mailto:7>", FROM_A),
        ("<<>>", FROM_A),
        ('"', FROM_A),
    ],
)
def test_a21_the_asserted_identity_is_who_calls(value, shown):
    """RFC 3325 §9.1."""
    assert caller(Headers([("P-Asserted-Identity", value)]), SENDER) == shown


def test_without_an_assertion_it_is_from():
    assert caller(Headers(), SENDER) == FROM_A


def test_one_bad_value_does_not_spoil_the_others():
    rows = [("P-Asserted-Identity", "<<>>"), ("P-Asserted-Identity", "<sip:8@pbx>")]
    assert caller(Headers(rows), SENDER).user == "8"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"Bob" <sip:8@pbx>;party=calling;screen=yes', Party("Bob", "8", "sip:8@pbx")),
        ("<sip:8@pbx>;party=called", FROM_A),
        ("<sip:8@pbx>;privacy=off", Party("A", "8", "sip:8@pbx")),
        ('"Bob" <sip:8@pbx>;privacy=full', NOBODY),
        ('"Bob" <sip:8@pbx>;party=called;privacy=full', FROM_A),
    ],
)
def test_the_header_of_the_old_draft_is_read(value, shown):
    assert caller(Headers([("Remote-Party-ID", value)]), SENDER) == shown


def test_an_assertion_counts_more_than_the_old_draft():
    rows = [("Remote-Party-ID", "<sip:8@pbx>;privacy=full"), ("P-Asserted-Identity", "<sip:7@p>")]
    assert caller(Headers(rows), SENDER).user == "7"


@pytest.mark.parametrize("privacy", ["id", "header;id", "user;critical", "ID"])
def test_who_wants_no_name_has_none_although_the_network_told_us(privacy):
    """RFC 3325 §9.3, RFC 3323 §4.2."""
    headers = Headers([("P-Asserted-Identity", "<sip:7@pbx>"), ("Privacy", privacy)])
    assert caller(headers, SENDER) == NOBODY
    assert is_anonymous(headers, SENDER)


@pytest.mark.parametrize("privacy", ["none", "none;id", "session", "critical", ""])
def test_other_wishes_hide_nobody(privacy):
    """RFC 3323 §4.2: none stands alone."""
    headers = Headers([("P-Asserted-Identity", "<sip:7@pbx>"), ("Privacy", privacy)])
    assert caller(headers, SENDER).user == "7"


@pytest.mark.parametrize(
    "sender",
    [
        '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
        "<sip:unavailable@unknown.invalid>",
        "<sip:anonymous@provider.example>",
    ],
)
def test_a_caller_who_says_anonymous_is_nobody_unless_the_network_names_them(sender):
    """RFC 3323 §4.1.1.3."""
    sender = parse_name_addr(sender)
    assert caller(Headers(), sender) == NOBODY
    named = caller(Headers([("P-Asserted-Identity", "<sip:7@pbx>")]), sender)
    assert named == Party("", "7", "sip:7@pbx")


def test_an_endless_list_is_not_read_to_its_end():
    rows = [("P-Asserted-Identity", ", ".join(["<mailto:x>"] * 50 + ["<sip:7@pbx>"]))]
    assert asserted(Headers(rows), "calling") is None
    rows = [("P-Asserted-Identity", value) for value in ["<mailto:x>"] * 50 + ["<sip:7@pbx>"]]
    assert asserted(Headers(rows), "calling") is None
