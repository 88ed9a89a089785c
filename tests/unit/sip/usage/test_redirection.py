"""Calls that are sent elsewhere (RFC 3261 §8.1.3.4, §21.3)."""

import pytest

from firmware.config.schema import PhoneSettings
from firmware.phone.toll import Toll
from firmware.sip.account import Account
from firmware.sip.notifications import (
    Barrier,
    CallAnswered,
    CallEnded,
    CallRedirected,
    CallRef,
    FailureCause,
    OfferWanted,
    RedirectBarred,
)

OUT = CallRef("out")


@pytest.fixture
def place(world, desk, pbx, sip):
    """Place a call; `says` gives status and headers for each Request-URI. Returns where it went."""

    def call(says, target="600", **how):
        def reply(message):
            if getattr(message, "method", "") != "INVITE":
                return []
            status, *contacts = says.get(message.uri, (404,))
            rows = [("Contact", contact) for contact in contacts]
            if status == 200:
                rows = [("Contact", "<sip:there@192.0.2.9>")]
            return [sip.answer_to(message, status, *rows)]

        pbx.reply = reply
        desk.script = lambda heard: (
            desk.agent.offer(OUT, sip.OFFER, desk.now) if isinstance(heard, OfferWanted) else None
        )
        desk.agent.invite(OUT, sip.LINE, target, world.now, **how)
        world.run(1.0)
        return [request.uri for request in pbx.requests("INVITE")]

    return call


def to(user):
    return f"sip:{user}@192.0.2.9"


def test_it_is_followed_in_the_order_of_q(desk, pbx, place):
    """RFC 3261 §8.1.3.4, §20.10: same Call-ID and From, next CSeq; best q first, ties in order."""
    went = place(
        {
            to("600"): (
                302,
                "<sip:b@192.0.2.9>;q=0.5, <sip:a@192.0.2.9>;q=0.9",
                "<sip:c@192.0.2.9>",
            ),
            to("b"): (200,),
        }
    )
    assert went == [to("600"), to("c"), to("a"), to("b")]
    first, *_, last = pbx.requests("INVITE")
    assert first.headers.get("Call-ID") == last.headers.get("Call-ID")
    assert first.headers.get("From") == last.headers.get("From")
    assert last.headers.get("CSeq") == "4 INVITE"
    assert last.headers.get("To") == f"<{to('b')}>"
    assert desk.of(CallAnswered)
    assert [each.target.user for each in desk.of(CallRedirected)] == ["c", "a", "b"]


def test_a_loop_ends(desk, place):
    """RFC 3261 §8.1.3.4: nothing is tried twice."""
    went = place({to("600"): (302, f"<{to('a')}>"), to("a"): (302, f"<{to('600')}>, <{to('a')}>")})
    assert went == [to("600"), to("a")]
    assert desk.last(CallEnded).cause is FailureCause.MOVED
    assert desk.last(CallEnded).status == 302


def test_a_long_way_ends(desk, place):
    says = {to("600"): (302, f"<{to('n0')}>")}
    says |= {to(f"n{i}"): (302, f"<{to(f'n{i + 1}')}>") for i in range(50)}
    assert len(place(says)) == 6
    assert len(desk.of(CallEnded)) == 1


def test_the_last_refusal_is_what_the_person_hears(desk, place):
    place({to("600"): (302, f"<{to('a')}>"), to("a"): (486,)})
    assert desk.last(CallEnded).cause is FailureCause.BUSY


def test_a_global_refusal_ends_the_search(desk, place):
    """RFC 3261 §8.1.3.4, §21.6: 6xx speaks for all of them."""
    went = place({to("600"): (300, f"<{to('a')}>, <{to('b')}>"), to("a"): (603,)})
    assert went == [to("600"), to("a")]
    assert desk.last(CallEnded).cause is FailureCause.DECLINED


@pytest.mark.parametrize("contact", ["<mailto:a@b>", "<http://x>", "*", "<sip:600@192.0.2.9>"])
def test_an_address_that_cannot_be_called_is_left_out(desk, place, contact):
    """RFC 3261 §8.1.3.4: other schemes are for other programs."""
    assert place({to("600"): (302, contact)}) == [to("600")]
    assert desk.last(CallEnded).status == 302


