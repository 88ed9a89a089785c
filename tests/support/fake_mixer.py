"""A stand-in for the mixers of the module `alsaaudio`.

It does what pyalsaaudio 0.11 and alsa-lib were read to do: an open control has a copy of its own,
so that what it reads after it has set something is what it meant to set; a volume that the kernel
refuses is no error; a control has a common volume or switch, or one for each direction.
"""

import copy

from tests.support.fake_alsa import AlsaError

PLAYBACK, CAPTURE = 0, 1
_SIDES = {PLAYBACK: "Playback", CAPTURE: "Capture"}


class Knob:
    """One control; `volume` and `switch` are levels and positions of both channels by direction."""

    def __init__(
        self, *, volume=None, switch=None, steps=(0, 100), choices=(), chosen=0, common=()
    ):
        self.volume = {side: [level] * 2 for side, level in (volume or {}).items()}
        self.switch = {side: [on] * 2 for side, on in (switch or {}).items()}
        self.steps, self.choices, self.chosen = steps, list(choices), chosen
        self.common = common
        self.stuck = False
        """Whether the kernel refuses to change it."""

    @property
    def stands(self):
        return self.volume, self.switch, self.chosen


def output(volume=0, steps=(0, 127)):
    return Knob(volume={PLAYBACK: volume}, steps=steps)


def switch(*, on=False):
    return Knob(switch={PLAYBACK: on})


class FakeMixers:
    """The module's part for mixers; `mixers` of each card are its knobs, by ALSA's name of it."""

    PCM_PLAYBACK, PCM_CAPTURE = PLAYBACK, CAPTURE
    VOLUME_UNITS_RAW, MIXER_CHANNEL_ALL = 1, -1
    ALSAAudioError = AlsaError

    def __init__(self, **cards):
        self.knobs = {f"hw:CARD={name}": knobs for name, knobs in cards.items()}
        self.forbidden = False
        self.written = []
        """The names of what was set, in order."""
        self.open = self.looks = 0
        """Handles that nobody has closed; all that there were."""

    def mixers(self, device):
        return [name.partition(",")[0] for name in self._card(device)]

    def Mixer(self, control, id, device):  # noqa: A002, N802 - the library's own names
        name = f"{control},{id}" if id else control
        if name not in self._card(device):
            raise AlsaError(f"Unable to find mixer control {control},{id} [{device}]")
        return FakeMixer(self, name, self._card(device)[name])

    def _card(self, device):
        if self.forbidden:
            raise AlsaError(f"Permission denied [{device}]")
        if device not in self.knobs:
            raise AlsaError(f"No such file or directory [{device}]")
        return self.knobs[device]


class FakeMixer:
    def __init__(self, alsa, name, knob):
        self._alsa, self._name, self._knob = alsa, name, knob
        self._copy = copy.deepcopy(knob)
        self._closed = False
        alsa.open += 1
        alsa.looks += 1

    def close(self):
        self._alsa.open -= not self._closed
        self._closed = True

    def _caps(self, what, sides):
        if what in self._knob.common:
            return [what, f"Joined {what}"]
        return [f"{_SIDES[side]} {what}" for side in sorted(sides)]

    def volumecap(self):
        return self._caps("Volume", self._knob.volume)

    def switchcap(self):
        return self._caps("Mute", self._knob.switch)

    def getrange(self, pcmtype):
        assert pcmtype in self._knob.volume, "the library would give what was there before"
        return list(self._knob.steps)

    def getvolume(self, pcmtype, units):
        assert units == self._alsa.VOLUME_UNITS_RAW
        return list(self._copy.volume.get(pcmtype, []))

    def setvolume(self, volume, channel, pcmtype, units):
        assert (channel, units) == (self._alsa.MIXER_CHANNEL_ALL, self._alsa.VOLUME_UNITS_RAW)
        self._set(lambda knob: knob.volume[pcmtype].__setitem__(slice(None), [volume] * 2))

    def getmute(self):
        return [not on for on in self._switch(PLAYBACK)]

    def setmute(self, mute):
        self._turn(PLAYBACK, on=not mute)

    def getrec(self):
        return [int(on) for on in self._switch(CAPTURE)]

    def setrec(self, rec):
        self._turn(CAPTURE, on=bool(rec))

    def _switch(self, side):
        if side not in self._copy.switch:
            raise AlsaError(f"Mixer {self._name},0 has no such switch capabilities, [x]")
        return self._copy.switch[side]

    def _turn(self, side, *, on):
        self._switch(side)
        self._set(lambda knob: knob.switch[side].__setitem__(slice(None), [on] * 2))

    def getenum(self):
        knob = self._knob
        return (knob.choices[knob.chosen], list(knob.choices)) if knob.choices else ()

    def setenum(self, index):
        if not self._knob.stuck:
            self._knob.chosen = index
        self._alsa.written.append(self._name)

    def _set(self, change):
        self._alsa.written.append(self._name)
        change(self._copy)
        if not self._knob.stuck:
            change(self._knob)
