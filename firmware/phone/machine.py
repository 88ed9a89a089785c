"""The desk phone: one event in, the commands it asks for out.

    event ─▶ overdue clocks ─▶ rules of all states ─▶ the mode's rows ─▶ state
    state ─▶ what should be heard, lit, bound ─▶ difference to before ─▶ commands

Rules that hold in every state (emergency dialling, what the network and the engine say, stopping)
stand before the rows of the mode; what a mode does not list does nothing there. The tables are
complete for every event by construction: an event nobody lists changes nothing.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from firmware.base.values import replace
from firmware.config.schema import Settings
from firmware.media import messages as media
from firmware.phone import actions, events, outputs, portrait
from firmware.phone.commands import Command, FreeMediaPort
from firmware.phone.desk import engine, lines, paths, volume
from firmware.phone.features import (
    again,
    certificate,
    click,
    conference,
    dtmf,
    emergency_call,
    encryption,
    endings,
    hold,
    hook,
    identity,
    incoming,
    limits,
    media_port,
    messages,
    moving,
    outgoing,
    picking,
    presence,
    quality,
    recording,
    transfer,
    transferred,
    watching,
    ways,
)
from firmware.phone.features.audio_test import measured
from firmware.phone.model import Call, Ending, PhoneState, Progress, Timer
from firmware.phone.outputs import Outputs
from firmware.phone.states import (
    audio_test,
    calling,
    dialling,
    howler,
    idle,
    off_hook,
    released,
    ringing,
    talking,
)
from firmware.phone.texts import notice
from firmware.phone.turn import Alarms, Handler, Rows, Rules, Turn, WhyNot
from firmware.phone.view import Mode, Notice, PhoneView
from firmware.sip import notifications as sip
from hal import events as hal

STATES: Mapping[Mode, ModuleType] = {
    Mode.IDLE: idle,
    Mode.OFF_HOOK: off_hook,
    Mode.DIALLING: dialling,
    Mode.CALLING: calling,
    Mode.RINGING: ringing,
    Mode.TALKING: talking,
    Mode.RELEASED: released,
    Mode.HOWLER: howler,
    Mode.AUDIO_TEST: audio_test,
}
"""One module per mode, each with `ROWS` (event → handler) and `ALARMS` (clock → handler)."""


class Phone:
    """One desk phone; `now` is monotonic seconds and never runs backwards."""

    __slots__ = ("_outputs", "_rules", "_sketches", "_state", "_view", "_viewed")

    def __init__(self, settings: Settings) -> None:
        self._rules = Rules.of(settings)
        self._state = PhoneState(lines=lines.from_settings(settings))
        self._outputs = Outputs()
        self._viewed: PhoneState | None = None
        self._view = PhoneView()
        self._sketches: portrait.Sketches = {}

    def __len__(self) -> int:
        """How many calls live."""
        return len(self._state.calls)

    @property
    def state(self) -> PhoneState:
        """The whole state, for tests and for the record of a run."""
        return self._state

    def handle(self, event: events.Event, now: float) -> list[Command]:
        """Take one event; the commands are to be performed in their order."""
        turn = Turn(self._state, self._rules, now)
        _fire(turn)
        _dispatch(turn, event)
        click.drop_if_busy(turn)
        recording.follow(turn)
        if isinstance(event, media.EngineReady):
            # Whatever an engine before this one was told, this one was not.
            self._outputs = replace(self._outputs, sound=None)
        if turn.state is not self._state or isinstance(event, media.EngineReady):
            self._rules, self._state = turn.rules, turn.state
            wanted = outputs.wanted(turn.state, turn.rules, self._outputs)
            turn.do(*outputs.difference(self._outputs, wanted))
            self._outputs = wanted
        return turn.commands

    def refusal(self, wish: events.Event) -> Notice | None:
        """Why a wish would change nothing now, None if it is no wish or will be done."""
        if not isinstance(wish, actions.Action):
            return None
        if self._state.stopped:
            return notice("stopping")
        why = WHY_NOT.get(type(wish))
        return None if why is None else why(self._state, self._rules, wish)

    def next_deadline(self) -> float | None:
        """When `TimePassed` should be sent at the latest; None = no clock runs."""
        return min(self._state.timers.values(), default=None)

    def view(self) -> PhoneView:
        """What may be shown; the same object as long as nothing changed."""
        if self._viewed is not self._state:
            view = portrait.of(self._state, self._sketches)
            self._viewed = self._state
            if view != self._view:
                self._view = view
        return self._view


def _dispatch(turn: Turn, event: events.Event) -> None:
    kind = type(event)
    if turn.state.stopped:
        rows: Rows = _STOPPED
    elif kind in EVERYWHERE:
        rows = EVERYWHERE
    elif kind in _CALL_VERBS and _names_call(event):
        rows = _CALL_VERBS
    else:
        rows = STATES[turn.state.mode].ROWS
    handler = rows.get(kind)
    if not _refused(turn, event) and handler is not None:
        handler(turn, event)


def _refused(turn: Turn, event: events.Event) -> bool:
    """Say why a wish changes nothing, rather than swallow it."""
    why = None if turn.state.stopped else WHY_NOT.get(type(event))
    said = None if why is None else why(turn.state, turn.rules, event)
    # A number that cannot be dialled is not only said: it sounds of congestion.
    if said is None or isinstance(event, actions.Dial):
        return False
    # While its tone sounds, why a call failed is the more important sentence.
    if turn.state.mode in _TELLING and turn.state.notice is not None:
        turn.log(said)
    else:
        turn.say(said, 5.0)
    return True


def _names_call(event: Any) -> bool:
    return event.call is not None


def _fire(turn: Turn) -> None:
    """Ring the clocks that are overdue, the earliest first."""
    while turn.state.timers:
        timer = min(turn.state.timers, key=turn.state.timers.__getitem__)
        if turn.state.timers[timer] > turn.now:
            return
        turn.cancel(timer)
        alarms: Alarms = STATES[turn.state.mode].ALARMS
        alarm = _ALARMS.get(timer) or alarms.get(timer)
        if alarm is not None:
            alarm(turn)


def _started(turn: Turn, event: events.Started) -> None:
    turn.state = replace(
        turn.state,
        hardware=event,
        volumes=volume.at_start(turn.rules.settings, event),
        last_dialled=event.last_dialled,
        run=int(turn.now),
    )
    _warn_of_removed(turn)
    watching.follow(turn)


def _warn_of_removed(turn: Turn) -> None:
    for number in turn.rules.plan.emergency.removed:
        turn.log(notice("emergency_removed", number=number))


def _settings_changed(turn: Turn, event: events.SettingsChanged) -> None:
    old = turn.rules.settings
    turn.rules = Rules.of(event.settings)
    state = volume.settings_changed(turn.state, old, event.settings)
    turn.state = replace(state, lines=lines.from_settings(event.settings, state.lines))
    if old.phone != event.settings.phone:
        _warn_of_removed(turn)
    recording.rule_changed(turn)
    watching.follow(turn)
    presence.forget(turn)
    _line_news(turn)


def _config_judged(turn: Turn, event: events.ConfigJudged) -> None:
    turn.state = replace(turn.state, config_fault=event.fault)
    if event.fault is not None:
        turn.log(event.fault)


def _network_changed(turn: Turn, event: events.NetworkChanged) -> None:
    if turn.state.network_up is not event.up:
        turn.state = replace(turn.state, network_up=event.up)
        if not event.up:
            turn.log(notice("network_down"))
        _line_news(turn)


def _registration_changed(turn: Turn, event: sip.RegistrationChanged) -> None:
    before = turn.state.lines
    turn.state = lines.note(turn.state, event, turn.now)
    for old, line in zip(before, turn.state.lines, strict=True):
        trouble = lines.trouble(turn.state, line)
        known = old.registration is not None and old.registration.cause is event.cause
        if line.name == event.line and event.cause and trouble is not None and not known:
            turn.log(trouble)
    watching.follow(turn)
    _line_news(turn)


def _line_news(turn: Turn) -> None:
    """A person who listens to dial or congestion tone hears at once what changed."""
    if turn.state.mode is Mode.OFF_HOOK:
        endings.tone_of_lines(turn)


def _stop(turn: Turn, _event: events.StopAsked) -> None:
    for call in turn.state.calls:
        endings.part(turn, call, 480)
        endings.forget(turn, call, Ending(by_us=True))
    turn.unsay()
    turn.front(None)
    turn.take_path(None)
    turn.enter(Mode.IDLE)
    turn.state = replace(
        turn.state, stopped=True, digits="", progress=Progress.NONE, volume_bar=None, timers={}
    )


def _figures(turn: Turn, event: media.StreamReport) -> None:
    measured(turn, event)
    quality.measured(turn, event)


def _hang_up_named(turn: Turn, event: actions.HangUp) -> None:
    if event.call == turn.state.front:
        hook.hang_up_front(turn)
        return
    call: Call | None = endings.front_of(turn, event.call)
    if call is not None:
        endings.hang_up(turn, call)


def _ask_again(turn: Turn) -> None:
    """The second press did not come: the emergency call goes on as if nothing had been asked."""
    turn.unsay()


def _and_then_transfer(handler: Handler) -> Handler:
    """A transfer waits until the far end has been told of the hold."""

    def handle(turn: Turn, event: Any) -> None:
        handler(turn, event)
        transfer.go_on(turn)

    return handle


EVERYWHERE: Rows = {
    events.Started: _started,
    events.StopAsked: _stop,
    events.SettingsChanged: _settings_changed,
    events.ConfigJudged: _config_judged,
    events.NetworkChanged: _network_changed,
    events.TextsKept: messages.kept,
    events.EngineLost: engine.lost,
    events.MediaPortReserved: media_port.reserved,
    events.MediaPortRefused: media_port.refused,
    media.EngineReady: engine.ready,
    media.PathReport: engine.path_reported,
    media.HearingChanged: limits.hearing,
    media.UnheardChanged: limits.unheard,
    media.StreamSecured: encryption.secured,
    events.KeysFailed: encryption.failed,
    events.WayFound: ways.found,
    events.WayLost: ways.lost,
    events.RecordingChanged: recording.changed,
    media.FirstHeard: limits.first_heard,
    media.StreamReport: _figures,
    media.DigitHeard: dtmf.heard,
    sip.RegistrationChanged: _registration_changed,
    sip.SubscriptionChanged: watching.changed,
    sip.EventReceived: watching.received,
    sip.MessageReceived: messages.received,
    sip.MessageOutcome: messages.answered,
    sip.ComposingChanged: messages.composing,
    sip.PresenceChanged: presence.changed,
    sip.InfoDigit: dtmf.informed,
    sip.DigitsRefused: dtmf.refused,
    sip.IncomingCall: incoming.arrived,
    sip.ConnectedParty: identity.connected,
    sip.OfferWanted: outgoing.offer_wanted,
    sip.CallTrying: outgoing.trying,
    sip.CallProgress: outgoing.progressed,
    sip.CallRedirected: outgoing.redirected,
    sip.RedirectBarred: outgoing.redirect_barred,
    sip.CallAnswered: outgoing.answered,
    sip.CallConfirmed: _and_then_transfer(hold.confirmed),
    sip.CallEnded: outgoing.ended,
    sip.ReofferReceived: hold.received,
    sip.ReofferAnswered: _and_then_transfer(hold.answered),
    sip.ReofferRejected: _and_then_transfer(hold.rejected),
    sip.TransferProgress: transfer.progressed,
    sip.TransferSucceeded: transfer.succeeded,
    sip.TransferFailed: transfer.failed,
    sip.TransferAsked: transferred.asked,
    sip.DialAsked: click.asked,
    sip.AddressChanged: moving.address_changed,
    sip.CertificateEnds: certificate.ends,
    actions.Dial: lambda turn, event: outgoing.dial(turn, event.target, event.line),
    actions.CallMailbox: lambda turn, _event: watching.call_mailbox(turn),
    actions.SendText: messages.send,
    actions.Writing: messages.write,
    actions.Unwanted: incoming.unwanted,
    actions.PickUp: picking.pick_up,
    actions.ShowAs: presence.show_as,
    actions.TextsRead: messages.read_all,
    actions.Transfer: transfer.wish,
    actions.Join: conference.wish,
    actions.Record: recording.wish,
    actions.Volume: volume.change,
    actions.Mute: volume.mute,
    hal.HeadsetPlugged: paths.plugged,
    hal.HeadsetUnplugged: paths.unplugged,
    hal.DeviceFailed: engine.device_failed,
    hal.DeviceRecovered: engine.device_recovered,
}
"""What is done in every mode alike. Key edges are the ui's: they come back as actions."""

