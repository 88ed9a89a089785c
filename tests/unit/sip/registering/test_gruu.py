"""GRUUs: a name for this phone that leads to it from anywhere."""

import pytest

from firmware.sip.notifications import CallRef
from firmware.sip.notifications import RegistrationState as State
from tests.support.registrar import granting, invite, state

GRUU = "sip:101@pbx.example;gr=urn:uuid:f81d4fae"
TEMP = "sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@pbx.example;gr"


class TestGruu:
    """RFC 5627: a name for this phone that leads to it from anywhere."""

    @pytest.fixture
    def desk(self, desk, sip):
        """A line that asks for one."""
        desk.line(sip.PBX, password="secret", gruu=True)
        return desk

    def test_it_is_asked_for(self, world, desk, pbx, sip):
        """RFC 5627 §4.1: by an option tag."""
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        assert pbx.requests("REGISTER")[0].headers.get("Supported") == "path, gruu"

    def test_one_that_was_not_asked_for_is_not_used(self, world, desk, pbx, sip):
        """A server that gives one to everybody may know nothing of it inside dialogs."""
        desk.line(sip.PBX, password="secret")
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{GRUU}"')]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        assert pbx.requests("REGISTER")[0].headers.get("Supported") == "path"
        invite(world, desk, sip)
        assert "@192.0.2.1:5060>" in pbx.requests("INVITE")[0].headers.get("Contact")

    def test_it_is_our_contact_while_registered(self, world, desk, pbx, sip):
        """RFC 5627 §4.4, §4.2: as it was given, in all that makes a dialog."""
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{GRUU}"', temp_gruu=f'"{TEMP}"')]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        invite(world, desk, sip)
        assert pbx.requests("INVITE")[0].headers.get("Contact") == f"<{GRUU}>"
        line = desk.agent._core.lines[sip.LINE]
        assert line.standing.temp_gruu == TEMP

    def test_who_calls_unnamed_uses_the_temporary_one(self, world, desk, pbx, sip):
        """RFC 5627 §4.4, §10.3: the public one would say who it is."""
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{GRUU}"', temp_gruu=f'"{TEMP}"')]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        call = CallRef("out")
        desk.agent.invite(call, sip.LINE, "600", world.now, anonymous=True)
        world.run(0.01)
        desk.agent.offer(call, sip.OFFER, world.now)
        world.run(0.1)
        sent = pbx.requests("INVITE")[0].headers
        assert sent.get("Contact") == f"<{TEMP}>"
        assert "101" not in sent.get("From")

    def test_who_calls_unnamed_without_one_uses_the_address(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{GRUU}"')]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        call = CallRef("out")
        desk.agent.invite(call, sip.LINE, "600", world.now, anonymous=True)
        world.run(0.01)
        desk.agent.offer(call, sip.OFFER, world.now)
        world.run(0.1)
        contact = pbx.requests("INVITE")[0].headers.get("Contact")
        assert "101@" not in contact
        assert "192.0.2.1" in contact

    def test_a_register_has_our_address_and_never_a_gruu(self, world, desk, pbx, sip):
        """RFC 5627 §4.1: nor does its Contact repeat what the registrar granted."""
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{GRUU}"')] * 2
        for _ in range(2):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
        row = pbx.requests("REGISTER")[-1].headers.get("Contact")
        assert "gruu" not in row
        assert "@192.0.2.1:5060>" in row
        assert '+sip.instance="<urn:uuid:' in row

    def test_without_a_registration_it_is_used_no_more(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{GRUU}"'), 403]
        for _ in range(2):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
        invite(world, desk, sip)
        assert "@192.0.2.1:5060>" in pbx.requests("INVITE")[0].headers.get("Contact")

    # RFC 5627 §3.1: it is a SIP URI with `gr`.
    @pytest.mark.parametrize("text", ["sip:a@b", "tel:+1;gr", "rubbish", "sip:a@b;gr=" + "x" * 600])
    def test_what_is_no_gruu_is_not_used(self, world, desk, pbx, sip, text):
        pbx.verdicts = [granting(pbx, pub_gruu=f'"{text}"')]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        assert state(desk) is State.REGISTERED
        assert desk.agent._core.lines[sip.LINE].standing.gruu == ""

    def test_the_call_id_stays_so_that_temporary_ones_stay_good(self, world, desk, pbx, sip):
        """RFC 5627 §4.1: with another Call-ID the registrar would forget them."""
        for _ in range(3):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
        assert len({sent.headers.get("Call-ID") for sent in pbx.requests("REGISTER")}) == 1
