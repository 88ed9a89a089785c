"""Identity in whole calls: who is shown, who is believed, who stays unnamed."""

import re

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.notifications import CallRef, ConnectedParty, IncomingCall, OfferWanted, Party

OUT = CallRef("out")
JANE = '"Jane" <sip:205@pbx.example>'


@pytest.fixture
def placed(world, desk, pbx, sip):
    """Place a call; the PBX answers with the rows given. Returns the PBX's view of the INVITE."""

    def place(*rows, status=200, **how):
        pbx.reply = lambda message: (
            [sip.answer_to(message, status, ("Contact", "<sip:600@192.0.2.9>"), *rows)]
            if getattr(message, "method", "") == "INVITE"
            else []
        )
        desk.agent.invite(OUT, sip.LINE, "600", world.now, **how)
        world.run(0.1)
        desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
        world.run(0.1)
        return pbx.requests("INVITE")[-1]

    return place


def test_who_answered_a_group_call_is_shown(desk, placed):
    """RFC 3325 §9.1: a response asserts who answered."""
    placed(("P-Asserted-Identity", JANE))
    assert desk.of(ConnectedParty) == [
        ConnectedParty(OUT, Party("Jane", "205", "sip:205@pbx.example"))
    ]


def test_who_is_called_is_shown_while_it_rings(desk, placed):
    placed(("Remote-Party-ID", f"{JANE};party=called"), status=180)
    assert desk.last(ConnectedParty).party.name == "Jane"


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (("Remote-Party-ID", f"{JANE};party=calling"),),
        (("P-Asserted-Identity", JANE), ("Privacy", "id")),
        (("P-Asserted-Identity", "<sip:anonymous@anonymous.invalid>"),),
    ],
)
def test_nobody_is_named_without_an_identity_that_may_be_shown(desk, placed, rows):
    placed(*rows)
    assert desk.of(ConnectedParty) == []


# --- within a call --------------------------------------------------------------------------------


@pytest.fixture
def up(world, desk, pbx, sip, placed):
    """A call that is up; gives a way to send a re-INVITE from any host."""
    placed()
    ours = pbx.requests("ACK")[-1].headers

    def reinvite(*rows, host=sip.PBX, sender='"Jane" <sip:205@pbx.example>;tag=pbx'):
        far = pbx if host == sip.PBX else sip.Stranger(world, host)
        tag = re.search("tag=(.*)", ours.get("From")).group(1)
        call_id = ours.get("Call-ID")
        rows = (*rows, ("Contact", f"<sip:600@{host}>"))
        message = sip.request("INVITE", "sip:101@192.0.2.1", *rows, tag=tag, call_id=call_id,
                              body=sip.OFFER, sender=host)  # fmt: skip
        message.headers.set("From", sender)
        far.tell(message, desk)
        world.run(0.1)
        return far

    return reinvite


def test_a_new_from_in_a_call_is_the_new_identity_and_where_we_write_to(world, desk, pbx, up):
    """RFC 4916 §4.4.2: a transferred call goes on with somebody else."""
    up()
    assert desk.last(ConnectedParty).party == Party("Jane", "205", "sip:205@pbx.example")
    desk.agent.reject_reoffer(OUT, 488, world.now)
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert pbx.requests("BYE")[-1].headers.get("To") == f"{JANE};tag=pbx"


def test_we_say_that_the_far_end_may_change_its_name(pbx, placed):
    """RFC 4916 §4.1."""
    placed()
    supported = pbx.requests("INVITE")[-1].headers.get("Supported")
    assert "from-change" in [each.strip() for each in supported.split(",")]


def test_an_asserted_identity_counts_more_than_from(desk, up):
    up(("P-Asserted-Identity", '"Bob" <sip:7@pbx.example>'))
    assert desk.last(ConnectedParty).party.name == "Bob"


def test_the_same_from_is_no_news(desk, up):
    up(sender="<sip:600@192.0.2.9>;tag=pbx")
    assert desk.of(ConnectedParty) == []


def test_a21_in_a_call_only_a_trusted_source_says_who_is_there(desk, up):
    """RFC 3325 §9.1: an identity from elsewhere is worth nothing."""
    far = up(("P-Asserted-Identity", '"The Bank" <sip:1@bank.example>'), host="203.0.113.66")
    assert desk.of(ConnectedParty) == []
    assert far.responses(100)  # the call itself goes on: the far end knows its secrets


# --- calls without a name -------------------------------------------------------------------------


def test_an_anonymous_call_names_nobody_and_asks_the_network_not_to(placed):
    """RFC 3323 §4.1.1.3, RFC 3323 §4.2, RFC 3325 §9.2. RFC 3323 §4.1.1.1."""
    headers = placed(anonymous=True).headers
    assert headers.get("From").startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')
    assert headers.get("Privacy") == "id"
    assert headers.get("P-Preferred-Identity") == "<sip:101@192.0.2.9>"
    assert "101" not in headers.get("Contact")


def test_a_line_may_hide_itself_always_and_a_call_may_show_it(world, desk, sip, placed):
    desk.line(sip.PBX, password="secret", anonymous=True)
    assert placed().headers.get("Privacy") == "id"
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    shown = placed(anonymous=False)
    assert "Privacy" not in shown.headers
    assert "101" in shown.headers.get("From")


def test_p10_an_emergency_call_never_hides_who_calls(placed):
    assert "Privacy" not in placed(anonymous=True, emergency=True).headers


def test_the_secret_of_an_anonymous_line_survives_a_change_of_the_settings(world, desk, pbx, sip):
    """Whether calls are anonymous is nothing that the registrar knows."""
    desk.agent.register(sip.LINE, world.now)
    world.run(0.5)
    account = desk.line(sip.PBX, password="secret", anonymous=True)
    assert account.anonymous
    world.run(0.5)
    assert len(pbx.requests("REGISTER")) == 1


def test_a_call_that_exists_is_not_placed_anonymously_again(world, desk, sip, placed):
    placed()
    with pytest.raises(LocalError):
        desk.agent.invite(OUT, sip.LINE, "600", world.now, anonymous=True)


def test_an_anonymous_caller_is_nobody_for_the_phone(world, desk, pbx, sip):
    message = sip.request("INVITE", "sip:101@192.0.2.1", ("Privacy", "id"),
                          ("P-Asserted-Identity", JANE), body=sip.OFFER)  # fmt: skip
    pbx.tell(message, desk)
    world.run(0.1)
    call = desk.last(IncomingCall)
    assert call.caller.name == "Anonymous"
    assert call.facts.anonymous


def test_a_call_that_nobody_wants_is_607(world, desk, pbx, sip):
    """RFC 8197 §3: not busy, not declined by a phone: unwanted."""
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER), desk)
    world.run(0.1)
    desk.agent.reject(desk.last(IncomingCall).call, 607, world.now)
    world.run(0.1)
    assert pbx.responses(607)[0].phrase == "Unwanted"
