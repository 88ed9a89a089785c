"""The mixer of a sound card: the controls that a board file names are set, and nothing else.

Many a codec wakes up with its outputs switched off, so a phone that opens a card without setting
them is silent and does not know it. Controls are set when the card is opened; what cannot be set is
told in words, with what the card has instead. Nothing that a card does stops its being used.

The names are those of ALSA's simple mixer, which `amixer -c CARD scontrols` prints. What
pyalsaaudio 0.11 makes of them was read from it: it passes over what the kernel says to a new
volume, and what it reads afterwards comes from its own copy. So what was set is read back by asking
anew.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol, assert_never, cast

from hal.card_spec import CardSpec, Control, Value
from hal.errors import DeviceError
from hal.sound.alsa_pcm import alsa, pcm_name

_SIDES = ("Playback", "Capture")
_NAME = re.compile(r"(.+?)(?: (Playback|Capture))?(?:,(\d+))?")
"""Name, side and number of a control: `Mic Capture`, `PCM,1`."""
_CARD = re.compile(r"(?:hw:(?!CARD=)|CARD=)([^,]+)")
_SWITCH, _VOLUME = "Mute", "Volume"
"""What the library calls them."""
_TOLD = 3
"""Faults that one sentence has room for."""
_LISTED = 8
"""Controls that are listed where none is like the one that was asked for."""


class _Mixer(Protocol):
    """What we use of `alsaaudio.Mixer`; lists have an item for each channel."""

    def volumecap(self) -> list[str]: ...
    def switchcap(self) -> list[str]: ...
    def getrange(self, pcmtype: int, /) -> list[int]: ...
    def getvolume(self, pcmtype: int, units: int, /) -> list[int]: ...
    def setvolume(self, volume: int, channel: int, pcmtype: int, units: int, /) -> None: ...
    def getmute(self) -> list[int]: ...
    def setmute(self, mute: int, /) -> None: ...
    def getrec(self) -> list[int]: ...
    def setrec(self, rec: int, /) -> None: ...
    def getenum(self) -> tuple[str, list[str]] | tuple[()]: ...
    def setenum(self, index: int, /) -> None: ...
    def close(self) -> None: ...


class _Library(Protocol):
    """What we use of the module `alsaaudio`."""

    PCM_PLAYBACK: int
    PCM_CAPTURE: int
    VOLUME_UNITS_RAW: int
    MIXER_CHANNEL_ALL: int
    ALSAAudioError: type[Exception]

    def mixers(self, *, device: str) -> list[str]: ...
    def Mixer(self, **which: object) -> _Mixer: ...  # noqa: N802 - the library's own name


class _LacksError(Exception):
    """The card has not got what a control asks for; the text is a clause."""


def apply_mixer(spec: CardSpec) -> str:
    """Set the controls of a card; what could not be set, as one sentence, empty if all are set."""
    faults = _see_to(spec, "stays")
    told = "; ".join([*faults[:_TOLD], *([f"{len(faults) - _TOLD} more"] * (len(faults) > _TOLD))])
    return f"card {spec.device}: {told}" if told else ""


def route_mixer(spec: CardSpec, heard_on: Collection[str]) -> None:
    """Something is heard on these paths from now on: the controls that depend on it are set."""
    routed = spec._replace(mixer=tuple(control for control in spec.mixer if control.paths))
    _see_to(routed, "stays", heard_on)


def check_mixer(spec: CardSpec, heard_on: Collection[str] = ()) -> tuple[str, ...]:
    """Each control that is not as it should be, as a clause that names it; nothing is set.

    A card whose mixer cannot be had gives one clause that says why.
    """
    return tuple(_see_to(spec, "is", heard_on))


def read_mixer(device: str) -> tuple[Control, ...]:
    """Every control of a card as it stands now, as it could stand in a board file.

    Raises:
        hal.errors.DeviceError: the mixer cannot be had; the message says why.
    """
    mixer = _CardMixer(device)
    return tuple(mixer.controls())


def mixer_name(device: str) -> str:
    """ALSA's name of the mixer of a device: that of the card it is on, if it is on one.

    Raises:
        hal.errors.DeviceError: there is no card in this USB port.
    """
    name = pcm_name(device)
    found = _CARD.search(name)
    if found is None:
        return name
    return f"hw:{found[1]}" if found[1].isdigit() else f"hw:CARD={found[1]}"


def _see_to(spec: CardSpec, verb: str, heard_on: Collection[str] = ()) -> list[str]:
    """The faults; a control that `stays` wrong has been set before."""
    if not spec.mixer:
        return []
    try:
        mixer = _CardMixer(spec.device)
    except DeviceError as error:
        return [str(error).removeprefix(f"card {spec.device}: ")]
    controls = [control._replace(value=control.at(heard_on)) for control in spec.mixer]
    if verb == "stays":
        # What was right is not looked at again: asking a card takes its time.
        controls = [control for control in controls if mixer.put(control)]
    return [fault for control in controls if (fault := mixer.fault(control, verb))]


class _CardMixer:
    """All controls of one card."""

    def __init__(self, device: str) -> None:
        self._library = cast("_Library", alsa(device))
        self._card = mixer_name(device)
        try:
            self._names = self._library.mixers(device=self._card)
        except self._library.ALSAAudioError as error:
            raise DeviceError(f"card {device}: its mixer cannot be had ({_why(error)})") from error

    def put(self, control: Control) -> bool:
        """Set a control; whether that was to be done, so that `fault` tells what came of it."""
        with suppress(_LacksError, self._library.ALSAAudioError), self._opened(control) as element:
            if not element.differs(control.value):
                return False
            element.put(control.value)
        return True

    def fault(self, control: Control, verb: str) -> str:
        """What is wrong with a control, empty if nothing is."""
        try:
            with self._opened(control) as element:
                differs = element.differs(control.value)
        except _LacksError as lacks:
            return "" if control.optional else str(lacks)
        except self._library.ALSAAudioError as error:
            return f"{control.name!r} cannot be had ({_why(error)})"
        return f"{control.name!r} {verb} {differs}" if differs else ""

    def controls(self) -> Iterator[Control]:
        """All there are, as they stand."""
        for place, name in enumerate(self._names):
            number = self._names[:place].count(name)
            with suppress(self._library.ALSAAudioError), self._element(name, "", number) as element:
                yield from element.controls(f",{number}" if number else "")

    def _opened(self, control: Control) -> "AbstractContextManager[_Element]":
        name = control.name
        if name in self._names:
            return self._element(name, "", 0)
        found = _NAME.fullmatch(name)
        if found is None or self._names.count(found[1]) <= int(found[3] or 0):
            raise _LacksError(self._no_control(name))
        return self._element(found[1], found[2] or "", int(found[3] or 0))

    @contextmanager
    def _element(self, name: str, side: str, number: int) -> "Iterator[_Element]":
        mixer = self._library.Mixer(control=name, id=number, device=self._card)
        try:
            yield _Element(self._library, mixer, name, side)
        finally:
            mixer.close()

    def _no_control(self, name: str) -> str:
        import difflib  # noqa: PLC0415 - for a card with faults only

        known = list(dict.fromkeys(self._names))
        if near := difflib.get_close_matches(name, known, 3, 0.5):
            return f"it has no mixer control {name!r}; is it {' or '.join(map(repr, near))}?"
        if not known:
            return f"it has no mixer control {name!r}, nor any other"
        listed = ", ".join(map(repr, known[:_LISTED]))
        more = ", …" if len(known) > _LISTED else ""
        return f"it has no mixer control {name!r}, but {listed}{more}"


class _Element:
    """One control that is open; `side` empty = the only one that it has."""

    def __init__(self, library: _Library, mixer: _Mixer, name: str, side: str) -> None:
        self._library = library
        self._mixer = mixer
        self._name = name
        self._side = side
        self._stream = dict(zip(_SIDES, (library.PCM_PLAYBACK, library.PCM_CAPTURE), strict=True))

    def differs(self, value: Value) -> str:
        """How it stands and should, empty if it is right."""
        match value:
            case bool():
                found = self._positions(self._one_side(_SWITCH, value))
                right = found == {value}
                return "" if right else f"{_switch(found)}, and should be {_switch({value})}"
            case int():
                side = self._one_side(_VOLUME, value)
                if self._has(_SWITCH, side) and (found := self._positions(side)) != {True}:
                    return f"{_switch(found)}, and should be at {value} %"
                return self._volume_differs(side, value)
            case str():
                now = self._choices(value)[0]
                return "" if now == value else f"{now!r}, and should be {value!r}"
        assert_never(value)

    def put(self, value: Value) -> None:
        """Set it."""
        match value:
            case bool():
                self._turn(self._one_side(_SWITCH, value), on=value)
            case int():
                side = self._one_side(_VOLUME, value)
                self._mixer.setvolume(
                    self._wanted(side, value),
                    self._library.MIXER_CHANNEL_ALL,
                    self._stream[side],
                    self._library.VOLUME_UNITS_RAW,
                )
                if self._has(_SWITCH, side):
                    self._turn(side, on=True)
            case str():
                self._mixer.setenum(self._choices(value)[1].index(value))
            case _:
                assert_never(value)

    def controls(self, number: str) -> Iterator[Control]:
        """What it has, as it stands: one control, or one for each side."""
        if found := self._mixer.getenum():
            yield Control(f"{self._name}{number}", found[0])
            return
        sides = [s for s in _SIDES if self._has(_SWITCH, s) or self._has(_VOLUME, s)]
        for side in sides:
            name = f"{self._name} {side}{number}" if len(sides) > 1 else f"{self._name}{number}"
            on = not self._has(_SWITCH, side) or self._positions(side) == {True}
            yield Control(name, self._volume(side) if on and self._has(_VOLUME, side) else on)

    def _caps(self, what: str) -> list[str]:
        return self._mixer.switchcap() if what == _SWITCH else self._mixer.volumecap()

    def _has(self, what: str, side: str) -> bool:
        """Whether there is a switch or a volume on a side; a common one is on that of playback."""
        caps = self._caps(what)
        return f"{side} {what}" in caps or (side == _SIDES[0] and what in caps)

    def _one_side(self, what: str, value: Value) -> str:
        """The side on which a switch or a volume is to be set."""
        caps = self._caps(what)
        if what in caps:
            return _SIDES[0]
        sides = [s for s in _SIDES if f"{s} {what}" in caps and self._side in {"", s}]
        if len(sides) > 1:
            both = " or ".join(repr(f"{self._name} {side}") for side in sides)
            raise _LacksError(f"{self._name!r} is there for both directions; name {both}")
        if not sides:
            raise self._takes(value)
        return sides[0]

    def _positions(self, side: str) -> set[bool]:
        """The positions of a switch, all channels together: on, off, or both."""
        if side == _SIDES[0]:
            return {not muted for muted in self._mixer.getmute()}
        return {bool(heard) for heard in self._mixer.getrec()}

    def _turn(self, side: str, *, on: bool) -> None:
        if side == _SIDES[0]:
            self._mixer.setmute(not on)
        else:
            self._mixer.setrec(on)

    def _volume_differs(self, side: str, value: int) -> str:
        """A per cent more or less is what the card's steps make of it."""
        low, high = self._mixer.getrange(self._stream[side])
        wanted = self._wanted(side, value)
        worst = max(self._levels(side), key=lambda level: abs(level - wanted), default=wanted)
        if abs(worst - wanted) * 100 <= high - low:
            return ""
        return f"at {_per_cent(worst, low, high)} %, and should be at {value} %"

    def _levels(self, side: str) -> list[int]:
        return self._mixer.getvolume(self._stream[side], self._library.VOLUME_UNITS_RAW)

    def _wanted(self, side: str, value: int) -> int:
        """A volume in the card's own steps."""
        low, high = self._mixer.getrange(self._stream[side])
        return low + round((high - low) * value / 100)

    def _volume(self, side: str) -> int:
        """The quietest channel in per cent."""
        low, high = self._mixer.getrange(self._stream[side])
        return _per_cent(min(self._levels(side), default=low), low, high)

    def _choices(self, value: str) -> tuple[str, list[str]]:
        found = self._mixer.getenum()
        if not found or value not in found[1]:
            raise self._takes(value)
        return found

    def _takes(self, value: Value) -> _LacksError:
        """That it takes other values than this."""
        kinds = [", ".join(map(repr, found[1]))] if (found := self._mixer.getenum()) else []
        sides = [self._side] if self._side else _SIDES
        kinds += ["true or false"] * any(self._has(_SWITCH, side) for side in sides)
        kinds += ["0 to 100"] * any(self._has(_VOLUME, side) for side in sides)
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        if not kinds:
            what = f" for {self._side.lower()}" if self._side else ""
            return _LacksError(f"{self._name!r} has nothing to set{what}")
        return _LacksError(f"{self._name!r} takes {', or '.join(kinds)}, not {shown}")


def _switch(positions: set[bool]) -> str:
    return "half on" if len(positions) > 1 else "on" if True in positions else "off"


def _per_cent(level: int, low: int, high: int) -> int:
    return round((level - low) * 100 / (high - low)) if high > low else 0


def _why(error: Exception) -> str:
    return str(error).partition(" [")[0]
