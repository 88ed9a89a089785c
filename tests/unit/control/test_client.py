"""The blocking client, from a thread, against the real server."""

import asyncio
import json
import socket

import pytest

from firmware.control import schema
from firmware.control.client import Client
from firmware.control.errors import NoPhoneError, RefusalKind, RefusedError


async def test_ask_gives_the_result_as_its_type(server, path):
    def status():
        with Client(path) as client:
            return client.ask(schema.Status(), schema.StatusReply)

    assert (await asyncio.to_thread(status)).state == "idle"


async def test_ask_raises_the_refusal(server, path):
    def dial():
        with Client(path) as client:
            client.ask(schema.Dial(target="999"), type(None))

    with pytest.raises(RefusedError, match="no line is registered") as caught:
        await asyncio.to_thread(dial)
    assert caught.value.kind is RefusalKind.FAILED


async def test_events_begin_with_the_present(server, path):
    def first_two():
        with Client(path) as client:
            events = client.events()
            return next(events), next(events)

    status, lamps = await asyncio.to_thread(first_two)

    assert isinstance(status, schema.StatusEvent)
    assert isinstance(lamps, schema.LampsEvent)


async def test_a_verb_on_a_subscribed_connection_keeps_the_events_before_it(server, path):
    def listen_and_ask():
        with Client(path) as client:
            events = client.events()
            status = client.ask(schema.Status(), schema.StatusReply)
            return status, next(events)

    status, event = await asyncio.to_thread(listen_and_ask)

    assert status.state == "idle"
    assert isinstance(event, schema.StatusEvent)


def test_no_phone_is_said_with_the_path(path):
    with pytest.raises(NoPhoneError, match=r"no phone is running at .*control\.sock"):
        Client(path)


def test_a_phone_that_hangs_is_not_waited_for(path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with Client(path, timeout=0.05) as client, pytest.raises(NoPhoneError, match="answer"):
            client.ask(schema.Status(), schema.StatusReply)


async def test_a_phone_that_ends_is_noticed(server, path):
    def outlive():
        with Client(path) as client:
            events = client.event_lines()
            heard = [json.loads(next(events))["event"] for _ in range(2)]
            loop.call_soon_threadsafe(lambda: asyncio.ensure_future(server.stop()))
            heard.extend(line.decode() for line in events)
            return heard

    loop = asyncio.get_running_loop()

    assert await asyncio.to_thread(outlive) == ["status", "lamps"]
