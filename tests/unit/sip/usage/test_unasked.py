"""NOTIFYs that nobody asked for: lamps are lit, orders want a proof (A5, A21)."""

import re

import pytest

from firmware.sip.auth.digest import answer, parse_challenges
from firmware.sip.event.message_summary import Counts, MessageSummary
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import ConfigCheckAsked, EventReceived, ProfileUrl
from tests.support.sip_link import LINE, Stranger

SUMMARY = "application/simple-message-summary"


@pytest.fixture
def notify(world, desk, pbx, sip):
    """Sends a NOTIFY outside dialogs and returns the last answer; a new branch each time."""
    count = iter(range(1000))

    def send(event, *rows, body=b"", kind="", flow=None, sender=pbx):
        number = next(count)
        rows = [("Event", event), ("Subscription-State", "active"), *rows]
        rows += [("Content-Type", kind)] if kind else []
        request = sip.request(
            "NOTIFY", "sip:101@192.0.2.1", *rows, body=body, branch=f"z9hG4bKu{number}",
            call_id=f"u{number}", sender=sender.endpoint.host,
        )  # fmt: skip
        if flow is None:
            sender.tell(request, desk)
        else:
            sender.say(request, flow)
        world.run(0.05)
        return next((m for m in reversed(sender.inbox) if hasattr(m, "status")), None)

    return send


def test_message_waiting_may_come_unasked(notify, desk):
    """RFC 3842 §3.5: as most servers send it."""
    body = b"Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n"
    assert notify("message-summary", body=body, kind=SUMMARY).status == 200
    voice = Counts(1, 0)
    document = MessageSummary(waiting=True, voice=voice, kinds=(("voice-message", voice),))
    assert desk.of(EventReceived) == [EventReceived("", LINE, "message-summary", document)]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"hello", SUMMARY, 400), (b"Messages-Waiting: no", "text/plain", 415), (b"", "", 200)],
)
def test_what_is_no_summary_is_refused(notify, desk, body, kind, status):
    assert notify("message-summary", body=body, kind=kind).status == status
    assert desk.of(EventReceived) == []


def test_a21_a_stranger_lights_no_lamp(world, notify, desk):
    stranger = Stranger(world, "203.0.113.9")
    body = b"Messages-Waiting: yes"
    assert notify("message-summary", body=body, kind=SUMMARY, sender=stranger) is None
    assert desk.of(EventReceived) == []


def proof(challenged, word="secret", uri="sip:101@192.0.2.1"):
    challenge = parse_challenges(challenged.headers.all("WWW-Authenticate"))[0]
    return ("Authorization", answer(challenge, "101", word, "NOTIFY", uri, b"", "c" * 16, 1))


@pytest.mark.parametrize("event", ["check-sync", "check-sync;reboot=false", "resync"])
def test_a05_an_order_in_a_datagram_must_prove_itself(notify, desk, event):
    """A5: challenged, as RFC 3261 §22.1 has it."""
    challenged = notify(event)
    assert challenged.status == 401
    assert 'realm="192.0.2.9"' in challenged.headers.get("WWW-Authenticate")
    assert notify(event, proof(challenged, "guess")).status == 401
    assert desk.of(ConfigCheckAsked) == []
    assert notify(event, proof(challenged)).status == 200
    assert desk.of(ConfigCheckAsked) == [ConfigCheckAsked(LINE)]


@pytest.mark.parametrize("event", ["check-sync;reboot=true", "reboot"])
def test_a05_a_restart_may_be_asked_for(notify, desk, event):
    challenged = notify(event)
    assert notify(event, proof(challenged)).status == 200
    assert desk.of(ConfigCheckAsked) == [ConfigCheckAsked(LINE, restart=True)]


def test_a05_without_a_password_nothing_can_be_proved(notify, desk, sip):
    desk.line(sip.PBX)
    assert notify("check-sync").status == 403
    assert desk.of(ConfigCheckAsked) == []


def test_a05_the_connection_we_registered_by_needs_no_proof(world, desk, pbx, notify, sip):
    desk.line(sip.PBX, password="secret", transport=Transport.TCP)
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    (ours,) = {flow for flow in pbx.flows if flow.transport is Transport.TCP}
    assert notify("check-sync", flow=ours).status == 200
    assert desk.of(ConfigCheckAsked) == [ConfigCheckAsked(LINE)]


