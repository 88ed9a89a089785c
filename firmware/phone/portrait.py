"""The state as a person may see it: `PhoneState` becomes `PhoneView`.

Which sentence is shown is decided here, by one order of urgency: what was just said, why nothing
is heard, what is broken, what keeps the phone from working.
"""

from collections.abc import Iterable

from firmware.base.values import replace
from firmware.media.messages import PathName
from firmware.phone.desk import lamps, lines
from firmware.phone.model import Call, Engine, Line, PhoneState, named
from firmware.phone.outputs import microphone_open
from firmware.phone.social import TextMessage
from firmware.phone.texts import HEARING, UNHEARD, notice
from firmware.phone.view import (
    BuddyView,
    CallState,
    CallView,
    LineView,
    Mode,
    Notice,
    PhoneView,
    TextView,
    TransferView,
    WatchView,
)
from firmware.sip.notifications import CallRef, PresenceChanged, RegistrationState

Sketches = dict[CallRef, tuple[Call, CallView]]
"""Call → itself and how it looked last time: with a hundred calls up most look the same."""


def of(state: PhoneState, sketches: Sketches) -> PhoneView:
    """The view of a state; `sketches` is used and brought up to date."""
    known = dict(sketches)
    sketches.clear()
    for call in state.calls:
        was = known.get(call.ref)
        sketches[call.ref] = was if was is not None and was[0] is call else (call, _call(call))
    return PhoneView(
        mode=state.mode,
        off_hook=state.hook_up,
        path=state.path,
        lines=tuple(_line(state, line) for line in state.lines),
        calls=tuple(view for call, view in sketches.values() if _visible(call)),
        front=state.front,
        digits=state.digits if state.mode is Mode.DIALLING else "",
        notice=_notice(state),
        volume_bar=state.volume_bar,
        volumes=tuple(state.volumes.items()),
        muted=state.muted,
        microphone_open=microphone_open(state) and not state.muted,
        missed=state.missed,
        network_up=state.network_up,
        audio_alive=state.engine is not Engine.LOST,
        lamps=tuple((lamp, pattern.value) for lamp, pattern in lamps.wanted(state).items()),
        watched=tuple(
            WatchView(watch.line, watch.target, watch.busyness)
            for watch in state.watches.values()
            if watch.target
        ),
        buddies=tuple(map(_buddy, state.social.buddies.values())),
        texts=tuple(map(_text, state.social.texts)),
        sending=tuple(each.who for each in state.social.sending),
        writing=tuple(map(named, state.social.writing)),
        transferee=state.consultation.call if state.consultation is not None else None,
        transfer=_transfer(state.transferred),
        conference=state.conference,
    )


def _transfer(call: Call | None) -> TransferView | None:
    if call is None or call.transfer is None:
        return None
    return TransferView(call.ref, call.transfer.target, call.transfer.stage)


def _visible(call: Call) -> bool:
    return call.stage is not CallState.RINGING_HERE or call.rings_here


def _line(state: PhoneState, line: Line) -> LineView:
    view, box = _registration(state, line), line.mailbox
    return (
        view if box is None else replace(view, messages_waiting=box.waiting, new_messages=box.new)
    )


def _registration(state: PhoneState, line: Line) -> LineView:
    said, trouble = line.registration, lines.trouble(state, line)
    if not line.registers:
        return LineView(line.name, line.label, RegistrationState.OFF, trouble)
    if said is None:
        return LineView(line.name, line.label, RegistrationState.TRYING, trouble)
    if line.blocked or not state.network_up:
        # Nobody waits for the next attempt while something else must happen first.
        return LineView(line.name, line.label, said.state, trouble)
    registered = said.state is RegistrationState.REGISTERED
    wait = said.expires_in if registered else said.retry_in
    return LineView(
        line.name,
        line.label,
        said.state,
        trouble,
        until=line.at + wait if wait else 0.0,
        since=0.0 if registered else line.at,
    )


