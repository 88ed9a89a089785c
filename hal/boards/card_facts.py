"""What is asked of sound cards without opening one: which there are, and how they are set.

For `deskphone check` and `deskphone board`; the audio process has no use for it.
"""

from collections.abc import Collection

from hal.card_spec import CardSpec, Control
from hal.sound.alsa_pcm import absent, no_such_card
from hal.sound.mixer import check_mixer as check_alsa_mixer
from hal.sound.mixer import read_mixer
from hal.sound.present import PresentCard, listed, present_cards

__all__ = [
    "Control",
    "PresentCard",
    "absence",
    "check_mixer",
    "listed",
    "present_cards",
    "read_mixer",
]


def absence(spec: CardSpec) -> str:
    """That a card is certainly not there, with those that are; empty if it is or nobody knows."""
    if spec.kind != "alsa" or not absent(spec.device):
        return ""
    return str(no_such_card(spec.device))


def check_mixer(spec: CardSpec, heard_on: Collection[str] = ()) -> tuple[str, ...]:
    """Each control that is not as it should be while these paths are heard, as a clause.

    Nothing is set. A card whose mixer cannot be had gives one clause that says why, a card that is
    not ALSA's, or has no controls to be set, gives none.
    """
    return check_alsa_mixer(spec, heard_on) if spec.kind == "alsa" else ()
