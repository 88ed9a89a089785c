"""Flows, service routes and several homes: a line that registers as large networks want."""

import itertools

import pytest

from firmware.sip.account import Account
from firmware.sip.errors import LocalError
from firmware.sip.flow import Transport
from firmware.sip.headers import contact_list
from firmware.sip.notifications import FailureCause, RegistrationChanged
from firmware.sip.notifications import RegistrationState as State
from firmware.sip.reach.stun_ping import is_stun
from firmware.sip.registering.pace import flow_wait
from tests.support.registrar import granting, invite, outbound, state

PING = b"\r\n\r\n"


@pytest.fixture
def over_tcp(world, pbx, sip):
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, transport=Transport.TCP, password="secret")
    return desk


class TestServiceRoute:
    """RFC 3608 §6.1: requests of the line go the way its registrar says."""

    ROUTE = "<sip:orig@192.0.2.9;lr>, <sip:scscf.pbx.example;lr>"

    def test_calls_carry_the_route_in_its_order(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, ("Service-Route", self.ROUTE))]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        invite(world, desk, sip)
        sent = pbx.requests("INVITE")[0]
        assert sent.headers.get("Route") == self.ROUTE
        assert sent.uri == "sip:600@192.0.2.9"

    def test_a_register_goes_to_the_registrar_and_not_by_the_route(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, ("Service-Route", self.ROUTE))] * 2
        for _ in range(2):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
        assert pbx.requests("REGISTER")[-1].headers.get("Route") is None

    def test_each_200_replaces_the_route_and_one_without_clears_it(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, ("Service-Route", self.ROUTE)), 200]
        for _ in range(2):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
        invite(world, desk, sip)
        assert pbx.requests("INVITE")[0].headers.get("Route") is None

    def test_a_refused_refresh_forgets_it(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, ("Service-Route", self.ROUTE)), 403]
        for _ in range(2):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
        invite(world, desk, sip)
        assert pbx.requests("INVITE")[0].headers.get("Route") is None

    def test_it_follows_the_outbound_proxy_unless_it_begins_there(self, world, desk, sip):
        proxy = sip.Pbx(world, "192.0.2.50")
        desk.line("pbx.example", proxy="192.0.2.50")
        beyond = granting(proxy, ("Service-Route", "<sip:scscf.pbx.example;lr>"))
        again = granting(proxy, ("Service-Route", "<sip:192.0.2.50;lr>, <sip:s.example;lr>"))
        proxy.verdicts = [beyond, again]
        for _ in range(2):
            desk.agent.register(sip.LINE, world.now)
            world.run(1.0)
            invite(world, desk, sip)
        first, second = dict.fromkeys(
            sent.headers.get("Route") for sent in proxy.requests("INVITE")
        )
        assert first == "<sip:192.0.2.50;lr>, <sip:scscf.pbx.example;lr>"
        assert second == "<sip:192.0.2.50;lr>, <sip:s.example;lr>"

    def test_a_strict_router_at_its_head_gets_its_own_request_uri(self, world, desk, pbx, sip):
        """RFC 3261 §8.1.2."""
        pbx.verdicts = [granting(pbx, ("Service-Route", "<sip:192.0.2.9>"))]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        invite(world, desk, sip)
        sent = pbx.requests("INVITE")[0]
        assert sent.uri == "sip:192.0.2.9"
        assert sent.headers.get("Route") == "<sip:600@192.0.2.9>"

    def test_another_server_named_by_it_is_ours_and_may_challenge(self, world, desk, pbx, sip):
        edge = sip.Pbx(world, "192.0.2.60")
        pbx.verdicts = [granting(pbx, ("Service-Route", "<sip:192.0.2.60;lr>"))]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        challenge = 'Digest realm="pbx", nonce="n", algorithm=SHA-256, qop="auth"'
        edge.reply = lambda message: (
            [sip.answer_to(message, 407, ("Proxy-Authenticate", challenge))]
            if getattr(message, "method", "") == "INVITE"
            else []
        )
        invite(world, desk, sip)
        first, second, *_ = edge.requests("INVITE")
        assert "Proxy-Authorization" not in first.headers
        assert "Proxy-Authorization" in second.headers

    def test_garbage_is_no_route(self, world, desk, pbx, sip):
        pbx.verdicts = [granting(pbx, ("Service-Route", "no brackets"))]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        assert state(desk) is State.REGISTERED
        invite(world, desk, sip)
        assert pbx.requests("INVITE")[0].headers.get("Route") is None


