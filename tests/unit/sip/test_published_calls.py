"""Our calls published at the server, for others to watch there."""

import pytest

from firmware.sip.event.dialog_info import DialogReader, Phase
from firmware.sip.notifications import IncomingCall


@pytest.fixture
def published(world, pbx, sip):
    """A desk that publishes its calls, and what the server has been told: (Expires, phases)."""
    register, seen = pbx.register, []

    def reply(message):
        if getattr(message, "method", "") != "PUBLISH":
            return register(message)
        assert message.headers.get("Event") == "dialog"
        phases = None
        if message.body:
            document = DialogReader().read("", message.body)
            phases = [each.phase for each in document.dialogs]
        seen.append((message.headers.get("Expires"), phases))
        return [sip.answer_to(message, 200, ("SIP-ETag", f"e{len(seen)}"), ("Expires", "3600"))]

    pbx.reply = reply
    desk = sip.Desk(world, "192.0.2.1")
    desk.line(sip.PBX, publish_calls=True)
    desk.agent.register(sip.LINE, world.now)
    world.run(0.2)
    return desk, seen


def test_the_server_knows_of_each_call_as_it_is(world, pbx, published, sip):
    """RFC 4235 §3.7.1, RFC 3903 §4.4: whole documents in place of one another.

    RFC 3903 §4.1: by PUBLISH, to our own address.
    """
    desk, seen = published
    assert seen == [("3600", [])]
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER), desk)
    world.run(2.0)
    desk.agent.ring(desk.last(IncomingCall).call, world.now)
    world.run(2.0)
    desk.agent.reject(desk.last(IncomingCall).call, 486, world.now)
    world.run(2.0)
    assert [phases for _, phases in seen[1:]] == [[Phase.TRYING], [Phase.EARLY], []]


def test_not_oftener_than_once_a_second(world, pbx, published, sip):
    """RFC 4235 §3.10."""
    desk, seen = published
    world.run(5.0)
    for number in range(10):
        message = sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER, call_id=f"c{number}",
                              branch=f"z9hG4bKc{number}")  # fmt: skip
        pbx.tell(message, desk)
        world.run(0.05)
    world.run(2.0)
    assert [len(phases) for _, phases in seen] == [0, 1, 10]


def test_a_line_that_is_gone_publishes_nothing(world, published):
    desk, seen = published
    desk.agent.set_lines((), world.now)
    world.run(60.0)
    assert len(seen) == 1
    assert len(desk.agent) == 0


def test_a_phone_that_stops_takes_it_back(world, published):
    """RFC 3903 §4.5."""
    desk, seen = published
    desk.agent.shut_down(world.now)
    world.run(1.0)
    assert seen[-1] == ("0", None)


def test_others_publish_nothing(world, desk, pbx, sip):
    del pbx
    desk.agent.register(sip.LINE, world.now)
    world.run(5.0)
    assert len(desk.agent._published_calls) == 0
