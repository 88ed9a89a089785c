"""Which numbers are emergency numbers: the country's, plus and minus the settings'.

Sources of the country table: ITU-T E.161.1 (112 and 911 as the numbers to reach everywhere); for
each country its regulator's rule, named beside the row. A country that is not listed gets 112 and
911. Being generous costs little: a listed number is dialled at once and past every rule.
"""

import re

from msgspec import Struct

from firmware.config.schema import PhoneSettings

EMERGENCY_NUMBERS: dict[str, tuple[str, ...]] = {
    "AU": ("000", "106", "112"),  # ACMA, Telecommunications (Emergency Call Service) Determination
    "BR": ("190", "191", "192", "193", "194", "197", "198", "199"),  # Anatel, Resolução 749/2022
    "DE": ("110", "112"),  # NotrufV §1 (TKG §164)
    "ES": ("112", "061", "062", "080", "085", "091", "092"),  # Real Decreto 903/1997, CNMC
    "FR": ("15", "17", "18", "112", "114", "115", "119", "191", "196"),  # ARCEP décision 2018-0881
    "GB": ("999", "112", "18000"),  # Ofcom General Condition A3
    "ID": ("112", "110", "113", "115", "117", "118", "119"),  # Permenkominfo 10/2016
    "IN": ("112", "100", "101", "102", "108"),  # DoT, National Numbering Plan
    "IT": ("112", "113", "115", "117", "118", "1530"),  # AGCOM delibera 8/15/CIR
    "JP": ("110", "118", "119"),  # Telecommunications Number Plan (MIC notification 6/2019)
    "RU": ("101", "102", "103", "104", "112"),  # Federal law 488-FZ, numbering order 205/2021
    "US": ("911",),  # 47 CFR §9.4
}
"""Country (ISO 3166) → numbers."""

_EVERYWHERE = ("112", "911")
_SAME = {"UK": "GB", "CA": "US"}

# RFC 5031: service URNs that mean "emergency" whatever the number is.
_SOS = re.compile(r"urn:service:sos(\.[a-z0-9.-]+)?$", re.IGNORECASE)
_URI = re.compile(r"(?:sips?|tel):([^@;?]+)(?:[@;?].*)?$", re.IGNORECASE)
_FILLERS = str.maketrans("", "", " -.()/")


def number_of(target: str) -> str:
    """What a person would say was dialled: the user part of a URI, or the number without fillers.

    RFC 3966 §5.1.1 lists the visual separators that are no part of a number.
    """
    stripped = target.strip()
    match = _URI.match(stripped)
    if match:
        return match[1].translate(_FILLERS)
    bare = stripped.translate(_FILLERS)
    return bare if set(bare) <= set("+0123456789*#") else stripped


class EmergencyNumbers(Struct, frozen=True):
    """The emergency numbers of this phone; `removed` are those the settings took away.

    `foremost` is what to dial for an emergency that was not written as a number.
    """

    numbers: frozenset[str]
    foremost: str
    removed: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: PhoneSettings) -> "EmergencyNumbers":
        """The country's numbers plus `emergency` minus `not_emergency`."""
        country = settings.country.upper()
        known = EMERGENCY_NUMBERS.get(_SAME.get(country, country), _EVERYWHERE)
        numbers = {number_of(number) for number in (*known, *settings.emergency)} - {""}
        unwanted = {number_of(number) for number in settings.not_emergency}
        wanted = numbers - unwanted
        foremost = next((number for number in known if number in wanted), known[0])
        return cls(frozenset(wanted), foremost, tuple(sorted(numbers & unwanted)))

    def number_for(self, target: str) -> str:
        """What to dial for a target that `matches`."""
        return self.foremost if _SOS.match(target.strip()) else number_of(target)

    def matches(self, target: str) -> bool:
        """Whether this whole number or URI is an emergency."""
        return number_of(target) in self.numbers or bool(_SOS.match(target.strip()))

    def may_grow(self, digits: str) -> bool:
        """Whether a longer emergency number begins with these digits."""
        return any(len(n) > len(digits) and n.startswith(digits) for n in self.numbers)