def test_path_is_supported(registered):
    """RFC 3327 §5.1: a registrar may only store a Path for a phone that knows of it."""
    _, _, pbx = registered
    assert pbx.requests("REGISTER")[0].headers.get("Supported") == "path"


def test_the_contact_says_what_the_phone_can_do(registered):
    """RFC 3840 §5, §9: feature tags in the Contact that is registered."""
    (contact,) = contact_list(registered[2].requests("REGISTER")[0].headers)
    assert contact.has("audio")
    assert {"INVITE", "BYE", "OPTIONS"} <= set(contact.param("methods").split(","))


class TestOneFlow:
    """RFC 5626 over a single connection."""

    def test_it_is_asked_for_and_its_absence_is_no_fault(self, world, over_tcp, pbx, sip):
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        sent = pbx.requests("REGISTER")[0]
        assert sent.headers.get("Supported") == "path, outbound"
        (contact,) = contact_list(sent.headers)
        assert contact.param("reg-id") == "1"
        assert contact.uri.has("ob")
        assert sent.headers.get("Via").endswith(";keep")
        assert state(over_tcp) is State.REGISTERED
        invite(world, over_tcp, sip)
        assert ";ob" not in pbx.requests("INVITE")[0].headers.get("Contact")

    def test_granted_our_contacts_ask_for_this_flow(self, world, over_tcp, pbx, sip):
        """RFC 5626 §4.3: `ob` brings later requests of the dialog over the same connection."""
        pbx.verdicts = [outbound(pbx)]
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        invite(world, over_tcp, sip)
        assert ";ob>" in pbx.requests("INVITE")[0].headers.get("Contact")
        assert len({flow.number for flow in pbx.flows}) == 1

    def test_439_registers_as_of_old(self, world, over_tcp, pbx, sip):
        """RFC 5626 §4.2.1, §11.6: the first hop keeps no flows."""
        pbx.verdicts = [439]
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        again = pbx.requests("REGISTER")[1]
        assert again.headers.get("Supported") == "path"
        assert "reg-id" not in again.headers.get("Contact")
        assert state(over_tcp) is State.REGISTERED

    def test_439_to_that_too_is_a_failure(self, world, over_tcp, pbx, sip):
        pbx.verdicts = [439] * 9
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        assert len(pbx.requests("REGISTER")) == 2
        assert over_tcp.last(RegistrationChanged).status == 439

    def test_flow_timer_sets_the_beat(self, world, over_tcp, pbx, sip):
        """RFC 5626 §4.4: at random between 80 and 100 per cent of it."""
        pbx.verdicts = [outbound(pbx, ("Flow-Timer", "25"))]
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(300.0)
        beats = [at for at, _, _, data in world.log if data == PING]
        gaps = [after - before for before, after in itertools.pairwise(beats)]
        assert len(gaps) >= 11
        assert all(20.0 <= gap <= 25.1 for gap in gaps)
        assert len({round(gap, 2) for gap in gaps}) > 5

    @pytest.mark.parametrize("value", ["0", "x", "", "99999999999"])
    def test_a_flow_timer_without_sense_is_passed_over(self, world, over_tcp, pbx, sip, value):
        pbx.verdicts = [outbound(pbx, ("Flow-Timer", value))]
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(600.0)
        beats = [data for _, _, _, data in world.log if data == b"\r\n\r\n"]
        assert 1 <= len(beats) <= 8

    def test_a_flow_that_worked_is_made_again_at_once(self, world, over_tcp, pbx, sip):
        """RFC 5626 §4.5: it had carried the answer to a ping."""
        pbx.verdicts = [outbound(pbx)] * 9
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        world.close(pbx.flows[-1])
        world.run(3.0)
        assert len(pbx.requests("REGISTER")) == 2
        assert state(over_tcp) is State.REGISTERED

    def test_a_flow_that_never_answered_a_ping_is_waited_for(
        self, world, over_tcp, pbx, sip, monkeypatch
    ):
        """RFC 5626 §4.5: between 50 and 100 per cent of a minute."""
        deliver = world._deliver_stream
        monkeypatch.setattr(
            world,
            "_deliver_stream",
            lambda number, data: None if data == b"\r\n\r\n" else deliver(number, data),
        )
        pbx.verdicts = [outbound(pbx)] * 9
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        world.close(pbx.flows[-1])
        world.run(29.0)
        assert len(pbx.requests("REGISTER")) == 1
        world.run(32.0)
        assert len(pbx.requests("REGISTER")) == 2

    def test_430_makes_a_new_flow(self, world, over_tcp, pbx, sip):
        """RFC 5626 §11.5: the edge says that what lies behind the flow is gone."""
        pbx.verdicts = [outbound(pbx), 430, outbound(pbx)]
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(1.0)
        over_tcp.agent.register(sip.LINE, world.now)
        world.run(4.0)
        assert state(over_tcp) is State.REGISTERED
        assert len({flow.number for flow in pbx.flows}) == 2


