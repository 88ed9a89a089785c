"""After a crash loop the phone starts with the least that makes calls, and says so.

What may have brought it down is left out: the page, recordings and loops, every codec but G.711,
answering by itself, and what was remembered of earlier runs. It ends when the phone has run for a
while and is restarted, or at once with a reload of the configuration.
"""

from typing import TYPE_CHECKING, Final

from firmware.base.values import replace
from firmware.bootstrap.choice import Chosen
from firmware.config.schema import Settings
from firmware.runtime.early import Places

if TYPE_CHECKING:  # loaded after the first REGISTER
    from firmware.phone.view import Notice

CRASHES: Final = 5
"""So many starts that nobody ended, within ten minutes, are a crash loop."""
SETTLED_SECONDS: Final = 300.0
"""A phone that has run for so long is in no crash loop."""
_PLAIN_CODECS: Final = ("pcmu", "pcma")
_CALLS: Final = 2


def safe(chosen: Chosen, places: Places, crashes: int) -> tuple[Chosen, Places]:
    """What to run with instead; nothing is remembered as good or kept for later."""
    settings = safe_settings(chosen.settings)
    mode = Chosen(settings, chosen.notes, fault=chosen.fault or _notice(crashes))
    return mode, replace(places, state=places.runtime / "safe-mode")


def safe_settings(settings: Settings) -> Settings:
    """The settings without what a call does not need."""
    return replace(
        settings,
        phone=replace(settings.phone, max_calls=_CALLS),
        lines=tuple(replace(line, auto_answer="never") for line in settings.lines),
        audio=replace(settings.audio, codecs=_PLAIN_CODECS, play="", record="", loop=False),
        recording=replace(settings.recording, calls="never"),
        web=replace(settings.web, enabled=False),
    )


def _notice(crashes: int) -> "Notice":
    from firmware.phone.texts import notice  # noqa: PLC0415 - seldom needed

    return notice("safe_mode", count=crashes)
