"""The client of the web page's process."""

import asyncio

import pytest

from firmware.control import schema
from firmware.control.async_client import AsyncClient
from firmware.control.errors import NoPhoneError, RefusedError


async def test_many_questions_at_once_each_get_their_own_answer(server, path):
    client = await AsyncClient.connect(path)

    replies = await asyncio.gather(
        client.ask(schema.Status(), schema.StatusReply),
        client.ask(schema.Dial(target="999"), type(None)),
        client.ask(schema.Ladder(), schema.LadderReply),
        return_exceptions=True,
    )

    assert isinstance(replies[0], schema.StatusReply)
    assert isinstance(replies[1], RefusedError)
    assert isinstance(replies[2], schema.LadderReply)
    assert len(client) == 0
    await client.close()


async def test_events_go_to_the_callback(server, path):
    heard: list[schema.AnyEvent] = []
    client = await AsyncClient.connect(path, heard.append)

    await client.ask(schema.Events(), type(None))
    server.publish(schema.NoticeEvent(at=0.0, text="no network"))
    await client.ask(schema.Status(), schema.StatusReply)

    assert [type(event) for event in heard] == [
        schema.StatusEvent,
        schema.LampsEvent,
        schema.NoticeEvent,
    ]
    await client.close()


async def test_the_end_of_the_phone_is_noticed(server, path):
    client = await AsyncClient.connect(path)
    await client.ask(schema.Status(), schema.StatusReply)

    await server.stop()
    await asyncio.wait_for(client.closed(), 20)

    with pytest.raises(NoPhoneError):
        await client.ask(schema.Status(), schema.StatusReply)
    await client.close()


async def test_no_phone_is_said(path):
    with pytest.raises(NoPhoneError, match="no phone is running"):
        await AsyncClient.connect(path)
