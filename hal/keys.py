"""The keys a desk phone may have.

A key is what is printed on the cap, not what it does: the meaning of a soft key, or of `2` held
down in a call, is decided far above (`firmware.ui`).
"""

import enum


class Key(enum.Enum):
    """A key cap; the value is the name used in board files, config and the control API."""

    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"
    STAR = "*"
    POUND = "#"
    REDIAL = "redial"
    HOLD = "hold"
    TRANSFER = "transfer"
    CONFERENCE = "conference"
    MUTE = "mute"
    SPEAKER = "speaker"
    HEADSET = "headset"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"
    MESSAGES = "messages"
    DND = "dnd"
    RECORD = "record"
    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    OK = "ok"
    CANCEL = "cancel"
    SOFT_1 = "soft_1"
    SOFT_2 = "soft_2"
    SOFT_3 = "soft_3"
    SOFT_4 = "soft_4"
    LINE_1 = "line_1"
    LINE_2 = "line_2"
    LINE_3 = "line_3"
    LINE_4 = "line_4"
    LINE_5 = "line_5"
    LINE_6 = "line_6"
    LINE_7 = "line_7"
    LINE_8 = "line_8"

    @property
    def digit(self) -> str | None:
        """The dialled character (`0`-`9`, `*`, `#`) or None for a function key."""
        return self.value if len(self.value) == 1 else None


def key_named(name: str) -> Key | None:
    """The key with this board-file name, or None if there is no such key."""
    try:
        return Key(name)
    except ValueError:
        return None
