import asyncio
import contextlib

import pytest

from firmware.base.phrase import Phrase
from firmware.base.tokens import Tokens
from firmware.media.messages import PathName
from firmware.phone.commands import CallOutcome, CallRecord
from firmware.runtime.keeper import Keeper
from firmware.runtime.memory import Memory
from firmware.storage.dialogs import DialogMirror
from firmware.storage.kept import Kept, KeptFile

WALL = 1_763_000_000.0


def a_record(user="204", *, redial="", outgoing=True):
    return CallRecord("desk", outgoing, "Ann", user, CallOutcome.ANSWERED, 12.3456, redial=redial)


@pytest.fixture
async def keeper(tmp_path):
    """Lives of one phone's keeper, one after the other."""
    lives = []

    def born():
        if lives:
            lives[-1].close()
        memory = Memory(tmp_path / "state", Tokens(b"k" * 16))
        lives.append(Keeper(tmp_path / "state", tmp_path / "dialogs", memory))
        return lives[-1]

    yield born
    for life in lives:
        life.close()


async def test_calls_are_listed_newest_first_and_in_pieces(keeper):
    first = keeper()
    for number in range(5):
        first.record_call(a_record(f"20{number}"), WALL + number)
    rows, more, _ = await first.rows(2, 0)
    assert [row.user for row in rows] == ["204", "203"]
    assert more
    rows, more, _ = await first.rows(3, 2)
    assert [row.user for row in rows] == ["202", "201", "200"]
    assert not more
    assert (rows[0].direction, rows[0].outcome, rows[0].seconds) == ("out", "answered", 12.346)


async def test_what_was_kept_is_there_in_the_next_life(keeper):
    first = keeper()
    first.keep_volume(PathName.RINGER, 30)
    first.keep_volume(PathName.HANDSET, 80)
    first.record_call(a_record(redial="0301234"), WALL)
    first.record_call(a_record("555", outgoing=False), WALL + 1)
    second = keeper()
    assert second.volumes == {PathName.RINGER: 30, PathName.HANDSET: 80}
    assert second.last_dialled == "0301234"
    rows, _, _ = await second.rows(10, 0)
    assert [row.user for row in rows] == ["555", "204"]


async def test_what_a_sim_card_has_seen_is_known_in_the_next_life(keeper):
    first = keeper()
    first.keep_card("desk", (4096,))
    first.keep_card("desk", (4128, 65))
    assert keeper()._memory.card_numbers("desk") == (4128, 65)


async def test_a_new_lines_identity_is_written_down(keeper, tmp_path):
    memory = Memory(tmp_path / "state", Tokens(b"k" * 16))
    user = memory.contact_user("desk")
    Keeper(tmp_path / "state", tmp_path / "dialogs", memory).close()
    assert Memory(tmp_path / "state", Tokens(b"x" * 16)).contact_user("desk") == user


async def test_volumes_of_paths_that_no_longer_exist_are_passed_over(keeper, tmp_path):
    (tmp_path / "state").mkdir()
    KeptFile(tmp_path / "state/kept.json").save(Kept(volumes={"ringer": 10, "tin can": 99}))
    assert keeper().volumes == {PathName.RINGER: 10}


async def test_f46_dialogs_are_mirrored_until_they_end(keeper, tmp_path):
    first = keeper()
    first.keep_dialog("c1", b"one")
    first.keep_dialog("c2", b"two")
    first.keep_dialog("c1", None)
    first.close()
    assert DialogMirror(tmp_path / "dialogs").take_orphans() == (b"two",)


async def test_f05_a_disk_that_refuses_costs_the_list_and_not_the_phone(
    keeper, tmp_path, caplog, until
):
    first = keeper()
    (tmp_path / "state/calls.db").mkdir()  # no database can be made there
    first.record_call(a_record(), WALL)
    rows, _, note = await first.rows(10, 0)
    assert note.text == "storage.in_memory"
    assert [row.user for row in rows] == ["204"]  # remembered until the power goes
    await until(lambda: caplog.records)


async def test_whoever_asks_and_goes_away_leaves_no_error(keeper):
    first = keeper()
    failures = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: failures.append(context))
    asking = asyncio.create_task(first.rows(10, 0))
    await asyncio.sleep(0)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    first.close()
    await asyncio.sleep(0.01)
    assert failures == []


async def test_a_list_that_cannot_be_read_is_no_empty_list(keeper):
    first = keeper()
    first.record_call(a_record(), WALL)
    await first.rows(1, 0)
    first._log._base.close()  # the disk has gone
    rows, more, note = await first.rows(10, 0)
    assert (rows, more, note.text) == ((), False, "storage.unreadable")


async def test_after_the_end_there_are_no_rows(keeper):
    first = keeper()
    first.close()
    assert await first.rows(10, 0) == ((), False, Phrase("storage.busy"))
