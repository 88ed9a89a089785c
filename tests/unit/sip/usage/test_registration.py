"""A line is registered, stays registered, and comes back after anything (RFC 3261 §10, §22)."""

import pytest

from firmware.sip.agent import Account
from firmware.sip.errors import LocalError
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    FailureCause,
    LineName,
    RegistrationChanged,
)
from firmware.sip.notifications import RegistrationState as State

CHALLENGE = 'Digest realm="pbx", nonce="one", algorithm=MD5, qop="auth"'


def states(desk):
    return [change.state for change in desk.of(RegistrationChanged)]


def challenge(pbx, status=401, header="WWW-Authenticate", text=CHALLENGE):
    return lambda request: pbx.verdict(request, status, (header, text))


def test_the_desk_registers_and_refreshes_in_good_time(registered):
    world, desk, pbx = registered
    assert states(desk) == [State.TRYING, State.REGISTERED]
    assert desk.last(RegistrationChanged).expires_in == 3600
    assert desk.last(RegistrationChanged).where == "192.0.2.9 by UDP"
    first = pbx.requests("REGISTER")[0]
    assert first.uri == "sip:192.0.2.9"
    assert first.headers.get("Expires") == "3600"
    assert "+sip.instance=" in first.headers.get("Contact")
    world.run(3600 * 0.85)
    assert len(pbx.requests("REGISTER")) == 2
    second = pbx.requests("REGISTER")[1]
    assert second.headers.get("CSeq") == "2 REGISTER"
    assert second.headers.get("Call-ID") == first.headers.get("Call-ID")
    assert second.headers.get("Contact") == first.headers.get("Contact")


