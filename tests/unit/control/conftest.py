"""A control socket with a make-believe phone behind it."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from firmware.control import schema
from firmware.control.errors import RefusedError
from firmware.control.server import ControlServer

STATUS = schema.StatusReply(
    state="idle",
    lines=(schema.LineFigures("101@pbx", registered=True, expires_in=3540.0),),
    calls=(),
    audio=schema.AudioFigures(path=None, alive=True),
    version="0.1.0",
)


class MakeBelievePhone:
    """Remembers what it was asked; dials everything but 999."""

    def __init__(self):
        self.asked: list[schema.AnyRequest] = []
        self.ladder_rows = 3

    async def handle(self, request: schema.AnyRequest) -> schema.AnyResult:
        self.asked.append(request)
        match request:
            case schema.Status():
                return STATUS
            case schema.Dial(target="999"):
                raise RefusedError("no line is registered")
            case schema.Ladder():
                return schema.LadderReply(rows=("INVITE sip:600",) * self.ladder_rows)
            case _:
                return None

    def present(self) -> Iterable[schema.AnyEvent]:
        return (
            schema.StatusEvent(at=1.0, status=STATUS),
            schema.LampsEvent(at=1.0, lamps={"message": "off"}),
        )


@pytest.fixture
def phone() -> MakeBelievePhone:
    return MakeBelievePhone()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
async def server(phone: MakeBelievePhone, path: Path) -> AsyncIterator[ControlServer]:
    served = ControlServer(phone, patience=0.2)
    await served.start(path)
    yield served
    await served.stop()
