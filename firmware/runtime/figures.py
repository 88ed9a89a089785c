"""The view as `status` and `stats` tell it: sentences instead of text ids, durations, counters."""

from collections.abc import Callable, Mapping

from firmware import __version__
from firmware.control.schema import (
    AudioFigures,
    BuddyFigures,
    CallFigures,
    LineFigures,
    LogRow,
    RtpFigures,
    StatsReply,
    StatusReply,
    TextFigures,
    WatchFigures,
)
from firmware.media.messages import StreamReport
from firmware.phone.commands import CallRecord
from firmware.phone.view import CallView, LineView, Notice, PhoneView, TextView
from firmware.sip.notifications import CallRef, RegistrationState
from firmware.ui.line_words import line_words

Say = Callable[[str, dict[str, str]], str]
Reports = Mapping[CallRef, StreamReport]


def say_notice(notice: Notice | None, say: Say) -> str:
    """The sentence of a notice; none gives `""`."""
    return say(notice.text, dict(notice.args)) if notice is not None else ""


def status_of(
    view: PhoneView, reports: Reports, say: Say, now: float, xruns: int, *, counts: bool = True
) -> StatusReply:
    """How the phone is; with `counts` a line's reason says for how many seconds it is tried."""
    lines = tuple(_line(line, say, now, counts=counts) for line in view.lines)
    return StatusReply(
        state=view.mode.value,
        lines=lines,
        calls=tuple(call_of(call, reports.get(call.ref), now) for call in view.calls),
        audio=AudioFigures(view.path.value if view.path else None, view.audio_alive, xruns),
        reason=say_notice(view.notice, say) or _no_line(lines),
        version=__version__,
        off_hook=view.off_hook,
        muted=view.muted,
        missed=view.missed,
        volumes={path.value: volume for path, volume in view.volumes},
        watched=tuple(
            WatchFigures(each.line, each.target, each.state.value) for each in view.watched
        ),
        buddies=tuple(
            BuddyFigures(each.line, each.who, each.available, each.activities, each.note)
            for each in view.buddies
        ),
        texts=view.unread,
        conference=tuple(view.conference),
    )


def stats_of(status: StatusReply, uptime: float, counters: dict[str, float]) -> StatsReply:
    """The status with the counters."""
    return StatsReply(
        **{name: getattr(status, name) for name in StatusReply.__struct_fields__},
        uptime=round(uptime, 3),
        counters=counters,
    )


def call_of(call: CallView, report: StreamReport | None, now: float) -> CallFigures:
    """One call."""
    return CallFigures(
        id=call.ref,
        line=call.line,
        direction="out" if call.outgoing else "in",
        state=call.state.value,
        remote=call.user or call.name,
        codec=call.codec,
        secure=call.secure,
        held=call.held,
        held_by_them=call.held_by_them,
        transfer=call.transfer,
        digits=call.digits,
        name=call.name,
        quality="" if call.quality is None else call.quality.value,
        diverted_by=call.diverted_by,
        subject=call.subject,
        way=call.way,
        recorded=call.recorded,
        duration=round(now - call.answered_at, 3) if call.answered_at else 0.0,
        rtp=_rtp(report) if report is not None else None,
    )


def text_of(text: TextView, now: float, at: float) -> TextFigures:
    """One text; `at` is the wall clock at `now`."""
    sent = round(at - (now - text.at), 3)
    return TextFigures(sent, text.line, text.name, text.user, text.text, text.unread)


def row_of(record: CallRecord, at: float) -> LogRow:
    """One row of the call list; `at` is wall-clock seconds."""
    return LogRow(
        at=at,
        line=record.line,
        direction="out" if record.outgoing else "in",
        name=record.name,
        user=record.user,
        outcome=record.outcome.value,
        seconds=round(record.seconds, 3),
        reason=record.reason,
    )


def _rtp(report: StreamReport) -> RtpFigures:
    return RtpFigures(
        sent=report.sent,
        received=report.received,
        lost=report.lost,
        late=report.late,
        jitter_ms=round(report.jitter_ms, 2),
        delay_ms=round(report.delay_ms, 2),
        mos=None if report.mos is None else round(report.mos, 2),
        drift_ppm=None if report.drift_ppm is None else round(report.drift_ppm, 1),
    )


def _line(line: LineView, say: Say, now: float, *, counts: bool) -> LineFigures:
    registered = line.state is RegistrationState.REGISTERED
    return LineFigures(
        name=line.name,
        registered=registered,
        reason=_why_down(line, say, now, counts=counts),
        expires_in=round(max(0.0, line.until - now), 1) if registered and line.until else 0.0,
        label=line.label,
        mwi=line.messages_waiting,
        new_messages=line.new_messages,
    )


def _why_down(line: LineView, say: Say, now: float, *, counts: bool) -> str:
    if line.state is RegistrationState.OFF:
        return say_notice(line.notice, say)
    return line_words(line, now, lambda text, **args: say(text, _as_text(args)), counts=counts)


def _as_text(args: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in args.items()}


def _no_line(lines: tuple[LineFigures, ...]) -> str:
    """Why the phone cannot call: the first line's reason, if none is registered."""
    if any(line.registered for line in lines):
        return ""
    return next((line.reason for line in lines if line.reason), "")
