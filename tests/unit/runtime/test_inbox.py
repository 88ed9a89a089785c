import asyncio
import threading

import pytest

from firmware.phone.actions import Digit, HangUp
from firmware.runtime.inbox import Inbox


@pytest.fixture
async def kept():
    """Handled inputs, and the inbox that hands them over."""
    handled = []
    inbox = Inbox(handled.append)
    return handled, inbox


async def test_inputs_are_handed_over_in_their_order(kept):
    handled, inbox = kept
    for digit in "123":
        inbox.put(Digit(digit))
    assert handled == [Digit("1"), Digit("2"), Digit("3")]


async def test_an_input_that_another_one_causes_waits_its_turn():
    handled = []

    def handle(event):
        handled.append(("begin", event.digit))
        if event.digit == "1":
            inbox.put(Digit("2"))
            assert len(inbox) == 1
        handled.append(("end", event.digit))

    inbox = Inbox(handle)
    inbox.put(Digit("1"))
    assert handled == [("begin", "1"), ("end", "1"), ("begin", "2"), ("end", "2")]
    assert len(inbox) == 0


async def test_threads_may_post_and_each_ones_inputs_keep_their_order(kept):
    handled, inbox = kept
    where = []
    inbox._handle = lambda event: (handled.append(event), where.append(threading.get_ident()))

    def press(digit):
        for number in range(500):
            inbox.post(Digit(f"{digit}{number}"))

    threads = [threading.Thread(target=press, args=(digit,)) for digit in "123"]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    await asyncio.sleep(0)
    assert len(handled) == 1500
    for digit in "123":
        numbers = [int(event.digit[1:]) for event in handled if event.digit[0] == digit]
        assert numbers == list(range(500))
    assert set(where) == {threading.get_ident()}


async def test_f43_a_failing_input_costs_itself_only(caplog):
    handled = []

    def handle(event):
        if event == HangUp():
            raise ZeroDivisionError("oops")
        handled.append(event)

    inbox = Inbox(handle)
    for event in (Digit("1"), HangUp(), Digit("2")):
        inbox.put(event)
    assert handled == [Digit("1"), Digit("2")]
    assert inbox.failures == 1
    assert "the phone failed to handle HangUp" in caplog.text
    assert "ZeroDivisionError: oops" in caplog.text


def test_after_the_end_nobody_is_interested():
    async def make():
        return Inbox(print)

    inbox = asyncio.run(make())
    inbox.post(Digit("1"))  # the loop is closed: no error, nothing handled
    assert len(inbox) == 0


async def test_what_the_hardware_says_before_the_phone_is_there_waits_for_it():
    heard = []
    inbox = Inbox(heard.append)
    inbox.hold()
    await asyncio.to_thread(inbox.post, "the handset is off")
    await asyncio.sleep(0)
    assert heard == []
    inbox.put("started")
    inbox.welcome()
    await asyncio.to_thread(inbox.post, "a key")
    await asyncio.sleep(0)
    assert heard == ["started", "the handset is off", "a key"]
