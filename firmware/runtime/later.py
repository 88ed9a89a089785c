"""What a phone does not need to register, and may need at any moment after: loaded in a thread.

A module that the loop had to load in a call would cost it up to a tenth of a second (F42). So what
may arrive unasked (a SUBSCRIBE, a NOTIFY) is there before anybody can send it, and what the
settings make us ask for before we ask. What no setting asks for is not loaded at all.
"""

import importlib
from typing import Final

from firmware.config.rules import ways_of
from firmware.config.schema import Settings

ALWAYS: Final = (
    "firmware.sip.event.dialog_info",
    "firmware.sip.event.message_summary",
    "firmware.sip.event.presence",
    "firmware.sip.event.ua_profile",
)
"""Whoever we trust may subscribe to our calls and presence, and send these unasked."""
READING: Final = ("xml.parsers.expat", "firmware.sip.event.reg")
"""For who watches somebody, or what the registrar has of us: the documents that come are XML."""
ENCRYPTING: Final = ("hmac", "firmware.net.dtls", "firmware.runtime.encryption")
"""For keys of our own; what DTLS needs besides comes with its certificate."""

WAYS: Final = (
    *("firmware.sdp.ice", "firmware.net.ice_agent", "firmware.net.ice_hosts"),
    "firmware.runtime.ice",
)
"""For lines that check the ways to their far ends (ICE), and what relays for them."""
RECORDING: Final = ("firmware.storage.recorder",)
"""For who may record a call at any moment."""


def wanted(settings: Settings) -> tuple[str, ...]:
    """The modules that a phone with these settings needs."""
    watches = any(line.watch or line.buddies or line.watch_registration for line in settings.lines)
    encrypts = any(line.srtp != "off" for line in settings.lines)
    records = settings.recording.calls != "never"
    return (
        *ALWAYS,
        *(READING if watches else ()),
        *(ENCRYPTING if encrypts else ()),
        *(WAYS if any(ways_of(line) != "off" for line in settings.lines) else ()),
        *(RECORDING if records else ()),
    )


def load(settings: Settings) -> None:
    """Load them; not on the loop."""
    for name in wanted(settings):
        importlib.import_module(name)
