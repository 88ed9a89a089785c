"""The sound of the practice exchange: echo and announcements, by an audio engine of its own.

The same engine, SDP and media sockets as the phone's. If the engine dies, its streams are opened
again on the same sockets.
"""

import logging
import os
from dataclasses import dataclass
from importlib import resources

from firmware.base.tokens import Tokens
from firmware.codec import CODECS
from firmware.media.messages import (
    AnyReport,
    CloseStream,
    ConfigureStream,
    LoadClip,
    OpenStream,
    PayloadFormat,
    Route,
)
from firmware.net.engine_link import EngineLink
from firmware.net.errors import NetError
from firmware.net.media_ports import MediaPair, MediaPorts
from firmware.sdp.description import Format, Session
from firmware.sdp.errors import SdpError
from firmware.sdp.negotiate import (
    Capabilities,
    LocalMedia,
    Negotiated,
    NothingInCommon,
    accept_answer,
    answer,
    make_offer,
)
from firmware.sdp.parser import parse
from firmware.sdp.writer import write
from firmware.sip.notifications import CallRef

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
