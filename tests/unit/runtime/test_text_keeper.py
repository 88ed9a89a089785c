"""Texts over restarts: written behind the storage thread, read again at start."""

import asyncio

import pytest

from firmware.phone.commands import KeepText
from firmware.runtime.text_keeper import TextKeeper
from firmware.sip.notifications import LineName, Party
from firmware.storage.writer import Writer

LINE, ANN = LineName("desk"), Party("Ann", "201", "sip:201@pbx")


@pytest.fixture
async def lives(tmp_path):
    """Lives of one phone's texts, one after the other."""
    writers = []

    def born():
        for writer, texts in writers:
            writer.submit(texts.close)
            assert writer.close()
        writers.clear()
        writer = Writer(asyncio.get_running_loop().call_soon_threadsafe, lambda _: None)
        writers.append((writer, TextKeeper(tmp_path / "texts.db", writer)))
        return writers[-1][1]

    yield born
    for writer, texts in writers:
        writer.submit(texts.close)
        writer.close()


async def loaded(texts, now=100.0, wall=5000.0):
    heard = []
    texts.load(heard.append, now, wall)
    await texts.rows(1, 0)  # the storage thread does one job after the other, and tells in order
    return heard


async def test_they_come_back_the_oldest_first_with_what_was_read(lives):
    first = lives()
    for number in range(3):
        first.add(KeepText(f"k{number}", LINE, ANN, f"text {number}"), 4000.0 + number)
    first.mark_read(("k1",))
    [texts] = await loaded(lives())
    assert [(each.text, each.unread, each.sender) for each in texts] == [
        ("text 0", True, ANN),
        ("text 1", False, ANN),
        ("text 2", True, ANN),
    ]
    assert texts[0].at == 100.0 - 1000.0


async def test_f10_a_clock_that_lost_the_time_does_not_put_them_into_the_future(lives):
    lives().add(KeepText("k", LINE, ANN, "x"), 4000.0)
    [texts] = await loaded(lives(), now=3.0, wall=12.0)
    assert texts[0].at == 3.0


async def test_a_phone_to_which_nobody_wrote_has_no_file(lives, tmp_path):
    texts = lives()
    assert await loaded(texts) == []
    assert await texts.rows(50, 0) == ()
    assert not (tmp_path / "texts.db").exists()


async def test_they_can_be_forgotten(lives):
    texts = lives()
    for number in range(3):
        texts.add(KeepText(f"k{number}", LINE, ANN, "x"), 1.0)
    texts.forget()
    assert await texts.rows(50, 0) == ()
    assert await loaded(lives()) == []


async def test_f05_a_disk_that_refuses_is_said_and_costs_nothing_else(lives, tmp_path, monkeypatch):
    texts = lives()
    (tmp_path / "texts.db").mkdir()  # no database can be made there
    texts.add(KeepText("k", LINE, ANN, "x"), 1.0)
    assert [row.text for row in await texts.rows(50, 0)] == ["x"]  # until the power goes
    assert texts.trouble.text == "storage.in_memory"
    monkeypatch.setattr(
        texts, "_writer", type("Full", (), {"submit": lambda *_: False, "__len__": lambda _: 1})()
    )
    assert await texts.rows(50, 0) is None
    assert texts.trouble.text == "storage.busy"
