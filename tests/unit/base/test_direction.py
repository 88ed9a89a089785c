import pytest

from firmware.base.direction import Direction, direction_of


@pytest.mark.parametrize(
    ("word", "sends", "receives", "mirrored"),
    [
        ("sendrecv", True, True, "sendrecv"),
        ("sendonly", True, False, "recvonly"),
        ("recvonly", False, True, "sendonly"),
        ("inactive", False, False, "inactive"),
    ],
)
def test_each_word_is_a_pair_of_abilities_seen_from_one_side(word, sends, receives, mirrored):
    """RFC 8866 §6.7."""
    direction = Direction(word)
    assert (direction.sends, direction.receives) == (sends, receives)
    assert direction_of(sends=sends, receives=receives) is direction
    assert direction.mirrored is Direction(mirrored)
