"""Recording of calls: what the settings say, what a person asks for, what became of it.

    never    nothing is recorded
    asked    a person begins and ends it, by key, page or `ctl record on|off`
    always   every call, from its answer on; a person may end it

Which files and copies there should be follows from `Call.recording` (`outputs`). In a conversation
of several every call has a file of its own, with everybody in it. Nobody records an emergency call:
its tone would be in the way of what is said there.
"""

from collections.abc import Mapping

from firmware.base.values import replace
from firmware.codec import find
from firmware.dsp.cadence import ToneKind, cadence
from firmware.media.messages import Record, ToneSegment
from firmware.phone.actions import Record as Wish
from firmware.phone.commands import StartRecording
from firmware.phone.events import RecordingChanged, RecordingTrouble
from firmware.phone.model import Call, PhoneState
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Notice
from firmware.sip.notifications import CallRef

_NARROW, _WIDE = 8000, 16000
"""Samples a second that a file may have."""
_TOLD = 5.0
_TEXTS = {
    RecordingTrouble.HOLE: "recording_hole",
    RecordingTrouble.FULL: "recording_full",
    RecordingTrouble.LONGEST: "recording_longest",
}


def follow(turn: Turn) -> None:
    """Calls that were answered since: recorded from the beginning if that is the rule."""
    rule = turn.rules.settings.recording.calls
    for call in turn.state.calls:
        may = call.answered and not call.emergency and rule != "never"
        if may and call.recording is None:
            _set(turn, call, on=rule == "always")


def rule_changed(turn: Turn) -> None:
    """Other settings: what may not be recorded any more is not."""
    if turn.rules.settings.recording.calls == "never":
        for call in turn.state.calls:
            turn.put(replace(call, recording=None))


def why_not(state: PhoneState, rules: Rules, event: Wish) -> Notice | None:
    """Why this call cannot be recorded, or its recording not ended; None if it can."""
    call = state.meant(event.call)
    if call is None or not call.answered:
        return notice("no_call_up")
    if rules.settings.recording.calls == "never":
        return notice("recording_off")
    if call.emergency:
        return notice("recording_no_emergency")
    records = any(each.recording for each in state.together(call))
    return notice("recording_none") if event.on is False and not records else None


def wish(turn: Turn, event: Wish) -> None:
    """The record key: the call, and whoever is in one conversation with it."""
    call = turn.state.meant(event.call)
    if call is None:
        return
    calls = turn.state.together(call)
    on = not any(each.recording for each in calls) if event.on is None else event.on
    for each in calls:
        if each.recording is not None:
            _set(turn, each, on=on)


def _set(turn: Turn, call: Call, *, on: bool) -> None:
    if on and not call.recording:
        turn.log(notice("recording_began", who=call.who))
    turn.put(replace(call, recording=on))


def changed(turn: Turn, event: RecordingChanged) -> None:
    """The recorder says that something is missing, or that it has ended."""
    call = turn.state.call(event.call)
    if call is None or not call.recording:
        return
    if event.trouble is not RecordingTrouble.HOLE:
        turn.put(replace(call, recording=False))
    text = _TEXTS.get(event.trouble)
    said = notice("recording_failed", reason=event.reason) if text is None else notice(text)
    turn.say(said, _TOLD)


def files(
    state: PhoneState, before: Mapping[CallRef, StartRecording]
) -> Mapping[CallRef, StartRecording]:
    """The files that should be open; one keeps its rate, whatever is spoken later."""
    return {
        call.ref: before.get(call.ref) or _file(call)
        for call in state.calls
        if call.recording and call.answered
    }


def _file(call: Call) -> StartRecording:
    """At the rate of the best that both may say without asking: either may change at any moment.

    What only another agreement brings is made to fit. A file has one rate, and to have all files
    twice as large for the few calls which a transfer makes better would be no service.
    """
    media = None if call.negotiation is None else call.negotiation.media
    rows = () if media is None else (find(x.name, x.clock, x.channels) for x in media.formats)
    rates = [row.sample_rate for row in rows if row is not None]
    rate = _WIDE if max(rates, default=_WIDE) > _NARROW else _NARROW
    return StartRecording(call.ref, call.who, call.outgoing, rate)


def copies(
    state: PhoneState, rules: Rules, wanted: Mapping[CallRef, StartRecording]
) -> Mapping[int, tuple[CallRef, Record]]:
    """The streams that should be copied into them."""
    settings = rules.settings
    tone = _tone(settings.phone.country) if settings.recording.tone else ()
    return {
        call.stream: (call.ref, Record(call.stream, wanted[call.ref].rate, tone))
        for call in state.calls
        if call.ref in wanted and call.negotiation is not None
    }


def _tone(country: str) -> tuple[ToneSegment, ...]:
    return tuple(
        ToneSegment(tuple(map(float, each.frequencies)), each.seconds, each.level)
        for each in cadence(country, ToneKind.RECORDING).segments
    )
