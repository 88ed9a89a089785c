"""F43, F21: what fails in the driver costs that much and no more."""

import asyncio

import pytest

from firmware.sip.flow import Transport
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    RegistrationChanged,
    RegistrationState,
)
from tests.support.driver_party import CALL, LINE, at


class PlantedError(RuntimeError):
    """A fault that was planted."""


def broken(*_anything):
    raise PlantedError


@pytest.fixture
async def registered(pair):
    """A registered phone and its PBX."""
    phone, pbx = pair
    phone.have(phone.server)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    await phone.hears(RegistrationChanged, state=RegistrationState.REGISTERED)
    phone.heard.clear()
    return phone, pbx


def planted(monkeypatch, target, name, times=1):
    """Let a method fail so many times after it has done its work."""
    real, left = getattr(target, name), [times]

    def fails(*given):
        done = real(*given)
        if left[0]:
            left[0] -= 1
            raise PlantedError
        return done

    monkeypatch.setattr(target, name, fails)


async def until(true):
    """Wait for something that wakes nobody."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - a counter sets no event
            await asyncio.sleep(0.01)


async def hangs_up(phone, pbx):
    """A whole call."""
    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    await phone.hears(CallAnswered)
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await phone.hears(CallEnded)


async def test_f43_a_message_at_which_the_stack_fails_costs_that_message(
    registered, monkeypatch, caplog
):
    phone, pbx = registered
    receive = phone.agent.receive

    def chokes(data, flow, now):
        if data.startswith(b"MESSAGE"):
            raise PlantedError
        receive(data, flow, now)

    monkeypatch.setattr(phone.agent, "receive", chokes)
    pbx.driver._udp[0].send(
        next(flow for sent, _, flow in pbx.traced if sent),
        b"MESSAGE sip:101@x SIP/2.0\r\n\r\n",
    )
    await hangs_up(phone, pbx)
    assert phone.driver.failures == 1
    assert "MESSAGE sip:101@x" in caplog.text
    assert "PlantedError" in caplog.text
    assert phone.driver._timer is not None


async def test_f43_what_a_failing_input_caused_is_still_performed(registered, monkeypatch):
    phone, pbx = registered
    planted(monkeypatch, phone.agent, "receive", times=100)
    await hangs_up(phone, pbx)
    assert phone.driver.failures >= 3, "180, 200 and the 200 of BYE"


async def test_f43_a_failing_timer_is_armed_again_and_does_not_turn_hot(registered, monkeypatch):
    phone, _ = registered
    rung = []

    def rings(now):
        rung.append(now)
        raise PlantedError

    monkeypatch.setattr(phone.agent, "fire_timers", rings)
    monkeypatch.setattr(phone.agent, "next_deadline", lambda: phone.now)
    phone.driver.settle()
    await until(lambda: len(rung) >= 3)
    assert rung[2] - rung[0] > 0.15
    assert phone.driver.failures == len(rung)


async def test_f43_one_notification_that_fails_does_not_swallow_the_next(registered, monkeypatch):
    phone, _ = registered
    monkeypatch.setattr(phone.driver, "_notify", broken)
    phone.agent.invite(CALL, LINE, "600", phone.now)
    phone.driver.settle()
    await until(lambda: phone.driver.failures)
    monkeypatch.setattr(phone.driver, "_notify", phone.notified)
    phone.agent.end(CALL, phone.now)
    phone.driver.settle()
    await phone.hears(CallEnded)


async def test_f43_one_effect_that_fails_does_not_hold_up_the_others(registered, monkeypatch):
    phone, pbx = registered
    planted(monkeypatch, phone.driver, "_transmit")
    await hangs_up(phone, pbx)
    assert phone.driver.failures == 1


@pytest.mark.parametrize(
    ("transport", "part"), [(Transport.UDP, "_resolver"), (Transport.TCP, "_streams")]
)
async def test_f43_a_task_that_dies_is_counted_and_the_line_tries_again(
    pair, monkeypatch, caplog, transport, part
):
    phone, _ = pair
    monkeypatch.setattr(phone.driver, part, None)  # whatever is asked of it fails
    phone.have(f"localhost:{phone.server.rpartition(':')[2]}", transport=transport)
    if part == "_streams":
        phone.have(phone.server, transport=transport)
    phone.agent.register(LINE, phone.now)
    phone.driver.settle()
    failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
    assert failed.retry_in > 0
    assert phone.driver.failures == 1
    assert "AttributeError" in caplog.text
    monkeypatch.undo()


GARBAGE = {
    "noise": b"\xff" * 400 + b"\r\n\r\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "half a message": b"SIP/2.0 200 OK\r\nVia: SIP",
    "a length that is none": b"SIP/2.0 200 OK\r\nContent-Length: -7\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_f21_a_server_that_answers_each_register_with_garbage_is_asked_ever_less(
    parties, answer
):
    """It takes the connection, reads, says something that is no SIP, and hangs up."""
    connections = []

    async def serve(reader, writer):
        connections.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    phone = parties()
    await phone.driver.listen(("127.0.0.1",), 0)
    phone.have(at(*server.sockets[0].getsockname()), transport=Transport.TCP)
    phone.agent.register(LINE, phone.now)
    waits = []
    async with server:
        for attempt in range(1, 4):
            phone.driver.settle()
            failed = await phone.hears(RegistrationChanged, state=RegistrationState.FAILED)
            assert len(connections) == attempt, "one connection for each attempt"
            waits.append(failed.retry_in)
            phone.heard.clear()
            phone.agent.fire_timers(phone.now + failed.retry_in)
    assert waits[0] >= 4.0
    assert waits[2] > waits[1] > waits[0]
