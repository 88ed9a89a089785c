"""Two phones' worth of descriptions."""

import pytest

from firmware.sdp.description import Format
from firmware.sdp.negotiate import Capabilities, LocalMedia
from firmware.sdp.parser import parse

PCMU, PCMA, G722 = Format(0, "PCMU", 8000), Format(8, "PCMA", 8000), Format(9, "G722", 8000)
OPUS = Format(96, "opus", 48000, 2, "useinbandfec=1")


@pytest.fixture
def phone():
    """What this phone speaks, best first."""
    return Capabilities((G722, PCMU, PCMA))


@pytest.fixture
def here():
    return LocalMedia("192.0.2.10", 40000, 40001)


@pytest.fixture
def body():
    """A description from its lines after `t=`; `session` goes before them."""

    def build(*media: str, connection: str = "IN IP4 192.0.2.1", session: tuple[str, ...] = ()):
        lines = ["v=0", "o=alice 1 1 IN IP4 192.0.2.1", "s=-"]
        if connection:
            lines.append(f"c={connection}")
        lines += ["t=0 0", *session, *media]
        return parse("".join(f"{line}\r\n" for line in lines).encode())

    return build
