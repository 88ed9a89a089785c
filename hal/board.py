"""What a board is, once opened: a record of ports that is passed down, never looked up."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from hal.card_spec import CardSpec
from hal.mixer_table import Mixers
from hal.ports import DisplayPort, InputPort, LampPort, LetterPort, PanelPort, RingerPort

__all__ = ["Board", "CardSpec"]


@dataclass(frozen=True, slots=True)
class Board:
    """The opened hardware of one phone.

    `cards` maps a path name (`handset`, `headset`, `speaker`, `ringer`) to its sound card; a path
    that is missing does not exist on this board. `panel` is there on boards without hardware.
    `has_hook` is False where nothing can be lifted (a speaker phone). `letters` are those of a
    display that has no pixels; they belong to `display` and are closed with it.
    `mixers` are the controls of sound cards by device, those of `cards` and others.
    """

    name: str
    inputs: tuple[InputPort, ...]
    display: DisplayPort | None
    lamps: LampPort | None
    ringer: RingerPort | None
    cards: dict[str, CardSpec] = field(default_factory=dict)
    panel: PanelPort | None = None
    has_hook: bool = True
    letters: LetterPort | None = None
    mixers: Mixers = field(default_factory=dict)

    def close(self) -> None:
        """Release every device: inputs first, so that nothing is posted to a closing phone."""
        with ExitStack() as parts:
            # One that fails leaves no other open: a bell would ring on.
            for part in (self.display, self.lamps, self.ringer, *reversed(self.inputs)):
                if part is not None:
                    parts.callback(part.close)
