"""Payload formats of two ends against each other: which are the same, and how each is numbered.

What an `a=fmtp` says is what its writer would like to receive (RFC 3264 §6.1 leaves that to each
format; RFC 7587 §7.1 says so of Opus): so what is common is said with our parameters and sent with
theirs. Only parameters that select make two formats of one name different ones.
"""

from collections.abc import Iterable, Iterator

from firmware.base.values import replace
from firmware.sdp.description import Format, Media

EVENT_NAME = "telephone-event"
EVENT_FMTP = "0-16"
NOISE_NAME = "CN"
_NOISE_NUMBER = 13
_SELECTING = ("mode", "octet-align", "annexb")
"""Parameters that make two formats of one name different ones; others only tune."""
_SHORTEST_PTIME = 10
_LONGEST_PTIME = 60
USUAL_PTIME = 20
_DYNAMIC = range(96, 128)


def packet_time(media: Media, usual: int, speech: Format) -> int:
    """What the far end likes, in whole 10 ms between 10 and 60, below its maximum.

    `speech` is what it is sent: some write `minptime` among its parameters.
    """
    wanted = max(media.ptime or usual, _least(speech))
    if media.maxptime is not None:
        wanted = min(wanted, media.maxptime)
    return max(_SHORTEST_PTIME, min(_LONGEST_PTIME, wanted // 10 * 10))


def _least(speech: Format) -> int:
    for part in speech.fmtp.lower().split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "minptime" and value.strip().isascii() and value.strip().isdigit():
            return min(int(value.strip()[:6]), _LONGEST_PTIME)
    return 0


def is_event(item: Format) -> bool:
    """Whether it carries digits (RFC 4733 §7.1.1)."""
    return item.name.lower() == EVENT_NAME


def is_noise(item: Format) -> bool:
    """Whether it describes a pause (RFC 3389 §5.1)."""
    return item.name.upper() == NOISE_NAME


def is_speech(item: Format) -> bool:
    """Whether it is neither."""
    return not is_event(item) and not is_noise(item)


def names(formats: Iterable[Format]) -> str:
    """The codecs, for people."""
    return ", ".join(item.name or str(item.number) for item in formats if is_speech(item))


def common(theirs: tuple[Format, ...], ours: tuple[Format, ...]) -> tuple[Format, ...]:
    """Our formats that they have, in their order and with their numbers (RFC 3264 §6.1)."""
    found: list[Format] = []
    for item in theirs:
        match = find(item, ours)
        if match is not None:
            found.append(replace(match, number=item.number, fmtp=item.fmtp))
    return tuple(found)


def as_ours(formats: tuple[Format, ...], ours: tuple[Format, ...]) -> tuple[Format, ...]:
    """What is common, with the parameters that say what we would like to receive."""
    matches = ((item, find(item, ours)) for item in formats)
    return tuple(
        item if match is None else replace(item, fmtp=match.fmtp) for item, match in matches
    )


def still_ours(own: tuple[Format, ...], agreed: tuple[Format, ...]) -> tuple[Format, ...]:
    """Those of our formats that an answer numbered anew: the old number may still arrive."""
    matches = ((item, find(item, agreed)) for item in own)
    return tuple(item for item, match in matches if match and match.number != item.number)


def find(item: Format, among: Iterable[Format]) -> Format | None:
    """The same format among others."""
    return next((other for other in among if _same(item, other)), None)


def _same(one: Format, other: Format) -> bool:
    """Whether two formats are one codec: name, clock, channels and what of fmtp selects."""
    if not one.name or one.name.lower() != other.name.lower():
        return False
    if one.channels != other.channels or _clock(one) != _clock(other):
        return False
    return _selected(one) == _selected(other)


def _clock(item: Format) -> int:
    # Some write the sampling rate of G.722; its RTP clock is 8,000 (RFC 3551 §4.5.2).
    if item.name.upper() == "G722" and item.clock == 16000:
        return 8000
    return item.clock


def _selected(item: Format) -> tuple[str, ...]:
    parameters = (part.strip().lower().replace(" ", "") for part in item.fmtp.split(";"))
    return tuple(sorted(part for part in parameters if part.partition("=")[0] in _SELECTING))


def common_event(theirs: tuple[Format, ...], speech: Format) -> Format | None:
    """Their telephone-event format: that of the speech's clock if there is one (RFC 4733 §2.1)."""
    events = [item for item in theirs if is_event(item) and item.clock]
    same = (item for item in events if item.clock == _clock(speech))
    chosen = next(same, events[0] if events else None)
    return None if chosen is None else replace(chosen, name=EVENT_NAME, fmtp=EVENT_FMTP)


def common_noises(theirs: tuple[Format, ...], speech: tuple[Format, ...]) -> tuple[Format, ...]:
    """Their comfort noise, as far as it runs on the clock of something that is spoken."""
    clocks = {_clock(item) for item in speech}
    return tuple(
        replace(item, name=NOISE_NAME, fmtp="")
        for item in theirs
        if is_noise(item) and item.clock in clocks
    )


def noises_for(formats: tuple[Format, ...], clocks: frozenset[int]) -> tuple[Format, ...]:
    """Comfort noise on those of `clocks` that are offered: 13 has 8,000 (RFC 3389 §4)."""
    wanted = sorted(clocks & {item.clock for item in formats})
    free = _free(formats)
    return tuple(
        Format(_NOISE_NUMBER if clock == 8000 else next(free), NOISE_NAME, clock)
        for clock in wanted
    )


def _free(formats: tuple[Format, ...]) -> Iterator[int]:
    """Numbers nothing else has, from 101 up."""
    taken = {item.number for item in formats}
    return (number for number in (*range(101, 128), *range(96, 101)) if number not in taken)


def events_for(formats: tuple[Format, ...]) -> tuple[Format, ...]:
    """A telephone-event format for each clock we offer, on free numbers.

    And one of 8,000, which beside Opus is all that some far ends know.
    """
    clocks = sorted({8000, *(item.clock for item in formats)})
    free = _free(formats)
    return tuple(
        Format(number, EVENT_NAME, clock, 1, EVENT_FMTP)
        for clock, number in zip(clocks, free, strict=False)
    )


def numbered(formats: tuple[Format, ...], before: tuple[Format, ...]) -> Iterable[Format]:
    """Our formats with the numbers they had; a new one gets a number that meant nothing else."""
    taken = {item.number for item in before}
    usual = {item.number for item in formats}
    free = (number for number in _DYNAMIC if number not in taken and number not in usual)
    for item in formats:
        known = find(item, before)
        if known is not None:
            yield replace(item, number=known.number)
        elif item.number in taken:
            yield replace(item, number=next(free, item.number))
        else:
            yield item
