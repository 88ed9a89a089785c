"""Answers of the phone as text for a terminal. Pure, but for the zone of the call list's times."""

from datetime import datetime

from firmware.control.schema import (
    CallFigures,
    CallsReply,
    LineFigures,
    LogRow,
    ReloadReply,
    StatsReply,
    StatusReply,
)

_ARROWS = {"in": "←", "out": "→"}


def status_text(status: StatusReply) -> str:
    """The phone in a few rows: state, lines, calls."""
    path = f" on the {status.audio.path}" if status.audio.path else ""
    rows = [f"{status.state}{path}{', muted' if status.muted else ''}"]
    rows += [f"  {status.reason}"] if status.reason else []
    rows += [_line(line) for line in status.lines] or ["no line is configured"]
    rows += [_call(call) for call in status.calls]
    if not status.audio.alive:
        rows.append("the audio engine is not running")
    if status.missed:
        rows.append(f"missed calls: {status.missed}")
    return "\n".join(rows)


def stats_text(stats: StatsReply) -> str:
    """The status and its counters, one a row."""
    rows = [status_text(stats), f"up for {clock(stats.uptime)}", f"xruns: {stats.audio.xruns}"]
    rows += [f"{name}: {value:g}" for name, value in sorted(stats.counters.items())]
    return "\n".join(rows)


def calls_text(reply: CallsReply) -> str:
    """Calls that are up, then the call list, newest first."""
    rows = [_call(call) for call in reply.calls]
    rows += [_log_row(row) for row in reply.log]
    rows += ["… and older ones"] if reply.more else []
    return "\n".join(rows) or "no calls"


def reload_text(reply: ReloadReply) -> str:
    """What a reload did."""
    parts = (
        ("in force", reply.applied),
        ("waits until no call is up", reply.waiting),
        ("needs a restart", reply.restart),
        ("note", reply.notes),
    )
    rows = [f"{words}: {key}" for words, keys in parts for key in keys]
    return "\n".join(rows) or "nothing has changed"


def clock(seconds: float) -> str:
    """`1:02:03`, or `02:03` below an hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _line(line: LineFigures) -> str:
    if line.registered:
        return f"line {line.name}: registered, again in {clock(line.expires_in)}"
    return f"line {line.name}: {line.reason or 'not registered'}"


def _call(call: CallFigures) -> str:
    words = [call.state, clock(call.duration), call.codec]
    words += ["encrypted"] if call.secure else []
    words += ["on hold"] if call.held else []
    words += _media(call)
    said = ", ".join(word for word in words if word)
    return f"call {call.id} {_ARROWS.get(call.direction, '')} {call.remote}: {said}"


def _media(call: CallFigures) -> list[str]:
    if call.rtp is None:
        return []
    rtp = call.rtp
    words = [f"sent {rtp.sent}", f"received {rtp.received}", f"lost {rtp.lost}"]
    words += [f"late {rtp.late}", f"jitter {rtp.jitter_ms:.0f} ms", f"delay {rtp.delay_ms:.0f} ms"]
    return words + ([f"MOS {rtp.mos:.1f}"] if rtp.mos is not None else [])


def _log_row(row: LogRow) -> str:
    when = datetime.fromtimestamp(row.at).astimezone().strftime("%Y-%m-%d %H:%M")
    who = f"{row.name} ({row.user})" if row.name and row.user else row.name or row.user
    who = row.user if row.name == row.user else who
    length = clock(row.seconds) if row.outcome == "answered" else row.outcome
    reason = f", {row.reason}" if row.reason else ""
    return f"{when} {_ARROWS.get(row.direction, '')} {who}: {length}{reason}"