def test_a_number_goes_to_our_own_server(place):
    assert place({to("600"): (302, "<tel:+49-30-1>"), to("+49301"): (200,)})[1].startswith(
        "sip:+49301@192.0.2.9"
    )


def test_headers_of_the_address_are_not_ours_to_send(pbx, place):
    """RFC 3261 §19.1.5: an unsafe header must not come from somebody else."""
    went = place({to("600"): (302, "<sip:a@192.0.2.9?Replaces=x%3Bto-tag%3D1>")})
    assert went[1] == to("a")
    assert "Replaces" not in pbx.requests("INVITE")[1].headers


def test_use_proxy_asks_for_the_same_through_another(desk, place, pbx):
    """RFC 3261 §21.3.4: 305."""
    answers = [(305, "<sip:192.0.2.9:5060>"), (200,)]
    went = place(type("Says", (), {"get": lambda *_: answers.pop(0)})())
    assert went == [to("600"), to("600")]
    assert pbx.requests("INVITE")[1].headers.get("Route") == "<sip:192.0.2.9:5060;lr>"
    assert desk.of(CallAnswered)


def test_other_services_are_a_refusal(desk, place):
    """RFC 3261 §21.3.5: 380 is for a person to read."""
    assert place({to("600"): (380, f"<{to('a')}>")}) == [to("600")]
    assert desk.last(CallEnded).cause is FailureCause.MOVED


def test_a19_a_line_may_refuse_to_be_sent_elsewhere(desk, sip, place):
    desk.line(sip.PBX, password="secret", redirects=False)
    assert place({to("600"): (302, f"<{to('0900')}>")}) == [to("600")]
    assert desk.last(CallEnded).cause is FailureCause.MOVED


TOLL = Toll.of(PhoneSettings(country="DE"))


@pytest.mark.parametrize(
    ("contact", "why"),
    [
        ("<sip:09001234567@192.0.2.9>", Barrier.COSTLY),
        ("<sip:%30%39001234567@192.0.2.9>", Barrier.COSTLY),
        ("<tel:+49-900-1234567>", Barrier.COSTLY),
        ("<tel:900-1234567;phone-context=+49>", Barrier.COSTLY),
        ("<sip:112@192.0.2.9>", Barrier.EMERGENCY),
        ("<tel:112;phone-context=192.0.2.9>", Barrier.EMERGENCY),
        ("<sip:112@evil.example>", Barrier.EMERGENCY),
        ("<sip:*21*09001234567%23@192.0.2.9>", Barrier.CODE),
        ("<sip:bob@evil.example>", Barrier.AWAY),
        ("<sip:bob@198.51.100.7>", Barrier.AWAY),
        ("<sip:bob@192.0.2.9;maddr=198.51.100.7>", Barrier.AWAY),
        ("<sip:bob@192.0.2.9.evil.example>", Barrier.AWAY),
    ],
)
def test_a19_nobody_is_redirected_there(desk, sip, place, contact, why):
    """A19: not one INVITE goes there; the phone is told why."""
    desk.line(sip.PBX, password="secret", toll=TOLL)
    assert place({to("600"): (302, contact)}) == [to("600")]
    assert [barred.why for barred in desk.of(RedirectBarred)] == [why]
    assert desk.last(CallEnded).cause is FailureCause.MOVED


def test_a19_what_is_barred_leaves_the_rest(desk, sip, place):
    desk.line(sip.PBX, password="secret", toll=TOLL)
    went = place({to("600"): (302, f"<{to('09001234567')}>", f"<{to('a')}>"), to("a"): (200,)})
    assert went == [to("600"), to("a")]
    assert desk.of(CallAnswered)


def test_a19_nor_in_the_second_step(desk, sip, place):
    desk.line(sip.PBX, password="secret", toll=TOLL)
    went = place({to("600"): (302, f"<{to('a')}>"), to("a"): (302, f"<{to('09001234567')}>")})
    assert went == [to("600"), to("a")]
    assert desk.of(RedirectBarred)