@pytest.mark.parametrize(
    ("transport", "status"), [(Transport.TLS, 200), (Transport.TCP, 401), (Transport.UDP, 401)]
)
def test_a05_tls_from_the_server_needs_no_proof(world, desk, sip, transport, status):
    """Another connection than ours counts only if it is TLS."""
    world.run(0.1)
    flow = Flow(transport, desk.endpoint, Endpoint(sip.PBX, 5061), 77)
    request = sip.request("NOTIFY", "sip:101@192.0.2.1", ("Event", "check-sync"))
    from firmware.sip.writer import write  # noqa: PLC0415 - used once

    desk.agent.receive(write(request), flow, world.now)
    sent = [effect.data for effect in desk.agent.take_effects() if hasattr(effect, "data")]
    assert sent[-1].startswith(f"SIP/2.0 {status}".encode())


def test_a05_orders_are_told_once_a_minute(world, notify, desk):
    challenged = notify("check-sync")
    for number in range(5):
        again = notify("check-sync")
        assert notify("check-sync", proof(again if number else challenged)).status == 200
    assert len(desk.of(ConfigCheckAsked)) == 1
    world.run(120.0)
    assert len(desk.of(ConfigCheckAsked)) == 2
    assert len(desk.agent._unasked) == 0


def test_a05_an_order_waits_for_the_end_of_the_call(world, talking, sip):
    """A5: never in a call; in its dialog it needs no proof."""
    world, left, right, out, _ = talking
    session = right.agent._core.calls[next(iter(right.agent._core.calls))]
    dialog = session.dialog
    request = sip.request("NOTIFY", "sip:x@192.0.2.2", ("Event", "check-sync"), cseq=1)
    for name, value in (
        ("From", dialog.remote), ("To", dialog.local), ("Call-ID", dialog.call_id),
    ):  # fmt: skip
        request.headers.set(name, value)
    left.world.send(left, _written(request), Flow(Transport.UDP, left.endpoint, right.endpoint))
    world.run(30.0)
    assert right.of(ConfigCheckAsked) == []
    left.agent.end(out, world.now)
    world.run(6.0)
    assert len(right.of(ConfigCheckAsked)) == 1
    world.run(100.0)
    assert len(right.agent) == 0


def _written(request):
    from firmware.sip.writer import write  # noqa: PLC0415 - used twice

    return write(request)


def test_a05_where_the_configuration_lies(notify, desk):
    """RFC 6080 §6.8."""
    body, kind = b"https://p.example/101", "application/url"
    challenged = notify("ua-profile", body=body, kind=kind)
    assert challenged.status == 401
    assert notify("ua-profile", proof(challenged), body=body, kind=kind).status == 200
    assert desk.of(ProfileUrl) == [ProfileUrl(LINE, "https://p.example/101")]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"file:///x", "application/url", 400), (b"<x/>", "application/xml", 415), (b"", "", 415)],
)
def test_a16_what_names_no_web_address_is_refused(notify, desk, body, kind, status):
    challenged = notify("ua-profile", body=body, kind=kind)
    assert notify("ua-profile", proof(challenged), body=body, kind=kind).status == status
    assert desk.of(ProfileUrl) == []


def test_a_subscription_to_ua_profile_ends_the_same_way(world, desk, sip):
    """RFC 6080 §6.5, with what the device is in the Event header (RFC 6080 §6.2)."""
    from tests.support.events import Notifier  # noqa: PLC0415 - takes the PBX's place

    server = Notifier(world)
    server.media_type, server.body = "application/url", b"http://p.example/x"
    desk.agent.subscriptions.subscribe(
        "profile", LINE, "ua-profile", world.now, params=(("profile-type", "device"),)
    )
    world.run(1.0)
    sent = server.requests("SUBSCRIBE")[0]
    assert sent.headers.get("Event") == "ua-profile;profile-type=device"
    assert re.search("external-body", sent.headers.get("Accept"))
    assert desk.of(ProfileUrl) == [ProfileUrl(LINE, "http://p.example/x")]
