"""A real mixer of the kernel's (snd-dummy): controls are set when a card is opened, and read back.

The mixer forgets everything when its card is taken away, as that of a codec does when it is
switched off. What the mixers of USB cards and codecs are called and made of is shown on a stand-in
(tests/unit/hal/sound/test_mixer.py).
"""

import grp
import stat
import subprocess
import time
import tomllib
from pathlib import Path

import alsaaudio
import pytest

from firmware.control import schema as s
from firmware.media.messages import PathName
from hal.board import CardSpec
from hal.boards.card_facts import check_mixer, present_cards, read_mixer
from hal.boards.cards import open_card
from hal.card_spec import Control
from tests.support.waiting import wait_for
from tests.vm.inside import desk
from tests.vm.inside.kernel_cards import has_card

RATE = 16_000
ID = "id:Dummy"
DEVICE, DRIVER = "snd_dummy.0", Path("/sys/bus/platform/drivers/snd_dummy")
WANTED = (
    Control("Master", 80),
    Control("Mic Capture", value=True),
    Control("External I/O Box", "None"),
    Control("Headphone", 70, optional=True),
)
BOARD = """\
name = "mixer"
title = "A virtual phone on a card with a mixer"
[panel]
size = [128, 64]
[cards]
handset = { device = "id:Dummy" }
[mixer."id:Dummy"]
"Synth" = 40
"Masterr" = 80
"""


@pytest.fixture(scope="module", autouse=True)
def dummy():
    """The card, as it is after switching on."""
    subprocess.run(["modprobe", "snd-dummy"], check=True)
    wait_for("the card", lambda: has_card("Dummy"))
    yield
    subprocess.run(["modprobe", "-r", "snd-dummy"], check=True)


@pytest.fixture(autouse=True)
def anew(dummy):
    switch_off()
    switch_on()


def switch_off():
    (DRIVER / "unbind").write_text(DEVICE)
    wait_for("the card to be gone", lambda: not has_card("Dummy"))


def switch_on():
    (DRIVER / "bind").write_text(DEVICE)
    wait_for("the card", lambda: has_card("Dummy"))


def spec(*controls):
    return CardSpec("alsa", ID, mixer=controls)


def percent(name):
    """What the kernel has, asked without our code."""
    mixer = alsaaudio.Mixer(control=name, device="hw:CARD=Dummy")
    low, high = mixer.getrange(alsaaudio.PCM_PLAYBACK)
    levels = mixer.getvolume(alsaaudio.PCM_PLAYBACK, alsaaudio.VOLUME_UNITS_RAW)
    mixer.close()
    return [round((level - low) * 100 / (high - low)) for level in levels]


def recorded(name):
    mixer = alsaaudio.Mixer(control=name, device="hw:CARD=Dummy")
    on = mixer.getrec()
    mixer.close()
    return on


def opened(*controls):
    """What an open card says of its mixer."""
    card = open_card(spec(*controls), (), RATE)
    try:
        card.write(bytes(640))
        return card.remark
    finally:
        card.close()


def test_the_controls_of_a_card_are_set_when_it_is_opened_and_no_other_is(record_property):
    before = {control.name: control.value for control in read_mixer(ID)}
    assert percent("Master") != [80, 80]
    for what, controls in (("opening a card", ()), ("and setting its mixer", WANTED)):
        began = time.monotonic()
        assert opened(*controls) == ""
        took = round((time.monotonic() - began) * 1000)
        record_property(f"{what}, ms (emulated)", took)
    assert percent("Master") == [80, 80]
    assert recorded("Mic") == [1, 1]
    assert check_mixer(spec(*WANTED)) == ()
    after = {control.name: control.value for control in read_mixer(ID)}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"Master Playback", "Mic Capture", "External I/O Box"}


def test_what_somebody_else_changed_is_found_and_set_right_when_the_card_is_opened_again():
    opened(*WANTED)
    other = alsaaudio.Mixer(control="Master", device="hw:CARD=Dummy")
    other.setvolume(5)
    other.close()
    assert check_mixer(spec(*WANTED)) == ("'Master' is at 5 %, and should be at 80 %",)
    assert percent("Master") == [5, 5], "asking sets nothing"
    assert opened(*WANTED) == ""
    assert percent("Master") == [80, 80]


def test_a_card_that_was_away_is_set_again():
    opened(*WANTED)
    switch_off()
    switch_on()
    assert percent("Master") != [80, 80]
    assert check_mixer(spec(*WANTED))
    assert opened(*WANTED) == ""
    assert percent("Master") == [80, 80]


def test_a_control_that_does_not_exist_is_told_with_the_nearest_and_the_card_is_open():
    assert opened(Control("Masterr", 80)) == (
        "card id:Dummy: it has no mixer control 'Masterr'; is it 'Master'?"
    )
    assert opened(Control("External I/O Box", "Radio")) == (
        "card id:Dummy: 'External I/O Box' takes 'None', 'CD Player', not 'Radio'"
    )


def test_an_output_follows_the_path_that_is_heard():
    card = open_card(spec(Control("Line", 0, paths=(("speaker", 90),))), (), RATE)
    assert percent("Line") == [0, 0]
    card.heard_on({"speaker"})
    assert percent("Line") == [90, 90]
    card.heard_on({"handset"})
    assert percent("Line") == [0, 0]
    card.close()


def test_a_card_and_its_mixer_are_shown_to_whoever_has_to_write_their_names():
    cards = subprocess.check_output(["deskphone", "board", "cards"], text=True)
    assert any(row.split()[0] == ID for row in cards.splitlines())
    assert {"Dummy", "Loopback"} <= {card.id for card in present_cards()}
    shown = subprocess.check_output(["deskphone", "board", "cards", ID], text=True)
    controls = tomllib.loads(shown)["board"]["mixer"][ID]
    assert {"Master Playback", "Master Capture", "External I/O Box"} <= controls.keys()
    lost = subprocess.run(
        ["deskphone", "board", "cards", "id:Nope"], capture_output=True, text=True, check=False
    )
    assert lost.returncode == 1
    assert "card id:Nope: there is no such card; there are id:" in lost.stderr


def test_sound_cards_belong_to_the_group_of_the_phone():
    subprocess.run(["udevadm", "settle"], check=True)
    for card in present_cards():
        place = Path(f"/dev/snd/controlC{card.number}").stat()
        assert grp.getgrgid(place.st_gid).gr_name == "audio"
        assert stat.S_IMODE(place.st_mode) & 0o660 == 0o660


def test_the_phone_sets_the_mixer_of_its_card_and_names_what_it_cannot_set():
    """By the audio process, in the sandbox of the unit; and a volume key moves no control."""
    with desk.board(BOARD, ID):
        found = desk.wait("what the phone says of it", lambda found: "Masterr" in found.reason)
        assert found.reason.endswith("it has no mixer control 'Masterr'; is it 'Master'?")
        assert percent("Synth") == [40, 40]
        before = desk.status().volumes["handset"]
        desk.ask(s.Volume(path=PathName.HANDSET, level=12))
        desk.wait("the volume", lambda found: found.volumes["handset"] == 12)
        assert percent("Synth") == [40, 40]
        desk.restart()
        assert desk.status().volumes["handset"] == 12, "it is kept"
        assert percent("Synth") == [40, 40]
        # The tests after this one listen.
        desk.ask(s.Volume(path=PathName.HANDSET, level=before))
        desk.wait("the volume", lambda found: found.volumes["handset"] == before)
