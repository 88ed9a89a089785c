"""Our own certificate ends soon: said on the resting screen until it is renewed (F27)."""

from typing import Final

from firmware.base.values import replace
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.sip.notifications import CertificateEnds

ENOUGH_DAYS: Final = 30
"""A certificate that is good for so long is not spoken of any more."""


def ends(turn: Turn, event: CertificateEnds) -> None:
    """It is good for a few days only, or it has been renewed."""
    if event.days >= ENOUGH_DAYS:
        turn.state = replace(turn.state, certificate=None)
        return
    name = event.file.rpartition("/")[2]
    said = notice("certificate_ends", file=name, days=event.days)
    turn.state = replace(turn.state, certificate=said)
