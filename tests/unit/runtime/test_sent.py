"""`ctl message` is answered when it is known what became of the text; `ctl messages` lists them."""

import asyncio
import itertools

import pytest

from firmware.base.phrase import Phrase
from firmware.control import schema as s
from firmware.control.errors import RefusedError
from firmware.media.messages import PathName
from firmware.phone.commands import KeepText
from firmware.phone.events import Started
from firmware.phone.view import PhoneView
from firmware.runtime.desk import Desk
from firmware.runtime.news import changes
from firmware.runtime.text_keeper import TextKeeper
from firmware.runtime.trace import Trace
from firmware.sip import notifications as n
from firmware.sip.errors import LocalError
from firmware.sip.notifications import FailureCause, Party, RegistrationState
from firmware.storage.writer import Writer
from tests.unit.runtime.conftest import LINE, Part

ANN = Party("Ann", "201", "sip:201@pbx")


@pytest.fixture
async def desk(loop, house):
    """A registered phone."""
    loop.inbox.put(Started((PathName.HANDSET, PathName.SPEAKER, PathName.RINGER)))
    loop.inbox.put(n.RegistrationChanged(LINE, RegistrationState.REGISTERED, expires_in=3600.0))
    house.agent.messages = Part()
    return Desk(loop, house, Trace(), None)


async def asks(desk):
    task = asyncio.create_task(desk.handle(s.Message(target="102", text="Hello")))
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_text_that_is_taken(desk, loop, house):
    task = await asks(desk)
    verb, ref, line, target, text, *_ = house.agent.messages.asked[-1]
    assert (verb, line, target, text) == ("send", LINE, "102", "Hello")
    loop.inbox.put(n.MessageOutcome(ref, LINE))
    assert await task is None


async def test_a_text_that_nobody_takes_says_why(desk, loop, house):
    task = await asks(desk)
    ref = house.agent.messages.asked[-1][1]
    loop.inbox.put(n.MessageOutcome(ref, LINE, FailureCause.NOT_FOUND, 404))
    with pytest.raises(RefusedError, match="call_not_found"):
        await task


async def test_a_text_that_cannot_be_sent_at_all(desk, house):
    class Strict(Part):
        def send(self, *_, **__):
            raise LocalError("a message has at most 800 octets, this has 5000")

    house.agent.messages = Strict()
    with pytest.raises(RefusedError, match="call_other"):
        await desk.handle(s.Message(target="102", text="x" * 800))


async def test_what_makes_no_sense_is_refused_before(desk):
    with pytest.raises(RefusedError, match="message_empty"):
        await desk.handle(s.Message(target="102", text=" "))


async def test_a_text_into_the_call_that_is_up(desk, loop, house):
    with pytest.raises(RefusedError, match="no_call_up"):
        await desk.handle(s.Tell(text="Hello"))
    with pytest.raises(RefusedError, match="no_such_call"):
        await desk.handle(s.Tell(text="Hello", call="in-9"))
    assert house.agent.messages.asked == []
    del loop


async def test_who_is_written_to_may_know(desk, house):
    await desk.handle(s.Writing(target="102"))
    await desk.handle(s.Writing(target="102", on=False))
    said = [
        (verb, target, dict(more)["active"])
        for verb, _, target, _, *more in house.agent.messages.asked
    ]
    assert said == [("compose", "102", True), ("compose", "102", False)]


async def test_texts_are_listed_from_the_disk_and_else_from_memory(desk, loop, tmp_path):
    writer = Writer(asyncio.get_running_loop().call_soon_threadsafe, lambda _: None)
    desk.texts = TextKeeper(tmp_path / "texts.db", writer)
    try:
        assert (await desk.handle(s.Messages())).texts == ()
        for number in range(120):
            desk.texts.add(KeepText(f"k{number}", LINE, ANN, f"{number} " + "x" * 600), 7.0)
        reply = await desk.handle(s.Messages(limit=3, skip=1))
        assert [text.text[:4] for text in reply.texts] == ["118 ", "117 ", "116 "]
        assert (reply.more, reply.texts[0].at) == (True, 7.0)
        whole = await desk.handle(s.Messages(limit=1000))
        assert len(whole.texts) < 50  # what does not fit into a line of the socket comes next
        assert whole.more
        loop.inbox.put(n.MessageReceived(LINE, ANN, "remembered"))
        desk.texts.trouble = Phrase("storage.full")
        assert [text.text for text in (await desk.handle(s.Messages())).texts] == ["remembered"]
        await desk.handle(s.MessagesRead(forget=True))
        assert loop.view.texts == ()
    finally:
        writer.submit(desk.texts.close)
        writer.close()


async def test_texts_are_listed_newest_first(desk, loop):
    for text in ("one", "two"):
        loop.inbox.put(n.MessageReceived(LINE, ANN, text))
    loop.inbox.put(n.ComposingChanged(LINE, ANN, active=True))
    reply = await desk.handle(s.Messages())
    assert [(text.text, text.name, text.user, text.unread) for text in reply.texts] == [
        ("two", "Ann", "201", True),
        ("one", "Ann", "201", True),
    ]
    assert reply.writing == ("Ann",)
    assert (await desk.handle(s.Status())).texts == 2


async def test_status_tells_of_the_people_who_are_watched(desk, loop, settings):
    del settings
    assert (await desk.handle(s.Status())).buddies == ()
    assert loop.view.buddies == ()


async def test_listeners_hear_of_each_text_once(desk, loop):
    del desk
    views: list[PhoneView] = [loop.view]
    loop.watch(lambda _, new: views.append(new))
    for text in ("one", "two"):
        loop.inbox.put(n.MessageReceived(LINE, ANN, text))
    heard = [
        event.message.text
        for old, new in itertools.pairwise(views)
        for event in changes(old, new, {}, lambda text, _: text, 0.0, 10.0)
        if isinstance(event, s.MessageEvent)
    ]
    assert heard == ["one", "two"]
