"""What the audio engine reports, and what its death means: the calls stay up."""

from firmware.base.values import replace
from firmware.media.messages import EngineReady, PathReport
from firmware.phone.events import EngineLost
from firmware.phone.model import Engine
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from hal.events import DeviceFailed, DeviceRecovered


def ready(turn: Turn, _event: EngineReady) -> None:
    """A fresh engine knows nothing: what it should be doing is said again."""
    turn.state = replace(turn.state, engine=Engine.UP)


def lost(turn: Turn, _event: EngineLost) -> None:
    """The calls are kept; sound comes back with the next engine."""
    # What the old engine did not hear says nothing about the new one.
    calls = tuple(
        replace(call, hearing=None, unheard=None, heard=False, suite="")
        for call in turn.state.calls
    )
    turn.state = replace(turn.state, engine=Engine.LOST, calls=calls)
    turn.log(notice("audio_restarting"))


def path_reported(turn: Turn, event: PathReport) -> None:
    """A card opened, or cannot be used, or is not set as it should be."""
    faults = {path: why for path, why in turn.state.card_faults.items() if path is not event.path}
    remarks = {path: why for path, why in turn.state.card_remarks.items() if path is not event.path}
    told = remarks if event.open else faults
    if event.reason:
        told[event.path] = event.reason
    if (faults, remarks) == (turn.state.card_faults, turn.state.card_remarks):
        return
    if event.reason:
        text = "card_remark" if event.open else "card_failed"
        turn.log(notice(text, path=event.path.value, reason=event.reason))
    turn.state = replace(turn.state, card_faults=faults, card_remarks=remarks)


def device_failed(turn: Turn, event: DeviceFailed) -> None:
    """A keypad, a screen, a lamp driver stopped working."""
    faults = {**turn.state.device_faults, event.device: event.reason}
    turn.state = replace(turn.state, device_faults=faults)
    turn.log(notice("device_failed", device=event.device, reason=event.reason))


def device_recovered(turn: Turn, event: DeviceRecovered) -> None:
    """It works again."""
    faults = {d: r for d, r in turn.state.device_faults.items() if d != event.device}
    turn.state = replace(turn.state, device_faults=faults)
