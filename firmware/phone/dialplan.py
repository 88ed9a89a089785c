"""The digit map: what a string of dialled digits is so far, and how long to wait for more.

Emergency numbers stand above every other rule. It knows nothing of lines or calls.
"""

import enum

from msgspec import Struct

from firmware.config.schema import Settings
from firmware.phone.emergency import EmergencyNumbers, number_of
from firmware.sip.errors import ParseError
from firmware.sip.uri import parse_uri

INTER_DIGIT = 4.0
"""Seconds after the last digit until the number counts as complete."""
FIRST_DIGIT = 20.0
"""Seconds of dial tone without a digit (ITU-T E.180 leaves it to the country)."""

AUDIO_TEST_CODE = "*#600"


class Verdict(enum.Enum):
    """What to do with the digits so far."""

    MORE = "more"
    """Wait for another digit or the inter-digit timer."""
    DIAL = "dial"
    EMERGENCY = "emergency"
    AUDIO_TEST = "audio_test"


class DialPlan(Struct, frozen=True):
    """The rules in force; `extensions` are our own numbers as far as they are plain digits."""

    emergency: EmergencyNumbers
    extensions: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "DialPlan":
        """The plan that follows from the settings."""
        declared = [name for line in settings.lines for name in (line.user, *line.numbers)]
        extensions = tuple(name for name in declared if name.isdecimal())
        return cls(EmergencyNumbers.of(settings.phone), extensions)

    def judge(self, digits: str) -> Verdict:
        """After each digit: an emergency number goes out at once unless more may follow."""
        if self.emergency.matches(digits):
            return Verdict.MORE if self._longer_declared(digits) else Verdict.EMERGENCY
        if digits == AUDIO_TEST_CODE:
            return Verdict.AUDIO_TEST
        # `#` ends a number; in a code that begins with * or # it is part of the code.
        if digits.endswith("#") and digits[0] not in "*#":
            return self.judge_whole(digits[:-1])
        return Verdict.MORE

    def judge_whole(self, target: str) -> Verdict:
        """When nothing more will follow (timer, dial-now, a whole number at once)."""
        if self.emergency.matches(target):
            return Verdict.EMERGENCY
        if target == AUDIO_TEST_CODE:
            return Verdict.AUDIO_TEST
        return Verdict.DIAL

    def _longer_declared(self, digits: str) -> bool:
        if self.emergency.may_grow(digits):
            return True
        return any(len(e) > len(digits) and e.startswith(digits) for e in self.extensions)


def dialable(target: str) -> str:
    """The target as it goes out: a bare number, a name or a URI; "" if it is none of these."""
    wanted = target.strip()
    if any(mark.isspace() or not mark.isprintable() for mark in wanted):
        wanted = number_of(wanted)
        return wanted if wanted and set(wanted) <= _NUMBER else ""
    if ":" in wanted:
        return wanted if _is_uri(wanted) else ""
    if "@" in wanted:
        return f"sip:{wanted}" if _is_uri(f"sip:{wanted}") else ""
    return number_of(wanted)


_NUMBER = frozenset("+0123456789*#")


def _is_uri(text: str) -> bool:
    if text.partition(":")[0].lower() not in ("sip", "sips", "tel"):
        return False
    try:
        parse_uri(text)
    except ParseError:
        return False
    return True
