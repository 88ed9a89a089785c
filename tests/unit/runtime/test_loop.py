import asyncio

import pytest

from firmware.media.messages import PathName
from firmware.phone.actions import Digit
from firmware.phone.commands import PlaceCall
from firmware.phone.events import Started
from firmware.phone.view import Mode
from firmware.runtime import asides, performers
from firmware.sip.notifications import RegistrationChanged, RegistrationState
from hal.keys import Key

LINE = "101@pbx"


@pytest.fixture
async def phone(loop):
    """A phone that has started and whose line is registered."""
    loop.inbox.put(Started((PathName.HANDSET, PathName.RINGER)))
    loop.inbox.put(RegistrationChanged(LINE, RegistrationState.REGISTERED))
    return loop


async def test_lifting_the_handset_and_dialling_places_a_call(phone, house, panel):
    panel.lift()
    for key in (Key.DIGIT_2, Key.DIGIT_0, Key.DIGIT_4):
        panel.press(key)
        panel.release(key)
    await asyncio.sleep(0)
    assert phone.view.mode is Mode.DIALLING
    assert phone.view.digits == "204"
    panel.press(Key.OK)
    await asyncio.sleep(0)
    assert [asked[0] for asked in house.agent.asked] == ["invite"]
    _, _, line, target, *_ = house.agent.asked[0]
    assert (line, target) == (LINE, "204")


async def test_the_digits_dial_themselves_when_the_timer_is_due(phone, house, panel):
    panel.lift()
    panel.press(Key.DIGIT_7)
    panel.release(Key.DIGIT_7)
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    due = phone.phone.next_deadline()
    assert due > now
    assert phone._timer.when() == due
    house.now = lambda: due
    phone._due()
    assert house.agent.asked[0][0] == "invite"


async def test_the_sip_stack_goes_on_after_every_input(phone):
    before = len(phone.settled)
    phone.inbox.put(Digit("1"))
    phone.inbox.put(Digit("2"))
    assert len(phone.settled) == before + 2


async def test_watchers_see_each_change_once(phone, panel):
    seen = []
    phone.watch(lambda old, new: seen.append((old.off_hook, new.off_hook)))
    panel.lift()
    await asyncio.sleep(0)
    assert seen == [(False, True)]
    phone.inbox.put(RegistrationChanged(LINE, RegistrationState.REGISTERED))
    assert len(seen) == 1


async def test_a_held_key_repeats_by_the_same_timer(phone, panel, until):
    before = dict(phone.view.volumes)[PathName.RINGER]
    panel.press(Key.VOLUME_DOWN)
    await asyncio.sleep(0)
    first = phone._timer
    assert first is not None
    await until(lambda: dict(phone.view.volumes)[PathName.RINGER] <= before - 10)
    panel.release(Key.VOLUME_DOWN)


async def test_f43_a_command_that_fails_does_not_keep_the_next_from_being_done(
    phone, house, panel, monkeypatch, caplog, until
):
    def broken(_house, _command):
        raise ZeroDivisionError("no")

    monkeypatch.setitem(performers.PERFORMERS, PlaceCall, broken)
    panel.lift()
    panel.press(Key.DIGIT_7)
    panel.press(Key.OK)
    await asyncio.sleep(0)
    assert "the phone could not carry out PlaceCall" in caplog.text
    panel.replace()
    await until(lambda: phone.view.mode is Mode.IDLE)
    assert house.agent.asked  # the call that never was is ended all the same
    assert phone.inbox.failures == 0


async def test_f43_whatever_fails_the_rest_of_the_round_is_done(phone, panel, monkeypatch, caplog):
    def broken(_house, _event):
        raise ZeroDivisionError("no")

    monkeypatch.setitem(asides.ASIDES, RegistrationChanged, broken)
    seen = []
    phone.watch(lambda _old, _new: seen.append("broken") or 1 / 0)
    phone.watch(lambda _old, new: seen.append(new.lines[0].state))
    settled = len(phone.settled)
    phone.inbox.put(RegistrationChanged(LINE, RegistrationState.FAILED))
    assert phone.inbox.failures == 1
    assert seen == ["broken", RegistrationState.FAILED]
    assert len(phone.settled) == settled + 1
    assert "the phone failed to handle RegistrationChanged" in caplog.text
    assert "somebody failed to look at the phone" in caplog.text


async def test_after_closing_no_time_passes(phone, panel):
    panel.lift()
    panel.press(Key.DIGIT_7)
    await asyncio.sleep(0)
    timer = phone._timer
    phone.close()
    assert timer.cancelled()
