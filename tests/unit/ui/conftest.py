"""The moments of a phone's life that the screens are shown at."""

from datetime import UTC, datetime

import pytest

from firmware.base.values import replace
from firmware.media.messages import PathName
from firmware.phone.view import (
    CallState,
    CallView,
    LineView,
    Mode,
    Notice,
    PhoneView,
    TransferStage,
    TransferView,
    VolumeBar,
)
from firmware.sip.notifications import CallRef, LineName, RegistrationState
from firmware.ui.scene import Clock

NOW = 1000.0
CLOCK = Clock(NOW, datetime(2025, 11, 21, 14, 5, 30, tzinfo=UTC))


def line(label="201", state=RegistrationState.REGISTERED, notice=None, until=0.0):
    return LineView(LineName(f"{label}@pbx"), label, state, notice, until)


def call(**changes):
    ann = CallView(
        ref=CallRef("c1"),
        line=LineName("201@pbx"),
        outgoing=False,
        state=CallState.TALKING,
        name="Ann Miller",
        user="204",
        codec="G722",
        started_at=NOW - 80,
        answered_at=NOW - 75,
    )
    return replace(ann, **changes)


def phone(mode=Mode.IDLE, *calls, **changes):
    lines = changes.pop("lines", (line(),))
    front = calls[0].ref if calls else None
    return PhoneView(mode=mode, lines=lines, calls=calls, front=front, **changes)


def words(text, **args):
    return Notice(text, tuple(args.items()))


