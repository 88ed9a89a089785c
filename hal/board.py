"""What a board is, once opened: a record of ports that is passed down, never looked up."""

from dataclasses import dataclass, field

from hal.ports import DisplayPort, InputPort, LampPort, PanelPort, RingerPort


@dataclass(frozen=True, slots=True)
class CardSpec:
    """How to open a sound card: plain data that may travel to another process.

    `kind` is `alsa`, `file`, `null`, `browser` or `mock`; `device` is an ALSA name
    (`id:DEVICE` or a PCM name). `play` and `record` are WAV paths for the `file` card: `play` is
    loaded whole when the card is opened and looped as the microphone; what is heard leaves the
    audio process through a descriptor, so that the real-time thread never touches a file.
    """

    kind: str
    device: str = ""
    play: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """The opened hardware of one phone.

    `cards` maps a path name (`handset`, `headset`, `speaker`, `ringer`) to its sound card; a path
    that is missing does not exist on this board. `panel` is there on boards without hardware.
    `has_hook` is False where nothing can be lifted (a speaker phone).
    """

    name: str
    inputs: tuple[InputPort, ...]
    display: DisplayPort | None
    lamps: LampPort | None
    ringer: RingerPort | None
    cards: dict[str, CardSpec] = field(default_factory=dict)
    panel: PanelPort | None = None
    has_hook: bool = True

    def close(self) -> None:
        """Release every device: inputs first, so that nothing is posted to a closing phone."""
        for part in (*self.inputs, self.ringer, self.lamps, self.display):
            if part is not None:
                part.close()
