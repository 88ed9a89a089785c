"""Lines in, replies and events out; bad, greedy and slow clients harm nobody."""

import asyncio
import json

import pytest

from firmware.control import schema
from firmware.control.schema import Role
from firmware.control.server import CLIENT_LIMIT, QUEUE_LIMIT, ControlServer
from firmware.ui.text import Texts


class Line:
    """A client that writes and reads lines as they are."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def say(self, line: bytes) -> dict:
        self.writer.write(line + b"\n")
        return await self.hear()

    async def hear(self) -> dict:
        return json.loads(await self.reader.readline())


@pytest.fixture
async def connect(server, path):
    writers = []

    async def connect() -> Line:
        reader, writer = await asyncio.open_unix_connection(path)
        writers.append(writer)
        return Line(reader, writer)

    yield connect
    for writer in writers:
        writer.close()


async def test_status_is_answered_under_the_number_of_the_request(connect):
    client = await connect()

    reply = await client.say(b'{"verb":"status","id":7}')

    assert (reply["id"], reply["ok"]) == (7, True)
    assert reply["result"]["lines"][0]["registered"] is True


async def test_a_verb_reaches_the_phone(connect, phone):
    client = await connect()

    assert (await client.say(b'{"verb":"dial","target":"600"}'))["ok"]

    assert phone.asked == [schema.Dial(target="600")]


async def test_a_refusal_says_why(connect):
    client = await connect()

    reply = await client.say(b'{"verb":"dial","target":"999","id":3}')

    assert reply == {"id": 3, "ok": False, "error": "no line is registered", "kind": "failed"}


async def test_nonsense_is_answered_and_the_connection_lives_on(connect, phone):
    client = await connect()

    for line in (b"\x00\xff", b'{"id":9,"verb":"x"}', b"[" * 3000, b'{"verb":"key","key":"?"}'):
        reply = await client.say(line)
        assert (reply["ok"], reply["kind"]) == (False, "bad_request")

    assert (await client.say(b'{"verb":"answer"}'))["ok"]
    assert phone.asked == [schema.Answer()]


async def test_a_wrong_request_is_refused_under_its_own_number(connect):
    client = await connect()

    assert (await client.say(b'{"id":9,"verb":"x"}'))["id"] == 9


async def test_empty_lines_are_passed_over(connect):
    client = await connect()
    client.writer.write(b"\n  \n")

    assert (await client.say(b'{"verb":"status"}'))["ok"]


async def test_a_line_without_end_closes_the_connection(connect, server):
    client = await connect()
    client.writer.write(b"x" * (schema.LINE_LIMIT + 2))

    assert "65536" in (await client.hear())["error"]
    assert await client.reader.read() == b""


async def test_an_answer_that_is_too_long_is_refused(connect, phone):
    phone.ladder_rows = 10_000
    client = await connect()

    assert "refused.long_answer" in (await client.say(b'{"verb":"ladder"}'))["error"]


async def test_a_subscriber_hears_how_things_stand_and_then_what_changes(connect, server):
    client = await connect()
    client.writer.write(b'{"verb":"events","id":1}\n')

    heard = [await client.hear() for _ in range(3)]
    server.publish(schema.NoticeEvent(at=2.0, text="no network"))

    assert [one.get("event") for one in heard] == ["status", "lamps", None]
    assert heard[2] == {"id": 1, "ok": True, "result": None}
    assert (await client.hear())["text"] == "no network"


async def test_a_subscriber_hears_only_the_topics_it_asked_for(connect, server):
    client = await connect()
    client.writer.write(b'{"verb":"events","topics":["lamps"]}\n')
    assert (await client.hear())["event"] == "lamps"
    assert (await client.hear())["ok"]

    server.publish(schema.NoticeEvent(at=2.0, text="no network"))
    server.publish(schema.LampsEvent(at=3.0, lamps={"message": "on"}))

    assert (await client.hear())["lamps"] == {"message": "on"}


async def test_who_did_not_subscribe_hears_nothing(connect, server):
    client = await connect()
    assert (await client.say(b'{"verb":"status"}'))["ok"]

    server.publish(schema.NoticeEvent(at=2.0, text="no network"))

    assert (await client.say(b'{"verb":"status","id":2}'))["id"] == 2


async def test_a_slow_reader_is_told_how_much_it_missed(connect, server):
    client = await connect()
    assert "event" in await client.say(b'{"verb":"events","topics":["notice","status"]}')
    assert (await client.hear())["ok"]

    for number in range(QUEUE_LIMIT + 40):
        server.publish(schema.NoticeEvent(at=0.0, text=str(number)))
    heard = [await client.hear() for _ in range(QUEUE_LIMIT + 1)]

    assert heard[-2]["text"] == str(QUEUE_LIMIT - 1)
    assert heard[-1] == {"event": "gap", "dropped": 40}


async def test_a_reader_that_never_reads_is_dropped(connect, server):
    client = await connect()
    assert "event" in await client.say(b'{"verb":"events"}')
    text = "x" * 60_000

    async def flood():
        while len(server):
            server.publish(schema.NoticeEvent(at=0.0, text=text))
            await asyncio.sleep(0)

    await asyncio.wait_for(flood(), 10)


async def test_the_seventeenth_client_is_turned_away(connect, server):
    clients = [await connect() for _ in range(CLIENT_LIMIT)]
    for client in clients:
        assert (await client.say(b'{"verb":"status"}'))["ok"]

    late = await connect()

    assert "refused.full count=16" in (await late.hear())["error"]
    assert await late.reader.read() == b""


async def test_a_client_that_left_makes_room(connect, server):
    for _ in range(3 * CLIENT_LIMIT):
        client = await connect()
        assert (await client.say(b'{"verb":"status"}'))["ok"]
        client.writer.close()
        await client.writer.wait_closed()

    client = await connect()
    assert (await client.say(b'{"verb":"status"}'))["ok"]


async def test_a_request_may_lower_its_role(connect, phone):
    client = await connect()

    reply = await client.say(b'{"verb":"reload","role":"phone"}')

    assert (reply["ok"], reply["kind"]) == (False, "not_allowed")
    assert phone.asked == []


async def test_a_request_cannot_raise_its_role(phone, path):
    server = ControlServer(phone, role_of=lambda _peer: Role.VIEW)
    await server.start(path)
    reader, writer = await asyncio.open_unix_connection(path)
    client = Line(reader, writer)

    refused = await client.say(b'{"verb":"dial","target":"600","role":"admin"}')
    allowed = await client.say(b'{"verb":"status","role":"admin"}')
    writer.close()
    await server.stop()

    assert refused["kind"] == "not_allowed"
    assert allowed["ok"]


async def test_the_socket_goes_with_the_phone(phone, path):
    server = ControlServer(phone)
    await server.start(path)

    await server.stop()

    with pytest.raises(FileNotFoundError):
        await asyncio.open_unix_connection(path)


async def test_stopping_lets_go_of_every_client(phone, path):
    server = ControlServer(phone)
    await server.start(path)
    reader, writer = await asyncio.open_unix_connection(path)
    assert (await Line(reader, writer).say(b'{"verb":"status"}'))["ok"]

    await server.stop()

    assert len(server) == 0
    assert await reader.read() == b""
    writer.close()


async def test_a_reason_is_said_in_the_phones_words(phone, path):
    server = ControlServer(phone, role_of=lambda _peer: Role.VIEW, say=Texts.load().phrase)
    await server.start(path)
    try:
        line = Line(*await asyncio.open_unix_connection(path))
        reply = await line.say(b'{"verb":"reload"}')
        assert reply["error"] == "this needs the role admin"
        line.writer.close()
    finally:
        await server.stop()