@pytest.mark.parametrize(
    ("failures", "others", "least", "most"),
    [(1, False, 30, 60), (5, False, 30, 60), (1, True, 90, 180), (3, True, 360, 720),
     (40, True, 900, 1800)],
)  # fmt: skip
def test_the_pace_of_flows_is_that_of_the_rfc(failures, others, least, most):
    """RFC 5626 §4.5: 50 to 100 per cent of a bound that doubles."""
    assert flow_wait(failures, 0.0, others=others) == least
    assert flow_wait(failures, 1.0, others=others) == most


class TestOneProxyByDatagrams:
    """RFC 5626 §4.2, §5.3: also with one home and without connections a flow leads back to us."""

    @pytest.fixture
    def edge(self, world, desk, sip):
        edge = sip.Pbx(world, "192.0.2.50")
        edge.pings, receive = [], edge.receive
        edge.receive = lambda data, flow: (
            edge.pings.append(data) if is_stun(data) else receive(data, flow)
        )
        desk.line("pbx.example", proxy="192.0.2.50", recheck=50)
        return edge

    def test_it_is_asked_for_and_kept_by_stun_where_it_is_granted(self, world, desk, edge, sip):
        edge.verdicts = [outbound(edge)] * 10
        desk.agent.register(sip.LINE, world.now)
        world.run(30.0)
        contact = edge.requests("REGISTER")[0].headers.get("Contact")
        assert ";reg-id=1" in contact
        assert ";ob>" in contact
        assert edge.pings, "RFC 5626 §4.4.2"

    def test_439_registers_as_of_old(self, world, desk, edge, sip):
        edge.verdicts = [439]
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        assert "reg-id" not in edge.requests("REGISTER")[1].headers.get("Contact")
        assert state(desk) is State.REGISTERED

    def test_f17_p04_what_stands_behind_the_edge_may_forget_us_as_well(
        self, world, desk, edge, sip
    ):
        edge.verdicts = [outbound(edge)] * 100
        desk.agent.register(sip.LINE, world.now)
        world.run(500.0)
        assert len(edge.requests("REGISTER")) >= 10


