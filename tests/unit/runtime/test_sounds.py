import socket
import stat

import pytest

from firmware.config.schema import AudioSettings, PathSettings, SpeakerSettings, TalkPathSettings
from firmware.media.messages import Card, ClosePath, Microphone, OpenPath, PathName
from firmware.runtime.paths import cards_of, listen_audio, open_orders
from firmware.runtime.sounds import Sounds
from hal.board import CardSpec
from hal.card_spec import Control

HANDSET, SPEAKER, RINGER = PathName.HANDSET, PathName.SPEAKER, PathName.RINGER
BOARD = {"handset": CardSpec("null"), "ringer": CardSpec("alsa", "id:Speaker")}
QUIET_BOARD = {"handset": CardSpec("null"), "ringer": CardSpec("null")}


class Engine:
    """Remembers orders, and how many descriptors travelled with each."""

    def __init__(self):
        self.orders = []

    def send(self, order, fds=()):
        self.orders.append((order, len(fds)))


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
async def sounds(tmp_path):
    """The sounds of a phone; they are closed after the test."""
    made = []

    def make(audio, board=QUIET_BOARD, volumes=None):
        made.append(Sounds(audio, board, tmp_path / "audio.sock", volumes or {}))
        return made[-1]

    yield make
    for one in made:
        one.close()


# --- which card -----------------------------------------------------------------------------


def test_a_path_has_the_boards_card_if_nothing_else_is_said():
    cards = cards_of(AudioSettings(), BOARD)
    assert cards == {HANDSET: Card("null"), RINGER: Card("alsa", "id:Speaker")}


def test_the_kind_of_card_may_be_said_for_all_paths():
    cards = cards_of(AudioSettings(card="browser"), BOARD)
    assert cards == {HANDSET: Card("browser"), RINGER: Card("browser")}


def test_a_file_card_plays_and_records_what_the_settings_say():
    audio = AudioSettings(card="file", play="/a.wav", record="/b.wav")
    assert cards_of(audio, BOARD)[HANDSET] == Card("file", play="/a.wav", record="/b.wav")


def test_a_paths_own_device_goes_before_everything():
    audio = AudioSettings(card="file", handset=TalkPathSettings(card="id:Headset"))
    assert cards_of(audio, BOARD)[HANDSET] == Card("alsa", "id:Headset")


@pytest.mark.parametrize(
    ("own", "card"),
    [
        ("usb:1-1.2", Card("alsa", "usb:1-1.2", mixer=(Control("PCM", 100),))),
        ("id:Speaker", Card("alsa", "id:Speaker", mixer=(Control("Speaker", 80),))),
        ("id:Other", Card("alsa", "id:Other")),
        ("null", Card("null")),
        ("file", Card("file", play="/a.wav")),
    ],
)
def test_a_path_may_have_a_card_by_its_port_or_its_id_or_another_kind(own, card):
    mixers = {"usb:1-1.2": (Control("PCM", 100),), "id:Speaker": (Control("Speaker", 80),)}
    audio = AudioSettings(play="/a.wav", handset=TalkPathSettings(card=own))
    assert cards_of(audio, BOARD, mixers)[HANDSET] == card


def test_the_controls_of_the_boards_card_go_with_it():
    spec = CardSpec("alsa", "id:Speaker", mixer=(Control("Speaker", 80),))
    cards = cards_of(AudioSettings(), {"speaker": spec, "ringer": spec})
    assert cards[SPEAKER] == Card("alsa", "id:Speaker", mixer=spec.mixer)
    assert cards[SPEAKER] == cards[RINGER], "one device"


def test_asking_for_the_kind_the_board_has_keeps_its_device():
    assert cards_of(AudioSettings(card="alsa"), BOARD)[RINGER] == Card("alsa", "id:Speaker")


def test_a_kept_volume_goes_before_the_configured_one():
    audio = AudioSettings(ringer=PathSettings(volume=30), handset=TalkPathSettings(volume=50))
    orders = open_orders(cards_of(audio, BOARD), audio, {RINGER: 85})
    assert [(order.path, order.volume) for order in orders] == [(HANDSET, 50), (RINGER, 85)]


