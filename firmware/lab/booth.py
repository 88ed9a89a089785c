"""The sound of the practice exchange: echo and announcements, by an audio engine of its own.

The same engine, SDP and media sockets as the phone's. If the engine dies, its streams are opened
again on the same sockets.
"""

import logging
from dataclasses import dataclass

from firmware.media.messages import (
    Route,
)
from firmware.net.media_ports import MediaPair
from firmware.sdp.description import Session
from firmware.sdp.negotiate import (
    Negotiated,
)

_LOG = logging.getLogger(__name__)
CLIPS = ("welcome", "emergency")
CLIP_RATE = 8000


@dataclass(slots=True)
class _Stand:
    """One call's sound."""

    stream: int
    pair: MediaPair
    route: Route
    clip: str
    session_id: int
    version: int = 0
    offer: Session | None = None
    agreed: Negotiated | None = None