class TestTwoProxies:
    """RFC 5626 §4.2.1: a registration by each outbound proxy of the set."""

    @pytest.fixture
    def edges(self, world, sip):
        edges = [sip.Pbx(world, f"192.0.2.{host}") for host in (50, 51)]
        for edge in edges:
            edge.verdicts = [outbound(edge)] * 50
        return edges

    @pytest.fixture
    def desk(self, world, sip, edges):
        assert edges
        desk = sip.Desk(world, "192.0.2.1")
        desk.line(
            "pbx.example",
            proxy="192.0.2.50",
            proxies=("192.0.2.51",),
            transport=Transport.TCP,
            password="secret",
        )
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        return desk

    def test_each_has_its_own_reg_id_and_call_id(self, desk, edges):
        first, second = (edge.requests("REGISTER")[0] for edge in edges)
        ids = [contact_list(each.headers)[0].param("reg-id") for each in (first, second)]
        assert ids == ["1", "2"]
        assert first.headers.get("Call-ID") != second.headers.get("Call-ID")
        assert first.headers.get("To") == second.headers.get("To")
        instances = {
            contact_list(each.headers)[0].param("+sip.instance") for each in (first, second)
        }
        assert len(instances) == 1
        assert state(desk) is State.REGISTERED

    def test_f25_one_gone_the_line_stays_registered_and_calls_go_by_the_other(
        self, world, desk, edges, sip
    ):
        first, second = edges
        world.refusing.add(first.endpoint)
        world.close(first.flows[-1])
        world.run(5.0)
        assert state(desk) is State.REGISTERED
        invite(world, desk, sip)
        assert second.requests("INVITE")[0].headers.get("Route") == (
            "<sip:192.0.2.51;transport=tcp;lr>"
        )
        world.refusing.clear()
        world.run(200.0)
        assert len(first.requests("REGISTER")) == 2, "back after its pace, not before"
        invite(world, desk, sip)
        assert first.requests("INVITE")

    def test_both_gone_the_line_says_so_and_both_come_back(self, world, desk, edges):
        for edge in edges:
            world.refusing.add(edge.endpoint)
            world.close(edge.flows[-1])
        world.run(10.0)
        assert state(desk) is State.FAILED
        assert desk.last(RegistrationChanged).cause is FailureCause.REFUSED
        world.refusing.clear()
        world.run(200.0)
        assert state(desk) is State.REGISTERED
        assert all(len(edge.requests("REGISTER")) == 2 for edge in edges)

    def test_each_is_kept_alive_and_removed_with_its_reg_id(self, world, desk, edges, sip):
        world.run(400.0)
        for edge in edges:
            there = str(edge.endpoint)
            pings = [to for _, _, to, data in world.log if (to, data) == (there, PING)]
            assert len(pings) >= 3
        desk.agent.unregister(sip.LINE, world.now)
        world.run(1.0)
        for number, edge in enumerate(edges, 1):
            last = edge.requests("REGISTER")[-1]
            assert last.headers.get("Expires") == "0"
            assert contact_list(last.headers)[0].param("reg-id") == str(number)
        assert state(desk) is State.OFF
        world.run(300.0)
        assert len(desk.agent) == 0

    def test_a_call_may_come_by_either(self, world, desk, edges, sip):
        assert state(desk) is State.REGISTERED
        for edge in edges:
            contact = edge.contact()
            name = edge.endpoint.host
            asked = sip.request("OPTIONS", contact, branch=f"z9hG4bK{name}", call_id=name)
            edge.say(asked, edge.flows[-1])
        world.run(1.0)
        assert all(edge.responses(200) for edge in edges)


class TestTwoRegistrars:
    """Registered with two servers: the first is used while it stands."""

    @pytest.fixture
    def second(self, world, sip):
        return sip.Pbx(world, "192.0.2.10")

    @pytest.fixture
    def desk(self, world, sip, pbx, second):
        assert pbx.endpoint != second.endpoint
        desk = sip.Desk(world, "192.0.2.1")
        desk.line(sip.PBX, registrars=("192.0.2.10",), password="secret")
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        return desk

    def test_each_knows_us_under_its_own_name(self, desk, pbx, second):
        assert pbx.requests("REGISTER")[0].headers.get("To") == "<sip:101@192.0.2.9>"
        assert second.requests("REGISTER")[0].headers.get("To") == "<sip:101@192.0.2.10>"
        assert second.requests("REGISTER")[0].uri == "sip:192.0.2.10"
        assert state(desk) is State.REGISTERED

    def test_f17_calls_go_to_the_second_while_the_first_is_away(
        self, world, desk, pbx, second, sip
    ):
        world.silent.add(pbx.endpoint)
        desk.agent.register(sip.LINE, world.now)
        world.run(40.0)
        assert state(desk) is State.REGISTERED
        assert desk.last(RegistrationChanged).where == "192.0.2.10 by UDP"
        invite(world, desk, sip)
        sent = second.requests("INVITE")[0]
        assert sent.uri == "sip:600@192.0.2.10"
        assert "sip:101@192.0.2.10" in sent.headers.get("From")
        world.silent.clear()
        world.run(400.0)
        invite(world, desk, sip)
        assert pbx.requests("INVITE")

    def test_both_may_call_us(self, world, desk, pbx, second, sip):
        for server in (pbx, second):
            host = server.endpoint.host
            asked = sip.request("OPTIONS", server.contact(), sender=host, call_id=host)
            server.tell(asked, desk)
        world.run(1.0)
        assert pbx.responses(200)
        assert second.responses(200)


def test_more_than_four_homes_are_not_made():
    account = Account("desk", "101", "pbx", proxies=tuple(f"edge{n}" for n in range(9)))
    assert len(account.homes) == 4


def test_a_second_proxy_that_is_no_address_is_refused():
    with pytest.raises(LocalError):
        Account("desk", "101", "pbx", proxies=("not an address",))
