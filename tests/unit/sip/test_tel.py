"""Numbers as addresses."""

import pytest

from firmware.sip.notifications import IncomingCall
from firmware.sip.tel import as_sip, as_tel, called_user, extension
from firmware.sip.uri import equivalent, parse_uri, plain_number

SERVER = parse_uri("sip:pbx.example:5080;transport=tcp")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+1-201-555-0123", "+12015550123"),
        ("+1 201", "+1 201"),
        ("(0)30.555", "030555"),
        ("*21#", "*21#"),
        ("%2A21%23", "*21#"),
        ("dead-beef", "deadbeef"),
        ("bob-7", "bob-7"),
        ("", ""),
    ],
)
def test_what_helps_people_to_read_a_number_is_not_dialled(text, number):
    """RFC 3966 §5.1.1."""
    assert plain_number(text) == number


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("tel:+1-201-555-0123", "+12015550123"),
        ("tel:7042;phone-context=example.com", "7042"),
        ("sip:+1-201-555-0123;isub=7@gw.example;user=phone", "+12015550123"),
        ("sip:+1-201-555-0123@gw.example", "+1-201-555-0123"),
        ("sip:bob;x@gw.example", "bob;x"),
        ("sip:bob-b@gw.example;user=ip", "bob-b"),
    ],
)
def test_whom_a_request_is_for(uri, user):
    """RFC 3261 §19.1.1: user=phone makes the user part a number."""
    assert called_user(parse_uri(uri)) == user


@pytest.mark.parametrize(
    ("tel", "sip"),
    [
        ("tel:+358-555-1234567;postd=pp22", "sip:+3585551234567;postd=pp22@"),
        ("tel:+358-555-1234567;POSTD=PP22", "sip:+3585551234567;postd=pp22@"),
        ("tel:+358;postd=pp22;isub=1411", "sip:+358;isub=1411;postd=pp22@"),
        ("tel:+358;tsp=a.b;phone-context=5", "sip:+358;phone-context=5;tsp=a.b@"),
        ("tel:7042;phone-context=PBX.example", "sip:7042@"),
        ("tel:7042;phone-context=other.example", "sip:7042;phone-context=other.example@"),
        ("tel:7042;phone-context=+1-914", "sip:7042;phone-context=+1914@"),
        ("tel:+1;new", "sip:+1;new@"),
    ],
)
def test_a_number_becomes_an_address_at_a_server(tel, sip):
    """RFC 3261 §19.1.6: folded and ordered."""
    uri = as_sip(parse_uri(tel), SERVER)
    assert str(uri) == f"{sip}pbx.example:5080;transport=tcp;user=phone"


@pytest.mark.parametrize("tel", ["tel:+358;isub=1411;postd=pp22", "tel:+1;new", "tel:7042"])
def test_and_back(tel):
    back = as_tel(as_sip(parse_uri(tel), SERVER))
    assert back is not None
    assert equivalent(back, parse_uri(tel))


@pytest.mark.parametrize("uri", ["sip:+1@b", "sip:+1@b;user=ip", "tel:+1", "urn:x:y"])
def test_what_is_no_number_stays_what_it_is(uri):
    assert as_tel(parse_uri(uri)) is None


def test_an_extension_is_dialled_after_the_answer():
    """RFC 3966 §5.3."""
    assert extension(parse_uri("tel:+1-201;ext=12-34")) == "1234"
    assert extension(parse_uri("tel:+1-201")) == ""


@pytest.mark.parametrize(
    "uri", ["tel:+49-30-555", "sip:+49-30-555@192.0.2.1;user=phone", "sip:+4930555@192.0.2.1"]
)
def test_a_call_to_our_number_rings_however_it_is_written(world, desk, pbx, sip, uri):
    desk.line(sip.PBX, numbers=("+4930555",))
    pbx.tell(sip.request("INVITE", uri), desk)
    world.run(0.1)
    assert desk.last(IncomingCall).called_user == "+4930555"


def test_a_tel_uri_that_is_dialled_goes_to_the_line_s_server(world, desk, pbx, sip):
    desk.agent.invite("out", sip.LINE, "tel:+49-30-555", world.now)
    world.run(0.1)
    desk.agent.offer("out", sip.OFFER, world.now)
    world.run(0.1)
    assert pbx.requests("INVITE")[0].uri == "sip:+4930555@192.0.2.9;user=phone"
