"""Volume and mute: what is heard now changes, is shown for two seconds and is remembered."""

from firmware.base.values import replace
from firmware.config.schema import AudioSettings, Settings
from firmware.media.messages import PathName
from firmware.phone.actions import Mute, Volume
from firmware.phone.commands import KeepVolume
from firmware.phone.events import Started
from firmware.phone.model import PhoneState, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Mode, Notice, VolumeBar

SHOWN = 2.0


def of_settings(audio: AudioSettings) -> dict[PathName, int]:
    """Path → volume as the settings have it."""
    return {
        PathName.HANDSET: audio.handset.volume,
        PathName.HEADSET: audio.headset.volume,
        PathName.SPEAKER: audio.speaker.volume,
        PathName.RINGER: audio.ringer.volume,
    }


def at_start(settings: Settings, event: Started) -> dict[PathName, int]:
    """The board's paths: what was kept over the restart goes before the settings."""
    wanted = {**of_settings(settings.audio), **dict(event.volumes)}
    return {path: wanted[path] for path in event.paths}


def settings_changed(state: PhoneState, old: Settings, new: Settings) -> PhoneState:
    """A volume edited in the file takes effect; the others stay where the keys put them."""
    before, after = of_settings(old.audio), of_settings(new.audio)
    edited = {path: after[path] for path in state.volumes if before[path] != after[path]}
    return replace(state, volumes={**state.volumes, **edited})


def change(turn: Turn, event: Volume) -> None:
    """A volume key, or a wish with a number and a path."""
    path = event.path or heard_now(turn.state)
    if path is None or path not in turn.state.volumes:
        return
    old = turn.state.volumes[path]
    wanted = old + event.step if event.level is None else event.level
    new = max(0, min(100, wanted))
    bar = VolumeBar(path, new)
    turn.state = replace(turn.state, volumes={**turn.state.volumes, path: new}, volume_bar=bar)
    turn.set_timer(Timer.VOLUME_BAR, SHOWN)
    if new != old:
        turn.do(KeepVolume(path, new))


def heard_now(state: PhoneState) -> PathName | None:
    """The ringer when idle or ringing, else the path that is open."""
    if state.mode in (Mode.IDLE, Mode.RINGING) or state.path is None:
        return next(
            (p for p in (PathName.RINGER, PathName.SPEAKER) if p in state.hardware.paths), None
        )
    return state.path


def hide(turn: Turn) -> None:
    """The two seconds are over."""
    turn.state = replace(turn.state, volume_bar=None)


def why_no_mute(state: PhoneState, _rules: Rules, _event: Mute) -> Notice | None:
    """Why there is nothing to mute, None if there is."""
    call = state.front_call
    return notice("no_call_to_mute") if call is None or not call.answered else None


def why_not(state: PhoneState, _rules: Rules, event: Volume) -> Notice | None:
    """Why this volume cannot be changed, None if it can."""
    path = event.path or heard_now(state)
    if path in state.volumes:
        return None
    return notice("path_missing", path=(path or PathName.RINGER).value)


def mute(turn: Turn, event: Mute) -> None:
    """Mute belongs to the call in front and ends with it."""
    call = turn.state.front_call
    if call is None or not call.answered:
        return
    wanted = not turn.state.muted if event.on is None else event.on
    turn.state = replace(turn.state, muted=wanted)
