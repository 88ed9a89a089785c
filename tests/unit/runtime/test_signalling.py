import asyncio

import pytest

from firmware.base.tokens import Tokens
from firmware.config.schema import LineSettings, NetworkSettings, Settings
from firmware.net.errors import PortTakenError
from firmware.runtime import signalling as module
from firmware.runtime.signalling import Signalling
from firmware.sip.notifications import RegistrationChanged, RegistrationState


class Identities:
    def contact_user(self, _line):
        return "abcdefghijklmnop"

    def instance_id(self, _line):
        return "urn:uuid:00000000-0000-4000-8000-000000000000"

    def card_numbers(self, _line):
        return ()


class Registrar(asyncio.DatagramProtocol):
    """Notes what arrives."""

    def __init__(self):
        self.heard = []
        self.answering = False

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, source):
        self.heard.append(data)
        self._source = source
        if self.answering:
            self.answer()

    def answer(self):
        """200 to what arrived last."""
        rows = self.heard[-1].split(b"\r\n")
        kept = (b"Via", b"From", b"To", b"Call-ID", b"CSeq", b"Contact")
        copied = [row for row in rows if row.split(b":")[0] in kept]
        self.transport.sendto(
            b"\r\n".join([b"SIP/2.0 200 OK", *copied, b"Expires: 60", b"", b""]), self._source
        )


@pytest.fixture
async def registrar():
    transport, made = await asyncio.get_running_loop().create_datagram_endpoint(
        Registrar, local_addr=("127.0.0.1", 0)
    )
    yield made
    transport.close()


@pytest.fixture
async def signalling():
    made = []

    def make():
        made.append(Signalling("phone/1", Tokens(b"s" * 16), Identities()))
        return made[-1]

    yield make
    for each in made:
        await each.driver.close()


def settings(registrar, *users, port=0):
    lines = tuple(
        LineSettings(user=user, server=f"127.0.0.1:{registrar.port}", name=user) for user in users
    )
    return Settings(lines=lines, network=NetworkSettings(bind=("127.0.0.1",), sip_port=port))


async def test_the_first_register_has_left_when_starting_is_done(signalling, registrar, until):
    await signalling().start(settings(registrar, "101"), ())
    await until(lambda: registrar.heard)
    assert registrar.heard[0].startswith(b"REGISTER sip:127.0.0.1")
    assert b"User-Agent: phone/1" in registrar.heard[0]


async def test_what_happened_before_anybody_listened_is_told_first(signalling, registrar):
    some = signalling()
    await some.start(settings(registrar, "101"), ())
    heard = []
    some.listen_with(heard.append)
    assert [thing.state for thing in heard if isinstance(thing, RegistrationChanged)] == [
        RegistrationState.TRYING
    ]
    count = len(heard)
    some.use_lines(settings(registrar, "101", "102"))
    some.driver.settle()
    assert {thing.line for thing in heard[count:]} == {"102"}


async def test_everything_is_in_the_trace(signalling, registrar):
    some = signalling()
    await some.start(settings(registrar, "101"), ())
    [seen] = some.trace.messages()
    assert seen.sent
    assert seen.cseq.endswith("REGISTER")


async def test_a_damaged_dialog_of_an_earlier_life_does_not_stop_the_phone(
    signalling, registrar, until
):
    await signalling().start(settings(registrar, "101"), (b"", b"{}", b"\xff" * 100))
    await until(lambda: registrar.heard)


async def test_a_taken_port_is_named(signalling, registrar):
    with pytest.raises(PortTakenError, match=f"UDP port {registrar.port} is taken by"):
        await signalling().start(settings(registrar, "101", port=registrar.port), ())


async def test_goodbye_takes_the_registrations_back(signalling, registrar, until):
    some = signalling()
    await some.start(settings(registrar, "101"), ())
    await until(lambda: registrar.heard)
    registrar.answer()
    await until(lambda: any(isinstance(each, RegistrationChanged) for each in some._early[1:]))
    registrar.answering = True
    await some.say_goodbye()
    assert b"Expires: 0" in registrar.heard[-1]
    assert some.agent.settled


async def test_a_registrar_that_is_gone_does_not_keep_the_phone_from_stopping(
    signalling, registrar, until, monkeypatch
):
    monkeypatch.setattr(module, "GOODBYE_SECONDS", 0.1)
    some = signalling()
    await some.start(settings(registrar, "101"), ())
    await until(lambda: registrar.heard)
    await some.say_goodbye()
