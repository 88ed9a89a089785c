"""Numbers that cost more than a call should: premium rates, a country each.

Which ranges they are is what libphonenumber (Google, Apache License 2.0) records from the national
numbering plans under `premiumRate` in its `PhoneNumberMetadata.xml`; the calling codes of no
country are ITU-T's (E.164.1: 870 and 881 to 883 satellites and networks, 979 premium rate). The
patterns are kept short rather than exact: being generous only means that a person has to dial.
"""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

_LONGEST: Final = 40
_FEWEST: Final = 4
"""Digits behind one of ITU-T's codes that make it a number."""
NOWHERE: Final = "870|88[123]|979"


class Plan(Struct, frozen=True):
    """A country's calling code, what leads abroad, what may stand before a number, the ranges.

    What stands before a national number for certain is the `trunk` prefix, if the country has one.
    """

    code: str
    abroad: str
    before: str
    trunk: str
    costly: str


_TRUNK_0: Final = "[09]?0?"
"""An outside line, and the trunk prefix."""

PLANS: dict[str, Plan] = {
    "AU": Plan("61", "0011", _TRUNK_0, "", r"190\d{7}"),
    "BR": Plan("55", r"00\d\d", _TRUNK_0, "0", r"300\d{6,7}|[59]00\d{6,7}"),
    "DE": Plan("49", "00", _TRUNK_0, "0", r"900\d{7,8}|137[7-9]\d{6}"),
    "ES": Plan("34", "00", "[09]?", "", r"80[367]\d{6}"),
    "FR": Plan("33", "00", _TRUNK_0, "0", r"8(?:1[2-9]|2[2-47-9]|[3569]\d|8[0-35-9])\d{6}"),
    "GB": Plan("44", "00", _TRUNK_0, "0", r"(?:9\d\d|84[2-5]|87[0-3])\d{7}"),
    "ID": Plan("62", "00[1-9]", _TRUNK_0, "0", r"809\d{7}"),
    "IN": Plan("91", "00", _TRUNK_0, "", r"186[12]\d{9}"),
    "IT": Plan("39", "00", "9?", "", r"0878\d{5}|1(?:44|6[346])\d{6}|89(?:[245]\d{3,7}|9\d{6})"),
    "JP": Plan("81", "010", _TRUNK_0, "0", r"990\d{6}"),
    "RU": Plan("7", "810", "9?8?", "8", r"80[39]\d{7}"),
    "US": Plan("1", "011", "[89]?1?", "1", r"900[2-9]\d{6}"),
}
"""Country (ISO 3166) → its plan; one that is not listed has only what is costly from anywhere."""

SAME: Final = {"UK": "GB", "CA": "US"}


def is_costly(number: str, country: str) -> bool:
    """Whether calling these digits (with or without +) from a country costs a premium rate.

    Networks drop digits behind a whole number, so there may be more of them.
    """
    return _pattern(country.upper()).fullmatch(number[:_LONGEST]) is not None


@lru_cache(maxsize=4)
def _pattern(country: str) -> re.Pattern[str]:
    home = PLANS.get(SAME.get(country, country))
    # 00 leads abroad in most countries, and many PBXs take it in all of them.
    abroad = r"\+|[09]?00" if home is None else rf"\+|[089]?(?:00|{home.abroad})"
    there = "|".join(f"{plan.code}(?:{plan.costly})" for plan in PLANS.values())
    ways = [rf"(?:{abroad})(?:(?:{there})\d*|(?:{NOWHERE})\d{{{_FEWEST},}})"]
    if home is not None:
        # PBXs write E.164 without its + as well.
        ways.append(rf"(?:{home.before}|{home.code})(?:{home.costly})")
        trunk = f"9?{home.trunk}" if home.trunk else ""
        ways.append(rf"{trunk}(?:{home.costly})\d*")
    return re.compile("|".join(ways))