def test_a_speakers_echo_is_cancelled_unless_its_card_is_a_file():
    speaker = CardSpec("alsa", "id:Device")
    audio = AudioSettings(speaker=SpeakerSettings(gain=6), handset=TalkPathSettings(sidetone=-30))
    (order,) = open_orders(cards_of(audio, {"speaker": speaker}), audio, {})
    assert order.microphone == Microphone(gain_db=6, echo=True)
    (order,) = open_orders(cards_of(audio, {"handset": speaker}), audio, {})
    assert order.microphone == Microphone(sidetone_db=-30)
    (order,) = open_orders(cards_of(audio, {"speaker": CardSpec("file")}), audio, {})
    assert order.microphone is None
    (order,) = open_orders(cards_of(audio, {"ringer": speaker}), audio, {})
    assert order.microphone is None


# --- the page's socket ----------------------------------------------------------------------


def test_the_pages_socket_is_private_and_replaces_a_stale_one(tmp_path):
    path = tmp_path / "audio.sock"
    for _ in range(2):
        listener = listen_audio(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as page:
            page.connect(str(path))
        listener.close()


def test_a_folder_that_is_not_there_is_an_error_without_leak(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        listen_audio(tmp_path / "none" / "audio.sock")


# --- orders ---------------------------------------------------------------------------------


async def test_every_path_is_opened(sounds, engine):
    sounds(AudioSettings()).open_all(engine)
    assert engine.orders == [
        (OpenPath(HANDSET, Card("null"), 70), 0),
        (OpenPath(RINGER, Card("null"), 70), 0),
    ]


@pytest.mark.parametrize("card", ["browser", "file"])
async def test_paths_that_share_a_card_send_its_descriptor_once(sounds, engine, tmp_path, card):
    record = str(tmp_path / "heard.wav")
    sounds(AudioSettings(card=card, record=record)).open_all(engine)
    assert [count for _, count in engine.orders] == [1, 0]


async def test_a_new_engine_is_told_everything_again_and_records_into_the_same_file(
    sounds, engine, tmp_path
):
    some = sounds(AudioSettings(card="file", record=str(tmp_path / "heard.wav")))
    some.open_all(engine)
    first = list(engine.orders)
    engine.orders.clear()
    some.open_all(engine)
    assert engine.orders == first
    assert len(some._writers) == 1


async def test_another_microphone_gain_is_told_and_closes_nothing(sounds, engine):
    some = sounds(AudioSettings(), {"handset": CardSpec("alsa", "id:Device")})
    some.change(AudioSettings(handset=TalkPathSettings(gain=6)), engine)
    ((order, _),) = engine.orders
    assert (order.path, order.microphone) == (HANDSET, Microphone(gain_db=6))


async def test_other_cards_close_the_paths_and_open_them_anew(sounds, engine):
    some = sounds(AudioSettings())
    some.open_all(engine)
    engine.orders.clear()
    some.change(AudioSettings(), engine)
    assert engine.orders == []
    some.change(AudioSettings(card="mock"), engine)
    assert [order for order, _ in engine.orders] == [
        ClosePath(HANDSET),
        ClosePath(RINGER),
        OpenPath(HANDSET, Card("mock"), 70),
        OpenPath(RINGER, Card("mock"), 70),
    ]


async def test_a_recording_that_nobody_makes_any_more_is_finished(sounds, engine, tmp_path, until):
    one, two = str(tmp_path / "one.wav"), str(tmp_path / "two.wav")
    some = sounds(AudioSettings(card="file", record=one))
    some.open_all(engine)
    some.change(AudioSettings(card="file", record=two), engine)
    assert list(some._writers) == [two]
    await until((tmp_path / "one.wav").exists)


async def test_a_socket_that_cannot_be_made_leaves_a_phone_without_sound(engine, tmp_path, caplog):
    some = Sounds(AudioSettings(card="browser"), BOARD, tmp_path / "none" / "audio.sock", {})
    some.open_all(engine)
    assert [count for _, count in engine.orders] == [0, 0]
    assert "browser" in caplog.text


async def test_at_the_end_the_socket_is_gone(sounds, engine, tmp_path):
    some = sounds(AudioSettings(card="browser"))
    some.open_all(engine)
    assert (tmp_path / "audio.sock").exists()
    some.close()
    assert not (tmp_path / "audio.sock").exists()