def _buddy(news: PresenceChanged) -> BuddyView:
    return BuddyView(news.line, news.who, news.available, news.activities, news.note)


def _text(text: TextMessage) -> TextView:
    sender = text.sender
    return TextView(
        text.number,
        text.at,
        text.line,
        sender.name,
        sender.user or sender.uri,
        text.text,
        text.unread,
    )


def _call(call: Call) -> CallView:
    media = None if call.negotiation is None else call.negotiation.media
    return CallView(
        ref=call.ref,
        line=call.line,
        outgoing=call.outgoing,
        state=call.stage,
        name=call.remote.name,
        user=call.remote.user or call.remote.uri,
        codec=media.formats[0].name if media is not None and media.formats else "",
        held=call.held,
        held_by_them=call.negotiation is not None
        and call.answered
        and call.negotiation.held_by_them,
        emergency=call.emergency,
        secure=bool(call.suite) and call.negotiation is not None and call.negotiation.private,
        started_at=call.started_at,
        answered_at=call.answered_at,
        digits=call.digits,
        diverted_by=named(call.diverted_by) if call.diverted_by is not None else "",
        subject=call.facts.subject,
        transfer=call.transfer.target if call.transfer is not None else "",
        recorded=call.recording,
        way="" if media is None or media.ways is None or call.way is None else call.way.kind,
        quality=call.quality,
    )


def _notice(state: PhoneState) -> Notice | None:
    return (
        state.notice
        or _hearing(state)
        or _broken(state)
        or (_resting(state) if state.mode is Mode.IDLE else None)
    )


def _hearing(state: PhoneState) -> Notice | None:
    call = state.front_call
    path = state.path
    if call is None or path is None or not call.answered or call.on_hold:
        return None
    if state.volumes.get(path) == 0:
        return notice("hearing_nothing_volume", path=path.value)
    if call.hearing is not None and call.hearing.cause is not None:
        return notice(HEARING[call.hearing.cause], detail=call.hearing.detail, path=path.value)
    if call.unheard is not None and call.unheard.cause is not None:
        return notice(UNHEARD[call.unheard.cause], who=call.who, detail=call.unheard.detail)
    return None


def _broken(state: PhoneState) -> Notice | None:
    if state.engine is Engine.LOST:
        return notice("audio_restarting")
    if (failed := _failed(state)) is not None:
        return failed
    for path, reason in state.card_remarks.items():
        return notice("card_remark", path=path.value, reason=reason)
    return None


def _failed(state: PhoneState) -> Notice | None:
    """Everything that fails, in the order in which it failed, cards first."""
    cards = _by_reason((path.value, reason) for path, reason in state.card_faults.items())
    devices = _by_reason(state.device_faults.items())
    match [*cards.items()], [*devices.items()]:
        case [], []:
            return None
        case [(reason, paths)], []:
            return notice("card_failed", path=", ".join(paths), reason=reason)
        case [], [(reason, names)]:
            return notice("device_failed", device=", ".join(names), reason=reason)
        case of_cards, of_devices:
            said = [
                *(_clause([f"{path} card" for path in paths], why) for why, paths in of_cards),
                *(_clause(names, why) for why, names in of_devices),
            ]
            count = len(state.card_faults) + len(state.device_faults)
            return notice("devices_failed", count=count, devices=", ".join(said))


def _by_reason(faults: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name, reason in faults:
        named.setdefault(reason, []).append(name)
    return named


def _clause(names: list[str], reason: str) -> str:
    """Who fails and why; a device that names itself in its reason is named once."""
    return f"{', '.join(names)} ({reason.removeprefix(f'{names[0]}: ')})"


def _resting(state: PhoneState) -> Notice | None:
    if state.config_fault is not None:
        return state.config_fault
    if not state.lines:
        return notice("line_none")
    if not state.network_up:
        return notice("network_down")
    # No setting makes the ring silent without a sign on the screen.
    if state.volumes.get(PathName.RINGER) == 0:
        return notice("ringer_off")
    return state.certificate