_CALL_VERBS: Rows = {
    actions.Answer: lambda turn, event: incoming.answer(turn, event.call),
    actions.HangUp: _hang_up_named,
    actions.Hold: lambda turn, event: hold.hold(turn, event.call),
    actions.Resume: lambda turn, event: hold.resume(turn, event.call),
    actions.SendDtmf: lambda turn, event: dtmf.send(turn, event.digits, event.call),
}
"""Wishes that name a call mean that call, whatever is in front."""

WHY_NOT: Mapping[type, WhyNot] = {
    actions.Dial: outgoing.why_not,
    actions.Redial: outgoing.why_no_redial,
    actions.CallMailbox: watching.why_no_mailbox,
    actions.SendText: messages.why_not,
    actions.Writing: messages.why_not_writing,
    actions.Unwanted: incoming.why_not_unwanted,
    actions.PickUp: picking.why_not,
    actions.ShowAs: presence.why_not_show,
    actions.Answer: click.why_no_answer,
    actions.Hold: hold.why_not_hold,
    actions.Resume: hold.why_not_resume,
    actions.Transfer: transfer.why_not,
    actions.Join: conference.why_not,
    actions.SendDtmf: dtmf.why_not,
    actions.Record: recording.why_not,
    actions.Mute: volume.why_no_mute,
    actions.Volume: volume.why_not,
    actions.SelectPath: paths.why_not,
}
"""Wishes that cannot always be met: each function says why it cannot be now."""

_TELLING = (Mode.RELEASED, Mode.HOWLER, Mode.OFF_HOOK)

_STOPPED: Rows = {
    sip.IncomingCall: incoming.arrived,
    events.MediaPortReserved: lambda turn, event: turn.do(FreeMediaPort(event.call)),
}

_ALARMS: Alarms = {
    Timer.HOOK_FLASH: hook.flash_over,
    Timer.HANG_UP_ASKED: _ask_again,
    Timer.EMERGENCY_NEXT: emergency_call.clock,
    Timer.CALL_BACKS: lambda _turn: None,
    Timer.VOLUME_BAR: volume.hide,
    Timer.NOTICE: lambda turn: turn.unsay(),
    Timer.REOFFER: hold.reconcile_all,
    Timer.HOLD_REMINDER: hold.remind,
    Timer.CALL_LIMITS: limits.enforce,
    Timer.LEAVE_OLD: transferred.leave,
    Timer.ANSWER_AFTER: incoming.answer_waiting,
    Timer.CALL_AGAIN: again.due,
    Timer.CLICK: click.over,
}
