"""What a USB handset says of itself and its reports (HID 1.11 section 5, section 6.2.2). Pure.

The kernel turns the keys of a handset into input events, but not its hook switch, and of its lamps
only some: these are read and written as reports, whose bits the device describes in a language of
its own. A descriptor may be any rubbish: what cannot be read ends the reading.

A usage is page and number in one: 0x0B0020 is the hook switch of the telephony page (HID Usage
Tables section 11, section 14).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

USAGES: dict[str, int] = {
    "HID_HOOK": 0x0B0020,
    "HID_FLASH": 0x0B0021,
    "HID_HOLD_KEY": 0x0B0023,
    "HID_REDIAL": 0x0B0024,
    "HID_TRANSFER": 0x0B0025,
    "HID_LINE": 0x0B002A,
    "HID_SPEAKER_PHONE": 0x0B002B,
    "HID_CONFERENCE": 0x0B002C,
    "HID_PHONE_MUTE": 0x0B002F,
    **{f"HID_KEY_{digit}": 0x0B00B0 + digit for digit in range(10)},
    "HID_KEY_STAR": 0x0B00BA,
    "HID_KEY_POUND": 0x0B00BB,
    "HID_VOLUME_UP": 0x0C00E9,
    "HID_VOLUME_DOWN": 0x0C00EA,
    "HID_DND": 0x080008,
    "HID_MUTE": 0x080009,
    "HID_OFF_HOOK": 0x080017,
    "HID_RING": 0x080018,
    "HID_MESSAGE": 0x080019,
    "HID_SPEAKER": 0x08001E,
    "HID_HEADSET": 0x08001F,
    "HID_HOLD": 0x080020,
    "HID_MICROPHONE": 0x080021,
}
"""The names that a board file may use: keys and hook first, then lamps."""
LAMP_PAGE = 0x08
_MAIN, _GLOBAL, _LOCAL = 0, 1, 2
_INPUT, _OUTPUT = 8, 9
_PUSH, _POP = 10, 11
_USAGE, _FIRST, _LAST = 0, 1, 2
_CONSTANT, _VARIABLE = 1, 2
_LONG = 0xFE
_MOST_FIELDS, _MOST_BITS, _MOST_PUSHED = 1024, 32, 16
_MOST_LOOKS = 8192
"""Usages of all fields together: each report costs a look at every one of them."""
_LONGEST, _LAST_REPORT = 8 * 4096, 255
"""Bits of a report, and the highest number of one. Handsets use some bytes."""


@dataclass(frozen=True, slots=True)
class Field:
    """A value in a report, `bit` bits behind the report's number.

    A variable is on if it is not 0, and has one usage; an array's value names one of its usages,
    counted from `low`.
    """

    output: bool
    report: int
    bit: int
    size: int
    usages: tuple[int, ...]
    low: int
    array: bool


def _parsed(descriptor: bytes) -> "_Parser":
    parser = _Parser()
    for kind, tag, data in _items(descriptor):
        if kind == _GLOBAL:
            parser.take_global(tag, data)
        elif kind == _LOCAL:
            parser.take_local(tag, data)
        elif kind == _MAIN and not parser.take_main(tag, data):
            break
    return parser


def _items(descriptor: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, tag and data of each item; long items are passed over (section 6.2.2.3)."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == _LONG:
            at += 3 + (descriptor[at + 1] if at + 1 < len(descriptor) else 0)
            continue
        size = (0, 1, 2, 4)[prefix & 3]
        data = descriptor[at + 1 : at + 1 + size]
        if len(data) < size:
            return
        yield prefix >> 2 & 3, prefix >> 4, data
        at += 1 + size


class _Parser:
    """What items have said so far (section 6.2.2.7, section 6.2.2.8), and the fields they made."""

    def __init__(self) -> None:
        self.found: list[Field] = []
        self._page = self._low = self._size = self._report = self._count = 0
        self._stack: list[tuple[int, int, int, int, int]] = []
        self._usages: list[tuple[int, int]] = []
        self._first = self._looks = 0
        self._ranges = _MOST_LOOKS
        """Usages that further ranges may name."""
        self.ends: dict[tuple[bool, int], int] = {}
        """Bits of each report, by whether it is an output and its number."""

    def take_global(self, tag: int, data: bytes) -> None:
        """An item that holds until another one of its kind."""
        value = int.from_bytes(data, "little")
        match tag:
            case 0:
                self._page = value
            case 1:
                self._low = int.from_bytes(data, "little", signed=True)
            case 7:
                self._size = value
            case 8:
                self._report = value
            case 9:
                self._count = value
            case _:
                self._push_or_pop(tag)

    def _push_or_pop(self, tag: int) -> None:
        if tag == _PUSH and len(self._stack) < _MOST_PUSHED:
            self._stack.append((self._page, self._low, self._size, self._report, self._count))
        elif tag == _POP and self._stack:
            self._page, self._low, self._size, self._report, self._count = self._stack.pop()

    def take_local(self, tag: int, data: bytes) -> None:
        """An item for the next field alone."""
        number, length = int.from_bytes(data, "little"), len(data)
        if tag == _USAGE and len(self._usages) < _MOST_FIELDS:
            self._usages.append((number, length))
        elif tag == _FIRST:
            self._first = number
        elif tag == _LAST and 0 <= number - self._first < min(_MOST_FIELDS, self._ranges):
            self._usages = [(each, length) for each in range(self._first, number + 1)]
            self._ranges -= len(self._usages)

    def take_main(self, tag: int, data: bytes) -> bool:
        """Input, output or the end of what they belong to; false if it is beyond all measure."""
        if tag in (_INPUT, _OUTPUT):
            flags = int.from_bytes(data[:1], "little")
            if not self._measured(variable=bool(flags & _VARIABLE)):
                return False
            self._add(output=tag == _OUTPUT, flags=flags)
        self._usages = []
        return len(self.found) < _MOST_FIELDS and max(self.ends.values(), default=0) < _LONGEST

    def _measured(self, *, variable: bool) -> bool:
        """Whether the fields to come are such as a handset may have."""
        self._looks += self._count * (1 if variable else len(self._usages))
        return (
            self._count <= _MOST_FIELDS
            and self._size <= _MOST_BITS
            and self._report <= _LAST_REPORT
            and self._looks <= _MOST_LOOKS
        )

    def _add(self, *, output: bool, flags: int) -> None:
        key = (output, self._report)
        start = self.ends.get(key, 0)
        self.ends[key] = start + self._count * self._size
        # A usage of four bytes brings its page with it; a shorter one has the page of now.
        usages = tuple(
            number if length == 4 else self._page << 16 | number for number, length in self._usages
        )
        if flags & _CONSTANT or not usages or not self._size:
            return
        array = not flags & _VARIABLE
        for place in range(self._count):
            mine = usages if array else (usages[min(place, len(usages) - 1)],)
            bit = start + place * self._size
            self.found.append(Field(output, self._report, bit, self._size, mine, self._low, array))


class Reports:
    """The reports of one device, by its descriptor."""

    def __init__(self, descriptor: bytes) -> None:
        parser = _parsed(descriptor)
        self._fields = tuple(parser.found)
        self._ends = parser.ends
        self._numbered = any(each.report for each in self._fields)

    @property
    def inputs(self) -> frozenset[int]:
        """The usages that it may report."""
        return frozenset(u for each in self._fields if not each.output for u in each.usages)

    @property
    def outputs(self) -> frozenset[int]:
        """The usages that it can be told."""
        return frozenset(each.usages[0] for each in self._fields if each.output and not each.array)

    def read(self, report: bytes) -> dict[int, bool]:
        """Each usage of this report, and whether it is on."""
        number = report[0] if self._numbered and report else 0
        bits = int.from_bytes(report[self._numbered :], "little")
        length = 8 * (len(report) - self._numbered)
        found: dict[int, bool] = {}
        for each in self._fields:
            if each.output or each.report != number or each.bit + each.size > length:
                continue
            value = bits >> each.bit & (1 << each.size) - 1
            if not each.array:
                found[each.usages[0]] = found.get(each.usages[0], False) or bool(value)
                continue
            for usage in each.usages:
                found.setdefault(usage, False)
            if 0 <= value - each.low < len(each.usages):
                found[each.usages[value - each.low]] = True
        return found

    def write(self, on: Collection[int]) -> list[bytes]:
        """The reports that tell the device which usages are on; each begins with its number."""
        values: dict[int, int] = {}
        for each in self._fields:
            if each.output and not each.array:
                lit = each.usages[0] in on
                values[each.report] = values.get(each.report, 0) | int(lit) << each.bit
        return [
            bytes((number,)) + value.to_bytes((self._ends[True, number] + 7) // 8, "little")
            for number, value in values.items()
        ]

    def holding(self, usage: int) -> tuple[int, int] | None:
        """Number and bytes (with the number) of the input report that has this usage."""
        for each in self._fields:
            if not each.output and usage in each.usages:
                return each.report, 1 + (self._ends[False, each.report] + 7) // 8
        return None
