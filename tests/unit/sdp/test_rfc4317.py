"""The worked examples of RFC 4317, as far as they have audio."""

from pathlib import Path

import pytest

from firmware.base.direction import Direction
from firmware.sdp.description import Format
from firmware.sdp.negotiate import (
    Capabilities,
    LocalMedia,
    Negotiated,
    NothingInCommon,
    accept_answer,
    answer,
)
from firmware.sdp.parser import parse

EXAMPLES = Path(__file__).parents[2] / "data" / "rfc4317"
HERE = LocalMedia("192.0.2.10", 49172, 49173)
ILBC = Format(97, "iLBC", 8000)
EVERYONE = Capabilities((Format(0, "PCMU", 8000), Format(8, "PCMA", 8000), ILBC))


def example(name: str):
    return parse((EXAMPLES / f"{name}.sdp").read_bytes())


def answer_to(name: str, *codecs: str, direction: Direction = Direction.SENDRECV):
    formats = tuple(item for item in EVERYONE.formats if item.name in codecs)
    return answer(example(name), Capabilities(formats), HERE, direction, 1, 1)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.sdp")), ids=lambda path: path.stem)
def test_every_description_is_read(path):
    session = parse(path.read_bytes())
    assert session.origin.username in ("alice", "bob", "carol")
    assert all(
        media.formats and all(item.name for item in media.formats) for media in session.media
    )


def test_2_2_two_codecs_are_accepted_and_the_video_is_not():
    result = answer_to("2.2-1-offer", "PCMU", "PCMA")
    assert isinstance(result, Negotiated)
    expected = example("2.2-2-answer")
    assert [media.port for media in result.session.media] == [
        media.port for media in expected.media
    ]
    assert result.formats == expected.media[0].formats


def test_2_2_the_second_offer_keeps_the_refused_video_and_so_does_the_answer():
    result = answer_to("2.2-3-second-offer", "PCMU", "PCMA")
    assert isinstance(result, Negotiated)
    assert [(media.kind, media.port) for media in result.session.media] == [
        ("audio", 49172), ("video", 0),
    ]  # fmt: skip
    assert [item.name for item in result.formats] == ["PCMU"]


def test_2_3_a_codec_answered_by_another_number_is_the_same_codec():
    result = accept_answer(example("2.3-1-offer"), example("2.3-2-answer"), EVERYONE)
    assert isinstance(result, Negotiated)
    assert result.formats == (Format(99, "iLBC", 8000), ILBC)


def test_2_4_digits_in_a_medium_of_their_own_are_refused_by_us():
    result = answer_to("2.4-1-offer", "iLBC")
    assert isinstance(result, Negotiated)
    assert result.formats == (ILBC,)
    assert [media.port for media in result.session.media] == [49172, 0]


def test_3_1_hold_is_answered_as_receive_only():
    result = answer_to("3.1-3-second-offer", "iLBC")
    assert isinstance(result, Negotiated)
    held = example("3.1-3-second-offer").media[0].direction
    assert result.direction is held.mirrored


def test_5_1_an_offer_of_nothing_has_no_audio():
    assert answer_to("5.1-1-offer", "PCMU") == NothingInCommon("the offer has no audio")


@pytest.mark.parametrize("name", ["5.2-1-offer", "5.3-1-offer", "4.1-1-offer", "2.6-1-offer"])
def test_the_direction_of_every_audio_answer_mirrors_its_offer(name):
    result = answer_to(name, "PCMU", "PCMA", "iLBC")
    assert isinstance(result, Negotiated)
    offered = example(name)
    assert result.direction.receives == offered.media[result.media_index].direction.sends
