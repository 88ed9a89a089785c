"""Answers as text."""

import pytest

from firmware import cli_text
from firmware.cli_text import clock
from firmware.control import schema as s
from firmware.ui.text import Texts

SAY = Texts.load().phrase
RTP = s.RtpFigures(sent=3250, received=3240, lost=2, late=1, jitter_ms=3.4, delay_ms=41.0, mos=4.3)


def status(**changes) -> s.StatusReply:
    return s.StatusReply(
        **{
            "state": "idle",
            "lines": (),
            "calls": (),
            "audio": s.AudioFigures(None, alive=True),
            **changes,
        }
    )


def test_a_call_is_told_in_one_row():
    call = s.CallFigures(
        "out-1", "l", "out", "talking", "600", "g722", secure=True, held=True, duration=65, rtp=RTP
    )

    assert cli_text.status_text(status(calls=(call,)), SAY).splitlines()[-1] == (
        "call out-1 → 600: talking, 01:05, g722, encrypted, on hold, sent 3250, received 3240,"
        " lost 2, late 1, jitter 3 ms, delay 41 ms, MOS 4.3"
    )


def test_a_line_says_when_it_registers_again_or_why_not():
    lines = (
        s.LineFigures("101@pbx", registered=True, expires_in=3540),
        s.LineFigures("102@pbx", registered=False, reason="wrong password: check line 2"),
        s.LineFigures("103@pbx", registered=False),
    )

    assert cli_text.status_text(status(lines=lines), SAY).splitlines()[1:] == [
        "line 101@pbx: registered, again in 59:00",
        "line 102@pbx: wrong password: check line 2",
        "line 103@pbx: not registered",
    ]


def test_what_is_wrong_with_the_phone_is_told():
    text = cli_text.status_text(
        status(
            state="talking",
            reason="no network",
            audio=s.AudioFigures("speaker", alive=False),
            muted=True,
            missed=2,
        ),
        SAY,
    )

    assert text.splitlines() == [
        "talking on the speaker, muted",
        "  no network",
        "no line is configured",
        "the audio engine is not running",
        "missed calls: 2",
    ]


def test_counters_follow_the_status():
    stats = s.StatsReply(
        "idle",
        (),
        (),
        s.AudioFigures(None, alive=True, xruns=4),
        uptime=3661,
        counters={"b": 2, "a": 1.5},
    )

    assert cli_text.stats_text(stats, SAY).splitlines()[-4:] == [
        "up for 1:01:01",
        "xruns: 4",
        "a: 1.5",
        "b: 2",
    ]


def row(**changes) -> s.LogRow:
    whole = {
        "at": 1.7e9, "line": "l", "direction": "in", "name": "", "user": "201",
        "outcome": "missed", "seconds": 0.0, **changes,
    }  # fmt: skip
    return s.LogRow(**whole)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "← 201: missed"),
        ({"name": "Alice"}, "← Alice (201): missed"),
        ({"name": "201"}, "← 201: missed"),
        ({"name": "Alice", "user": ""}, "← Alice: missed"),
        ({"direction": "out", "outcome": "answered", "seconds": 61.0}, "→ 201: 01:01"),
        ({"outcome": "failed", "reason": "busy"}, "← 201: failed, busy"),
    ],
)
def test_a_row_of_the_call_list(changes, words):
    text = cli_text.calls_text(s.CallsReply((), (row(**changes),)), SAY)

    assert text.startswith("2023-11-1")
    assert text.endswith(words)


def test_a_list_that_goes_on_says_so():
    assert cli_text.calls_text(s.CallsReply((), (row(),), more=True), SAY).endswith(
        "… and older ones"
    )
    assert cli_text.calls_text(s.CallsReply(()), SAY) == "no calls"


def test_a_list_that_cannot_be_read_is_not_said_to_be_empty():
    reply = s.CallsReply((), note="the call list cannot be read: disk I/O error")
    assert cli_text.calls_text(reply, SAY) == reply.note


def test_a_reload_says_what_it_did():
    assert cli_text.reload_text(s.ReloadReply(), SAY) == "nothing has changed"
    assert cli_text.reload_text(
        s.ReloadReply(("a",), ("b",), ("c",), ("d",)), SAY
    ).splitlines() == [
        "in force: a",
        "waits until no call is up: b",
        "needs a restart: c",
        "note: d",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (59.9, "00:59"), (3600, "1:00:00")])
def test_durations(seconds, text):
    assert clock(seconds) == text
