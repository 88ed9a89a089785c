"""Requests of a line outside dialogs know their way and keep who they are."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.headers import NameAddr
from firmware.sip.outgoing import OutOfDialog, out_of_dialog, way_of
from firmware.sip.uri import parse_uri

FLOW = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060))


class User:
    """Sends at once and remembers the answers."""

    def __init__(self):
        self.statuses, self.failed = [], []

    def on_located(self, exchange, now):
        exchange.go(now)

    def on_response(self, _exchange, response, _now):
        self.statuses.append(response.status)

    def on_failed(self, _exchange, cause, _detail, _now):
        self.failed.append(cause)


@pytest.fixture
def line(desk, sip):
    return desk.agent._core.lines[sip.LINE]


@pytest.fixture
def core(desk):
    return desk.agent._core


def test_without_a_registration_it_goes_to_the_target(line):
    target = parse_uri("sip:600@far.example")
    way = way_of(line, target)
    assert (way.hop, way.uri, way.routes, way.hint) == (target, target, (), None)


def test_a_number_goes_to_the_server(core, line):
    letter = out_of_dialog(core, line, "MESSAGE", "600", (("Content-Type", "text/plain"),), b"hi")
    request = letter.compose(FLOW)
    assert request.uri == "sip:600@192.0.2.9"
    assert request.headers.get("To") == "<sip:600@192.0.2.9>"
    assert request.headers.get("Content-Type") == "text/plain"
    assert request.body == b"hi"


def test_what_cannot_be_addressed_is_our_own_fault(core, line):
    with pytest.raises(LocalError):
        out_of_dialog(core, line, "MESSAGE", "no good")


def test_every_attempt_is_the_same_request_with_the_next_number(core, line):
    """RFC 3261 §8.1.3.5, §22.2: Call-ID and tag stay, CSeq grows."""
    letter = OutOfDialog(core, line, "SUBSCRIBE", parse_uri("sip:600@192.0.2.9"))
    first, second = letter.compose(FLOW), letter.compose(FLOW)
    for name in ("Call-ID", "From", "To", "Contact"):
        assert first.headers.get(name) == second.headers.get(name)
    numbers = [each.headers.get("CSeq") for each in (first, second)]
    assert numbers == ["1 SUBSCRIBE", "2 SUBSCRIBE"]


def test_a_message_has_no_contact_and_may_have_another_sender(core, line):
    sender = NameAddr("Anonymous", parse_uri("sip:anonymous@anonymous.invalid"))
    letter = OutOfDialog(
        core, line, "MESSAGE", parse_uri("sip:600@192.0.2.9"), sender=sender, contact=False
    )
    request = letter.compose(FLOW)
    assert "Contact" not in request.headers
    assert request.headers.get("From").startswith('"Anonymous" <sip:anonymous@')


def test_it_is_sent_challenged_and_answered(world, desk, pbx, sip, core, line):
    challenge = 'Digest realm="pbx", nonce="n", algorithm=SHA-256, qop="auth"'
    answers = iter([(407, ("Proxy-Authenticate", challenge)), (202,)])
    pbx.reply = lambda message: [sip.answer_to(message, *next(answers))]
    desk.agent._screening.learn(line, sip.PBX, (), world.now)
    line.servers.add(sip.PBX)
    user = User()
    out_of_dialog(core, line, "MESSAGE", "600").exchange(user).start(world.now)
    world.run(1.0)
    assert user.statuses == [202]
    assert "Proxy-Authorization" in pbx.requests("MESSAGE")[1].headers


@pytest.mark.slow
def test_ten_thousand_letters_leave_nothing(world, desk, pbx, sip, core, line):
    pbx.reply = lambda message: [sip.answer_to(message, 200)]
    user = User()
    for _ in range(10_000):
        out_of_dialog(core, line, "MESSAGE", "600").exchange(user).start(world.now)
        world.run(0.02)
        for store in (pbx.inbox, pbx.flows, pbx.raw, world.log):
            store.clear()
    world.run(60.0)
    assert len(user.statuses) == 10_000
    assert len(desk.agent) == 0
