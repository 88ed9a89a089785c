"""What a phone says of itself where it registers, for callers who prefer one that can."""

import pytest

from firmware.sip.account import Account
from firmware.sip.errors import LocalError
from firmware.sip.methods import ALLOWED
from firmware.sip.notifications import LineName


def registered(world, pbx, sip, language=""):
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, language=language)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    return desk, pbx.requests("REGISTER")[-1].headers.get("Contact")


def test_it_says_that_it_hears_and_speaks_and_which_methods_it_knows(world, pbx, sip):
    """RFC 3840 §5, RFC 3840 §9."""
    _, contact = registered(world, pbx, sip)
    _, _, params = contact.partition(">")
    assert ";audio;" in params
    assert f';methods="{",".join(ALLOWED)}"' in params
    assert "language" not in params


def test_it_says_which_language_is_read_here(world, pbx, sip):
    """RFC 4504 §2.16, RFC 3840 §6, §10; RFC 3261 §11.2: OPTIONS is told the same."""
    desk, contact = registered(world, pbx, sip, language="de")
    assert contact.endswith(';language="de"')
    question = sip.request("OPTIONS", pbx.contact())
    pbx.inbox.clear()
    pbx.tell(question, desk)
    world.run(0.1)
    assert pbx.inbox[-1].headers.get("Accept-Language") == "de"


def test_a_language_cannot_end_its_quotes():
    with pytest.raises(LocalError):
        Account(LineName("office"), "101", "pbx.example", language='de";x')


def test_a_line_that_checks_its_ways_says_so_by_the_feature_tag(world, pbx, sip):
    """RFC 5768 §4, §5: not by the option tag."""
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, ice=True)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    request = pbx.requests("REGISTER")[-1]
    assert ";+sip.ice" in request.headers.get("Contact")
    assert "ice" not in request.headers.get("Supported")