def test_a19_a_proxy_that_nobody_chose(desk, place):
    """RFC 3261 §21.3.4: 305 leads our INVITE there, digest and all."""
    assert place({to("600"): (305, "<sip:evil.example>")}) == [to("600")]
    assert [barred.why for barred in desk.of(RedirectBarred)] == [Barrier.AWAY]


@pytest.mark.parametrize(
    ("contact", "terms"),
    [
        ("<sip:bob@198.51.100.7>", {"peers": ("198.51.100.0/24",)}),
        ("<sip:bob@198.51.100.7>", {"redirect_to": ("198.51.100.*",)}),
        ("<sip:bob@198.51.100.7>", {"redirect_to": ("*",)}),
        ("<sip:bob@198.51.100.7>", {"registrars": ("198.51.100.7",), "register": False}),
    ],
)
def test_a19_where_a_line_may_be_sent(desk, sip, place, contact, terms):
    desk.line(sip.PBX, password="secret", **terms)
    place({to("600"): (302, contact)})
    assert desk.last(CallRedirected).target.uri == "sip:bob@198.51.100.7"
    assert not desk.of(RedirectBarred)


def test_a19_a_number_that_a_person_dialled_may_move(desk, sip, place):
    desk.line(sip.PBX, password="secret", toll=TOLL, redirect_to=("198.51.100.7",))
    says = {to("09001234567"): (302, "<sip:0900-1234567@198.51.100.7>")}
    place(says, target="09001234567")
    assert desk.last(CallRedirected).target.user == "0900-1234567"


def test_a19_below_the_domain_of_the_line(sip):
    """A redirect server names the machines of its own domain."""
    account = Account(line=sip.LINE, user="101", server="Biloxi.example")
    assert account.leads_to("gw.biloxi.example")
    assert account.leads_to("BILOXI.EXAMPLE")
    assert not account.leads_to("notbiloxi.example")
    assert not account.leads_to("biloxi.example.evil.example")


def test_a19_p10_a_call_for_help_goes_wherever_it_is_sent(desk, sip, place):
    """P10: no rule stands above it."""
    desk.line(sip.PBX, password="secret", toll=TOLL)
    place({to("112"): (302, "<sip:112@198.51.100.7>")}, target="112", emergency=True)
    assert desk.last(CallRedirected).target.uri == "sip:112@198.51.100.7"


def test_an_emergency_call_is_followed_all_the_same(desk, sip, place):
    desk.line(sip.PBX, password="secret", redirects=False)
    assert len(place({to("600"): (302, f"<{to('a')}>"), to("a"): (200,)}, emergency=True)) == 2


def test_a_secure_call_stays_secure(desk, place, world, pbx):
    """RFC 3261 §8.1.3.4, §26.4.4: from sips never to sip."""
    del world, pbx
    from firmware.sip.invite.redirection import Redirection  # noqa: PLC0415
    from firmware.sip.message import Headers, Response  # noqa: PLC0415
    from firmware.sip.uri import parse_uri  # noqa: PLC0415

    line = desk.agent._core.lines["desk"]
    redirection = Redirection(line, parse_uri("sips:600@pbx.example"), lambda *_: True)
    rows = [("Contact", "<sip:a@192.0.2.9>, <sips:b@192.0.2.9>")]
    redirection.learn(Response(302, "Moved", Headers(rows)))
    assert str(redirection.next().uri) == "sips:b@192.0.2.9"
    assert redirection.next() is None


def test_giving_up_while_the_way_is_looked_for_sends_nothing_more(world, desk, pbx, sip, place):
    desk.line(sip.PBX, password="secret", redirect_to=("*.example",))
    world.names["far.example"] = FailureCause.NAME_NOT_FOUND
    place({to("600"): (302, "<sip:a@far.example>")})
    assert desk.last(CallEnded).cause is FailureCause.NAME_NOT_FOUND
    world.run(100.0)
    assert len(desk.agent) == 0
