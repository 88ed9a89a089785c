"""Answers of the phone as text for a terminal. Pure, but for the zone of the call list's times.

States and outcomes are the API's own words in every language, as `status` in JSON has them.
"""

from collections.abc import Callable
from datetime import datetime

from firmware.base.phrase import Phrase, phrase
from firmware.control.schema import (
    BuddyFigures,
    CallFigures,
    CallsReply,
    LineFigures,
    LogRow,
    MessagesReply,
    ReloadReply,
    StatsReply,
    StatusReply,
    TextFigures,
)

Say = Callable[[Phrase], str]
_ARROWS = {"in": "←", "out": "→"}


def status_text(status: StatusReply, say: Say) -> str:
    """The phone in a few rows: state, lines, calls."""
    path = status.audio.path
    state = say(phrase("ctl.on_path", state=status.state, path=path)) if path else status.state
    rows = [say(phrase("ctl.muted", state=state)) if status.muted else state]
    rows += [f"  {status.reason}"] if status.reason else []
    rows += [_line(line, say) for line in status.lines] or [say(phrase("ctl.no_line"))]
    rows += [_call(call, say) for call in status.calls]
    if not status.audio.alive:
        rows.append(say(phrase("ctl.no_audio")))
    if status.missed:
        rows.append(say(phrase("ctl.missed", count=status.missed)))
    rows += [
        say(phrase("ctl.messages", line=line.name, count=line.new_messages or "?"))
        for line in status.lines
        if line.mwi
    ]
    rows += [
        say(phrase("ctl.watched", who=each.target, state=each.state)) for each in status.watched
    ]
    rows += [_buddy(each, say) for each in status.buddies]
    if status.texts:
        rows.append(say(phrase("ctl.texts", count=status.texts)))
    return "\n".join(rows)


def messages_text(reply: MessagesReply, say: Say) -> str:
    """The texts, newest first, and who is writing."""
    rows = [say(phrase("ctl.writing", who=who)) for who in reply.writing]
    rows += [_text(text) for text in reply.texts]
    return "\n".join(rows) or say(phrase("ctl.no_texts"))


def _buddy(buddy: BuddyFigures, say: Say) -> str:
    known = {True: "open", False: "closed", None: "unknown"}[buddy.available]
    words = ", ".join((known, *buddy.activities, *([buddy.note] if buddy.note else [])))
    return say(phrase("ctl.watched", who=buddy.who, state=words))


def _text(text: TextFigures) -> str:
    mark = "*" if text.unread else " "
    at = datetime.fromtimestamp(text.at).astimezone()
    return f"{mark} {at:%Y-%m-%d %H:%M} {text.name or text.user}: {text.text}"


def stats_text(stats: StatsReply, say: Say) -> str:
    """The status and its counters, one a row."""
    up = say(phrase("ctl.up", time=clock(stats.uptime)))
    rows = [status_text(stats, say), up, f"xruns: {stats.audio.xruns}"]
    rows += [f"{name}: {value:g}" for name, value in sorted(stats.counters.items())]
    return "\n".join(rows)


def calls_text(reply: CallsReply, say: Say) -> str:
    """Calls that are up, then the call list, newest first."""
    rows = [_call(call, say) for call in reply.calls]
    rows += [_log_row(row) for row in reply.log]
    rows += [say(phrase("ctl.older"))] if reply.more else []
    rows += [reply.note] if reply.note else []
    return "\n".join(rows) or say(phrase("ctl.no_calls"))


def reload_text(reply: ReloadReply, say: Say) -> str:
    """What a reload did."""
    rows = [phrase("ctl.applied", key=key) for key in reply.applied]
    rows += [phrase("ctl.waiting", key=key) for key in reply.waiting]
    rows += [phrase("ctl.restart", key=key) for key in reply.restart]
    rows += [phrase("ctl.note", note=note) for note in reply.notes]
    return "\n".join(map(say, rows or [phrase("ctl.no_change")]))


def clock(seconds: float) -> str:
    """`1:02:03`, or `02:03` below an hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _line(line: LineFigures, say: Say) -> str:
    if line.registered:
        time = clock(line.expires_in)
        return say(phrase("ctl.registered", line=line.name, time=time))
    reason = line.reason or phrase("ctl.not_registered")
    return say(phrase("ctl.line", line=line.name, reason=reason))


def _call(call: CallFigures, say: Say) -> str:
    words = [call.state, clock(call.duration), call.codec]
    words += [say(phrase("ctl.secure"))] if call.secure else []
    words += [say(phrase("ctl.held"))] if call.held else []
    words += [say(phrase("ctl.recorded"))] if call.recorded else []
    words += _media(call, say)
    said = ", ".join(word for word in words if word)
    arrow = _ARROWS.get(call.direction, "")
    return say(phrase("ctl.call", id=call.id, arrow=arrow, who=call.remote, said=said))


def _media(call: CallFigures, say: Say) -> list[str]:
    rtp = call.rtp
    if rtp is None:
        return []
    said = phrase(
        "ctl.media",
        sent=rtp.sent,
        received=rtp.received,
        lost=rtp.lost,
        late=rtp.late,
        jitter=f"{rtp.jitter_ms:.0f}",
        delay=f"{rtp.delay_ms:.0f}",
    )
    words = [say(said)]
    words += [f"MOS {rtp.mos:.1f}"] if rtp.mos is not None else []
    return words + ([f"{rtp.drift_ppm:+.0f} ppm"] if rtp.drift_ppm is not None else [])


def _log_row(row: LogRow) -> str:
    when = datetime.fromtimestamp(row.at).astimezone().strftime("%Y-%m-%d %H:%M")
    who = f"{row.name} ({row.user})" if row.name and row.user else row.name or row.user
    who = row.user if row.name == row.user else who
    length = clock(row.seconds) if row.outcome == "answered" else row.outcome
    reason = f", {row.reason}" if row.reason else ""
    return f"{when} {_ARROWS.get(row.direction, '')} {who}: {length}{reason}"