SECOND = call(ref=CallRef("c2"), name="Boss", user="100", state=CallState.RINGING_HERE)
BEHIND = call(ref=CallRef("c3"), name="Carl", user="205", held=True)
SCENES = {
    "idle": (phone(), CLOCK),
    "idle_missed": (phone(missed=3, volumes=((PathName.RINGER, 0),)), CLOCK),
    "idle_messages": (
        phone(lines=(replace(line(), messages_waiting=True, new_messages=2),)),
        CLOCK,
    ),
    "idle_clock_unset": (phone(), Clock(NOW)),
    "idle_trying": (
        phone(lines=(line(), line("202", RegistrationState.TRYING, until=NOW + 12))),
        CLOCK,
    ),
    "idle_failed": (
        phone(
            lines=(
                line(
                    "201",
                    RegistrationState.FAILED,
                    words("line_no_answer", where="10.0.0.2:5060 by UDP"),
                    NOW + 12,
                ),
            )
        ),
        CLOCK,
    ),
    "idle_no_network": (phone(network_up=False), CLOCK),
    "idle_no_line": (phone(lines=()), CLOCK),
    "idle_volume": (phone(volume_bar=VolumeBar(PathName.RINGER, 70)), CLOCK),
    "idle_silent": (phone(volume_bar=VolumeBar(PathName.RINGER, 0)), CLOCK),
    "off_hook": (phone(Mode.OFF_HOOK, off_hook=True), CLOCK),
    "off_hook_reason": (
        phone(Mode.OFF_HOOK, notice=words("line_wrong_password", position=1)),
        CLOCK,
    ),
    "dialling": (phone(Mode.DIALLING, digits="0301234"), CLOCK),
    "dialling_long": (phone(Mode.DIALLING, digits="004930123456789012345"), CLOCK),
    "calling": (
        phone(Mode.CALLING, call(outgoing=True, name="", user="204", state=CallState.CALLING)),
        CLOCK,
    ),
    "calling_ringing": (
        phone(Mode.CALLING, call(outgoing=True, state=CallState.RINGING_THERE)),
        CLOCK,
    ),
    "calling_emergency": (
        phone(Mode.CALLING, call(name="", user="112", outgoing=True, emergency=True)),
        CLOCK,
    ),
    "ringing": (phone(Mode.RINGING, call(state=CallState.RINGING_HERE)), CLOCK),
    "ringing_long_name": (
        phone(
            Mode.RINGING,
            call(
                state=CallState.RINGING_HERE,
                name="Владимир Jürgensen-Ångström",
                user="+4930123456789",
            ),
            lines=(line("Reception"), LineView(LineName("201@pbx"), "Home", line().state)),
        ),
        CLOCK,
    ),
    "ringing_anonymous": (
        phone(Mode.RINGING, call(state=CallState.RINGING_HERE, name="", user="")),
        CLOCK,
    ),
    "talking": (phone(Mode.TALKING, call(secure=True)), CLOCK),
    "talking_recorded": (phone(Mode.TALKING, call(secure=True, recorded=True)), CLOCK),
    "talking_hour": (phone(Mode.TALKING, call(answered_at=NOW - 3723)), CLOCK),
    "talking_muted": (phone(Mode.TALKING, call(), muted=True), CLOCK),
    "talking_held": (phone(Mode.TALKING, call(held=True)), CLOCK),
    "talking_held_by_them": (phone(Mode.TALKING, call(held_by_them=True)), CLOCK),
    "talking_ending": (phone(Mode.TALKING, call(state=CallState.ENDING)), CLOCK),
    "talking_emergency": (
        phone(Mode.TALKING, call(name="", user="112", outgoing=True, emergency=True)),
        CLOCK,
    ),
    "idle_no_audio": (phone(audio_alive=False), CLOCK),
    "talking_waiting": (phone(Mode.TALKING, call(), SECOND), CLOCK),
    "talking_hearing_nothing": (
        phone(Mode.TALKING, call(), notice=words("hearing_nothing_no_packets")),
        CLOCK,
    ),
    "talking_volume": (
        phone(Mode.TALKING, call(), volume_bar=VolumeBar(PathName.HANDSET, 100)),
        CLOCK,
    ),
    "talking_two_calls": (phone(Mode.TALKING, call(), BEHIND), CLOCK),
    "talking_conference": (
        phone(
            Mode.TALKING,
            call(),
            call(ref=CallRef("c3"), name="Carl", user="203"),
            conference=("c1", "c3"),
        ),
        CLOCK,
    ),
    "transfer_to_whom": (phone(Mode.OFF_HOOK, BEHIND, off_hook=True, transferee="c3"), CLOCK),
    "transfer_dialling": (phone(Mode.DIALLING, BEHIND, digits="103", transferee="c3"), CLOCK),
    "transfer_calling": (
        phone(
            Mode.CALLING,
            call(outgoing=True, state=CallState.RINGING_THERE),
            BEHIND,
            transferee="c3",
        ),
        CLOCK,
    ),
    "transfer_asked": (
        phone(
            Mode.TALKING,
            call(held=True),
            transfer=TransferView(CallRef("c1"), "103", TransferStage.ASKED),
        ),
        CLOCK,
    ),
    "transfer_ringing": (
        phone(
            Mode.TALKING,
            call(held=True),
            transfer=TransferView(CallRef("c1"), "103", TransferStage.RINGING),
        ),
        CLOCK,
    ),
    "transfer_failed": (
        phone(
            Mode.TALKING, call(held=True), notice=words("transfer_busy", who="Ann", number="103")
        ),
        CLOCK,
    ),
    "released": (phone(Mode.RELEASED), CLOCK),
    "released_reason": (phone(Mode.RELEASED, notice=words("call_busy", who="Ann Miller")), CLOCK),
    "howler": (phone(Mode.HOWLER), CLOCK),
    "audio_test": (phone(Mode.AUDIO_TEST), CLOCK),
}
SIZES = ((128, 64), (128, 32))


def pytest_generate_tests(metafunc):
    """A test that asks for `scene_name` or `size` runs for each."""
    if "scene_name" in metafunc.fixturenames:
        metafunc.parametrize("scene_name", sorted(SCENES))
    if "size" in metafunc.fixturenames:
        metafunc.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@pytest.fixture
def scene_of():
    """`scene_of(name)` → view and clock of that moment."""
    return SCENES.__getitem__


@pytest.fixture
def all_scenes():
    return SCENES


@pytest.fixture
def make_phone():
    return phone


@pytest.fixture
def make_call():
    return call


@pytest.fixture
def make_line():
    return line
