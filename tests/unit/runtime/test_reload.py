import asyncio

import pytest

from firmware.base.values import replace
from firmware.codec import CODECS
from firmware.config import parse
from firmware.control.errors import RefusalKind, RefusedError
from firmware.phone.texts import notice
from firmware.runtime.reload import Reloader
from firmware.storage.last_good import LastGood
from firmware.ui.text import Texts

FILE = '[phone]\nmax_calls = 8\n\n[[line]]\nuser = "101"\nserver = "pbx"\n'


def _missing():
    raise ImportError("libopus.so.0")


@pytest.fixture
def applied():
    """Every pair `(old, new)` that came into force."""
    return []


@pytest.fixture
def judged():
    """What the phone shows of the file's faults after each look at it."""
    return []


@pytest.fixture
async def reloader(tmp_path, applied, judged, a_view):
    path = tmp_path / "deskphone.toml"
    path.write_text(FILE)
    last = LastGood.of(path, tmp_path)
    last.keep()
    made = Reloader(
        last,
        parse(FILE),
        Texts.load(),
        lambda old, new, _texts: applied.append((old, new)),
        judged.append,
    )
    made.file = path
    made.view_changed(a_view(), a_view())
    return made


async def test_an_unchanged_file_changes_nothing(reloader, applied):
    reply = await reloader.reload()
    assert (reply.applied, reply.waiting, reply.restart) == ((), (), ())
    assert applied == []


async def test_what_can_change_at_once_does(reloader, applied):
    reloader.file.write_text(FILE.replace("= 8", "= 3"))
    reply = await reloader.reload()
    assert reply.applied == ("phone.max_calls",)
    [(old, new)] = applied
    assert (old.phone.max_calls, new.phone.max_calls) == (8, 3)
    assert reloader.settings.phone.max_calls == 3


async def test_what_needs_a_restart_is_named_and_not_done(reloader, applied, caplog):
    reloader.file.write_text(FILE + "[network]\nsip_port = 5070\n")
    reply = await reloader.reload()
    assert reply.restart == ("network.sip_port",)
    assert applied == []
    assert "network.sip_port" in caplog.text


async def test_what_needs_an_idle_phone_waits_for_the_last_call_to_end(
    reloader, applied, a_view, a_call
):
    talking, idle = a_view(a_call()), a_view()
    reloader.view_changed(idle, talking)
    reloader.file.write_text(FILE + '[audio]\ncard = "null"\n')
    reply = await reloader.reload()
    assert reply.waiting == ("audio.card",)
    assert applied == []
    reloader.view_changed(talking, talking)
    assert applied == []
    reloader.view_changed(talking, idle)
    assert [new.audio.card for _, new in applied] == ["null"]
    reloader.view_changed(idle, idle)
    assert len(applied) == 1


async def test_taking_a_waiting_change_back_leaves_nothing_to_do(reloader, applied, a_view, a_call):
    talking, idle = a_view(a_call()), a_view()
    reloader.view_changed(idle, talking)
    reloader.file.write_text(FILE + '[audio]\ncard = "null"\n')
    await reloader.reload()
    reloader.file.write_text(FILE)
    await reloader.reload()
    reloader.view_changed(talking, idle)
    assert applied == []


async def test_f04_a_faulty_file_is_refused_with_every_fault_and_nothing_changes(reloader, applied):
    reloader.file.write_text(FILE.replace("max_calls", "max_cals").replace("user", "usr"))
    with pytest.raises(RefusedError) as caught:
        await reloader.reload()
    assert caught.value.kind is RefusalKind.CONFIG
    faults = str(caught.value).splitlines()
    assert len(faults) == 3
    assert all(str(reloader.file) in fault for fault in faults)
    assert applied == []


async def test_f04_the_phone_shows_that_the_file_has_faults_until_it_has_none(reloader, judged):
    reloader.file.write_text(FILE.replace("max_calls", "max_cals").replace("user", "usr"))
    with pytest.raises(RefusedError):
        await reloader.reload()
    reloader.file.write_text(FILE)
    await reloader.reload()
    assert judged == [
        notice("config_before", file="deskphone.toml", path=reloader.file, count=3),
        None,
    ]


async def test_f04_a_file_that_leaves_no_codec_is_refused(reloader, applied, judged, monkeypatch):
    monkeypatch.setitem(CODECS, "opus", replace(CODECS["opus"], loader=_missing))
    reloader.file.write_text(FILE + '[audio]\ncodecs = ["opus"]\n')
    with pytest.raises(RefusedError, match=r"audio\.codecs: none of these codecs can be loaded"):
        await reloader.reload()
    assert (applied, len(judged)) == ([], 1)


async def test_a_good_file_becomes_the_copy_to_fall_back_on(reloader, tmp_path):
    reloader.file.write_text(FILE.replace("= 8", "= 3"))
    await reloader.reload()
    assert LastGood.of(reloader.file, tmp_path).settings().phone.max_calls == 3


async def test_two_reloads_at_once_end_with_the_newest_file(reloader, applied):
    reloader.file.write_text(FILE.replace("= 8", "= 3"))
    await asyncio.gather(reloader.reload(), reloader.reload())
    assert len(applied) == 1
    assert reloader.settings.phone.max_calls == 3


@pytest.mark.parametrize("good", [True, False])
async def test_a_signal_reloads_and_the_log_says_what_came_of_it(reloader, caplog, until, good):
    caplog.set_level("INFO")
    key = "max_calls = 3" if good else "max_cals = 3"
    reloader.file.write_text(FILE.replace("max_calls = 8", key))
    reloader.ask()
    word = "phone.max_calls" if good else "max_cals"
    await until(lambda: word in caplog.text)
    assert (reloader.settings.phone.max_calls == 3) is good
    await until(lambda: not reloader._tasks)


async def test_what_would_end_its_next_start_is_refused_and_not_kept(reloader, applied, judged):
    reloader.faults = lambda found: [found.note("board.hook", "bad_board", reason="no such pin")]
    reloader.file.write_text(FILE.replace("= 8", "= 3"))
    with pytest.raises(RefusedError, match="no such pin") as refused:
        await reloader.reload()
    assert refused.value.kind is RefusalKind.CONFIG
    assert applied == []
    assert judged[-1] is not None
    assert LastGood.of(reloader.file, reloader.file.parent).settings().phone.max_calls == 8