def test_f19_twenty_seconds_instead_of_an_hour_are_refreshed_before_they_end(world, desk, pbx):
    pbx.grants = 20
    desk.agent.register(LineName("desk"), world.now)
    world.run(105.0)
    assert len(pbx.requests("REGISTER")) == 11
    assert desk.last(RegistrationChanged).state is State.REGISTERED


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_a_challenge_is_answered_and_remembered(  # noqa: PLR0917 - fixtures
    world, desk, pbx, sip, status, asks, answers
):
    pbx.verdicts = [challenge(pbx, status, asks)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert states(desk) == [State.TRYING, State.REGISTERED]
    assert 'username="101"' in pbx.requests("REGISTER")[1].headers.get(answers)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert "nc=00000002" in pbx.requests("REGISTER")[2].headers.get(answers)


def test_f20_a_wrong_password_is_tried_twice_and_then_said(world, desk, pbx, sip):
    pbx.verdicts = [challenge(pbx)] * 100
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert len(pbx.requests("REGISTER")) == 3
    failed = desk.last(RegistrationChanged)
    assert (failed.state, failed.cause) == (State.FAILED, FailureCause.WRONG_PASSWORD)
    assert 60 <= failed.retry_in <= 75
    world.run(3600.0)
    assert len(pbx.requests("REGISTER")) < 30, "a wrong password is tried slowly"
    pbx.verdicts = []
    world.run(1200.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def test_f20_a_stale_nonce_is_not_a_wrong_password(world, desk, pbx, sip):
    stale = CHALLENGE.replace('"one"', '"two"') + ", stale=true"
    pbx.verdicts = [challenge(pbx), challenge(pbx, text=stale), challenge(pbx, text=stale)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    assert 'nonce="two"' in pbx.requests("REGISTER")[-1].headers.get("Authorization")


def test_f20_an_endless_row_of_stale_nonces_ends(world, desk, pbx, sip):
    pbx.verdicts = [challenge(pbx, text=CHALLENGE + ", stale=true")] * 100
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).cause is FailureCause.WRONG_PASSWORD
    assert len(pbx.requests("REGISTER")) < 8


def test_a06_only_the_configured_realm_gets_an_answer(world, desk, pbx, sip):
    desk.line(sip.PBX, password="secret", realm="office")
    pbx.verdicts = [challenge(pbx)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).cause is FailureCause.WRONG_PASSWORD
    assert len(pbx.requests("REGISTER")) == 1


def test_without_a_password_no_challenge_is_answered(world, desk, pbx, sip):
    desk.line(sip.PBX)
    pbx.verdicts = [challenge(pbx)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).cause is FailureCause.WRONG_PASSWORD


def test_f18_423_asks_again_for_longer(world, desk, pbx, sip):
    """RFC 3261 §10.2.8."""
    desk.line(sip.PBX, expires=60)
    pbx.verdicts = [lambda request: pbx.verdict(request, 423, ("Min-Expires", "1800"))]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert pbx.requests("REGISTER")[-1].headers.get("Expires") == "1800"
    assert desk.last(RegistrationChanged).state is State.REGISTERED


@pytest.mark.parametrize("least", ["10", "x", "99999999"])
def test_f18_423_without_sense_is_a_failure(world, desk, pbx, sip, least):
    pbx.verdicts = [lambda request: pbx.verdict(request, 423, ("Min-Expires", least))] * 9
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).status == 423
    assert len(pbx.requests("REGISTER")) == 1


def test_f18_retry_after_is_kept(world, desk, pbx, sip):
    pbx.verdicts = [lambda request: pbx.verdict(request, 503, ("Retry-After", "120 (tea)"))]
    desk.agent.register(sip.LINE, world.now)
    world.run(119.0)
    assert len(pbx.requests("REGISTER")) == 1
    failed = desk.last(RegistrationChanged)
    assert (failed.cause, failed.status) == (FailureCause.SERVER_ERROR, 503)
    world.run(60.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED


@pytest.mark.parametrize(
    ("status", "cause", "longest_first_wait"),
    [
        (403, FailureCause.FORBIDDEN, 75.0),
        (404, FailureCause.NOT_FOUND, 75.0),
        (408, FailureCause.NO_ANSWER, 5.0),
        (494, FailureCause.OTHER, 12.5),
        (500, FailureCause.SERVER_ERROR, 12.5),
        (302, FailureCause.MOVED, 12.5),
    ],
)
def test_f18_each_status_has_its_cause_and_its_pace(  # noqa: PLR0917 - fixtures
    world, desk, pbx, sip, status, cause, longest_first_wait
):
    pbx.verdicts = [status]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    failed = desk.last(RegistrationChanged)
    assert (failed.state, failed.cause, failed.status) == (State.FAILED, cause, status)
    assert 0.7 * longest_first_wait < failed.retry_in <= longest_first_wait
    world.run(80.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def test_f17_a_pbx_that_was_away_has_us_back_within_a_minute(registered):
    world, desk, pbx = registered
    world.silent.add(pbx.endpoint)
    desk.agent.register("desk", world.now)
    world.run(3600.0)
    failed = desk.last(RegistrationChanged)
    assert (failed.state, failed.cause) == (State.FAILED, FailureCause.NO_ANSWER)
    assert failed.retry_in <= 60
    world.silent.clear()
    world.until(lambda: desk.last(RegistrationChanged).state is State.REGISTERED, 60.0 + 4)


def test_a_storm_is_not_made_of_a_silent_pbx(world, desk, sip):
    desk.agent.register(sip.LINE, world.now)
    world.run(3600.0)
    attempts = [change for change in desk.of(RegistrationChanged) if change.state is State.FAILED]
    assert 30 < len(attempts) < 60


def test_only_one_register_is_under_way_at_a_time(world, desk, pbx, sip):
    """RFC 3261 §10.2: nor is there a new one before the last has its answer."""
    for _ in range(3):
        desk.agent.register(sip.LINE, world.now)
    world.run(0.009)
    assert len(pbx.requests("REGISTER")) == 1
    world.run(1.0)
    assert len(pbx.requests("REGISTER")) == 2


def test_phones_that_failed_together_do_not_come_back_together(world, sip):
    desks = [sip.Desk(world, f"192.0.2.{host}") for host in range(20, 30)]
    for desk in desks:
        desk.line(sip.PBX)
        desk.agent.register(sip.LINE, world.now)
    world.run(33.0)
    waits = {round(desk.last(RegistrationChanged).retry_in, 2) for desk in desks}
    assert len(waits) > 7


def test_an_unknown_name_and_a_missing_network_are_said(world, desk, sip):
    desk.line("pbx.example")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).cause is FailureCause.NAME_NOT_FOUND
    assert desk.last(RegistrationChanged).where == "pbx.example by UDP"
    world.names["pbx.example"] = FailureCause.NO_NETWORK
    world.run(10.0)
    assert desk.last(RegistrationChanged).cause is FailureCause.NO_NETWORK


def test_f16_the_second_server_is_tried_when_the_first_is_silent(world, desk, pbx, sip):
    dead, live = Endpoint("192.0.2.66", 5060), pbx.endpoint
    world.names["pbx.example"] = [(Transport.UDP, dead), (Transport.UDP, live)]
    desk.line("pbx.example")
    desk.agent.register(sip.LINE, world.now)
    world.run(3.9)
    assert not pbx.inbox
    world.run(0.2)
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def test_f14_the_last_good_address_serves_while_the_name_cannot_be_found(world, desk, pbx, sip):
    world.names["pbx.example"] = [(Transport.UDP, pbx.endpoint)]
    desk.line("pbx.example")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    world.names["pbx.example"] = FailureCause.NO_NETWORK
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert len(pbx.requests("REGISTER")) == 2
    assert states(desk) == [State.TRYING, State.REGISTERED, State.REGISTERED]


def test_a_line_that_never_registered_is_simply_off(world, desk, pbx, sip):
    desk.agent.unregister(sip.LINE, world.now)
    world.run(1.0)
    assert states(desk) == [State.OFF]
    assert not pbx.inbox


def test_a_registrar_that_grants_nothing_has_not_registered_us(world, desk, pbx, sip):
    pbx.grants = 0
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.FAILED


def test_f21_a_200_with_rubbish_in_it_counts_for_what_was_asked(world, desk, pbx, sip):
    pbx.verdicts = [lambda request: sip.answer_to(request, 200, ("Expires", "soon"))]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).expires_in == 3600


def test_f09_a_new_address_is_registered_within_a_second(registered):
    world, desk, pbx = registered
    desk.agent.network_changed(world.now)
    world.run(1.5)
    assert len(pbx.requests("REGISTER")) == 2


def test_an_outbound_proxy_is_where_the_register_goes(world, desk, sip):
    proxy = sip.Pbx(world, "192.0.2.50")
    desk.line("pbx.example", proxy="192.0.2.50")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    sent = proxy.requests("REGISTER")[0]
    assert sent.uri == "sip:pbx.example"
    assert sent.headers.get("Route") == "<sip:192.0.2.50;lr>"
    assert desk.last(RegistrationChanged).where == "192.0.2.50 by UDP"


@pytest.mark.parametrize("host", ["192.0.2.9", "2001:db8::9"])
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_over_both_transports_and_both_families(world, sip, host, transport):
    six = ":" in host
    desk = sip.Desk(world, "2001:db8::1" if six else "192.0.2.1")
    pbx = sip.Pbx(world, host)
    desk.line(f"[{host}]" if six else host, transport=transport)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    ours = "[2001:db8::1]" if six else "192.0.2.1"
    suffix = "" if transport is Transport.UDP else ";transport=tcp;ob"
    assert pbx.contact().endswith(f"@{ours}:5060{suffix}")
    assert f"{transport.via} {ours}:5060;rport;" in pbx.requests("REGISTER")[0].headers.get("Via")


def test_f54_the_zone_of_a_link_local_address_stays_in_the_house(world, sip):
    """RFC 6874 §4."""
    desk, pbx = sip.Desk(world, "fe80::1%eth0"), sip.Pbx(world, "fe80::9%eth0")
    world.names["pbx.example"] = [(Transport.UDP, pbx.endpoint)]
    desk.line("pbx.example")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    assert not any(b"%" in data for data in pbx.raw)
    pbx.tell(sip.request("OPTIONS", pbx.contact(), sender="[fe80::9]"), desk)
    world.run(1.0)
    assert pbx.responses(200)


def test_f25_a_connection_that_breaks_is_made_again_at_once(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    first = pbx.flows[-1]
    world.close(first)
    world.run(3.0)
    assert len(pbx.requests("REGISTER")) == 2
    assert pbx.flows[-1].number != first.number
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def test_a_refused_connection_is_refused(world, desk, pbx, sip):
    world.refusing.add(pbx.endpoint)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).cause is FailureCause.REFUSED
    world.refusing.clear()
    world.run(10.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def test_after_a_network_change_a_stale_connection_is_not_used_again(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    first = pbx.flows[-1]
    desk.agent.network_changed(world.now)
    world.run(2.0)
    assert pbx.flows[-1].number != first.number
    assert len(pbx.requests("REGISTER")) == 2


def test_f09_an_address_more_leaves_the_connection_and_its_call_alone(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    first = pbx.flows[-1]
    desk.agent.invite(CallRef("out"), sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(CallRef("out"), sip.OFFER, world.now)
    world.run(0.01)
    desk.agent.network_changed(world.now, frozenset({"192.0.2.1", "198.51.100.7"}))
    world.run(2.0)
    assert {flow.number for flow in pbx.flows} == {first.number}
    assert len(pbx.requests("REGISTER")) == 2, "looked at all the same"
    assert not desk.of(CallEnded)

    desk.agent.network_changed(world.now, frozenset({"198.51.100.7"}))
    world.run(2.0)
    assert pbx.flows[-1].number != first.number


def test_only_known_lines_can_be_registered(desk, world):
    with pytest.raises(LocalError):
        desk.agent.register(LineName("nobody"), world.now)
    with pytest.raises(LocalError):
        desk.agent.unregister(LineName("nobody"), world.now)


def test_a_changed_line_is_registered_anew_and_keeps_its_contact(registered):
    world, desk, pbx = registered
    before = pbx.contact()
    desk.line("192.0.2.9", user="102", password="secret")
    world.run(1.0)
    assert pbx.requests("REGISTER")[-1].headers.get("Expires") == "0"
    desk.agent.register("desk", world.now)
    world.run(1.0)
    assert "sip:102@" in pbx.requests("REGISTER")[-1].headers.get("To")
    assert pbx.contact() == before


def test_an_unchanged_line_does_not_notice_a_reload(registered):
    world, desk, pbx = registered
    desk.line("192.0.2.9", password="secret")
    world.run(10.0)
    assert len(pbx.requests("REGISTER")) == 1


def test_a_removed_line_is_unregistered_and_leaves_nothing(registered):
    """RFC 3261 §10.2.2: Expires 0 for its own Contact."""
    world, desk, pbx = registered
    desk.agent.set_lines((), world.now)
    world.run(100.0)
    assert pbx.requests("REGISTER")[-1].headers.get("Expires") == "0"
    assert len(desk.agent) == 0


def test_two_lines_on_one_socket_are_told_apart(world, pbx, sip):
    desk = sip.Desk(world, "192.0.2.1")
    accounts = tuple(
        Account(LineName(name), user, sip.PBX) for name, user in (("a", "101"), ("b", "102"))
    )
    desk.agent.set_lines(accounts, world.now)
    pbx.verdicts = [200, 403]
    desk.agent.register(LineName("a"), world.now)
    desk.agent.register(LineName("b"), world.now)
    world.run(1.0)
    last = {change.line: change.state for change in desk.of(RegistrationChanged)}
    assert last == {"a": State.REGISTERED, "b": State.FAILED}


@pytest.mark.slow
def test_f52_ten_thousand_registrations_leave_one_registration(world, desk, pbx, sip):
    pbx.grants = 60
    desk.agent.register(sip.LINE, world.now)
    world.run(60.0)
    usual = 3  # the registration's alarm, the beat and its alarm
    count = 0
    while count < 10_000:
        count += len(pbx.inbox)
        for store in (pbx.inbox, pbx.flows, pbx.raw, world.log, desk.heard):
            store.clear()
        world.run(5000.0)
        world.until(lambda: len(desk.agent) == usual, 60)
