"""Whom another party may make this phone call (A19): one rule for all that names a number to us.

    REFER · 3xx · the mailbox that a server names ─▶ barrier() ─▶ None: call · else: say why not

A person may dial whatever they like; this is about numbers that somebody else came up with. Never
an emergency number; no number that costs extra in the country, or that `phone.never_sent_to` lists;
no code that sets something up at the PBX in our name. `phone.may_be_sent_to` lists what is allowed
all the same. Where a redirection may lead besides (AWAY) is the SIP stack's to judge.
"""

import re
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct

from firmware.config.schema import PhoneSettings
from firmware.phone.emergency import EmergencyNumbers, number_of
from firmware.phone.premium import is_costly
from firmware.sip.names import Barrier

_LONGEST_CODE: Final = 6
_GLOBAL_CONTEXT: Final = re.compile(r";phone-context=(\+[0-9.()-]+)", re.IGNORECASE)


class Toll(Struct, frozen=True):
    """The rule that follows from the settings."""

    emergency: EmergencyNumbers
    country: str = ""
    never: tuple[str, ...] = ()
    anyway: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: PhoneSettings) -> "Toll":
        """The rule of this phone."""
        return cls(
            EmergencyNumbers.of(settings),
            settings.country,
            settings.never_sent_to,
            settings.may_be_sent_to,
        )

    def barrier(self, target: str, dialled: str = "") -> Barrier | None:
        """Why nobody but a person may call `target`, a number, user part or URI; None if they may.

        `dialled` is what a person has dialled: the same number elsewhere is no news.
        """
        number = _number(target)
        if self.emergency.matches(number) or self.emergency.matches(target):
            return Barrier.EMERGENCY
        if (dialled and number == _number(dialled)) or _fits(number, self.anyway):
            return None
        if _fits(number, self.never) or is_costly(number, self.country):
            return Barrier.COSTLY
        return Barrier.CODE if _sets_up(number) else None


def _number(target: str) -> str:
    """The number as it would be dialled, with the country that its context names.

    RFC 3966 §5.1.5: a local number means something only together with its phone-context.
    """
    context = _GLOBAL_CONTEXT.search(target)
    # A user part has its parameters behind a semicolon, as a URI has.
    number = _bare(number_of(target if ":" in target else f"sip:{target}"))
    if context is None or number.startswith("+"):
        return number
    return number_of(context[1]) + number


def _bare(number: str) -> str:
    """Without whatever a PBX might drop before it dials; a name with letters is no number."""
    if any(mark.isascii() and mark.isalpha() for mark in number):
        return number
    digits = (str(int(mark)) if mark.isdecimal() else mark for mark in number)
    return "".join(mark for mark in digits if mark in "+0123456789*#")


def _fits(number: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(number, pattern) for pattern in patterns)


def _sets_up(number: str) -> bool:
    """Whether this looks like a code with a number in it: *21*0900… forwards every call of ours.

    Short ones lead to mailboxes and parked calls, and people are transferred to these.
    """
    if number[:1] not in ("*", "#"):
        return False
    return len(number) > _LONGEST_CODE or any(mark in "*#" for mark in number[1:])
