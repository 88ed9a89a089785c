"""RTCP extended reports: the VoIP metrics block, as a value and as octets (RFC 3611).

Other blocks are stepped over. Nothing here measures.
"""

import struct

import msgspec

EXTENDED_REPORT = 207
_VOIP_METRICS = 7
_WORDS = 8
_BLOCK = struct.Struct("!IBBBBHHHHbbBBBBBBBBHHH")
_HEAD = struct.Struct("!BBH")
_UNKNOWN = 127
_ADAPTIVE = 0b11 << 4
_ENHANCED = 0b10 << 6
"""How we conceal (RFC 3611 §4.7.6): more than replaying what was before."""
_RATE = 15
"""A step from 30 to 100 ms of jitter takes twice so many frames (RFC 3611 §4.7.6): 0.8 s of sound
made longer, which is more than the field holds."""


class VoipMetrics(msgspec.Struct, frozen=True, gc=False):
    """RFC 3611 §4.7 of one source. Shares are 0 to 1, times milliseconds, levels dBm0.

    None is "not known". `discarded` came and was too late; `listening` and `conversation` are
    opinions from 1 to 5, `rating` is the R factor; `echo_loss` is what of their own voice they are
    spared (RERL), in dB.
    """

    ssrc: int
    lost: float
    discarded: float
    burst_density: float
    gap_density: float
    burst_ms: int
    gap_ms: int
    round_trip_ms: int
    end_system_ms: int
    signal_level: int | None
    noise_level: int | None
    echo_loss: int | None
    gmin: int
    rating: int | None
    listening: float | None
    conversation: float | None
    buffer_nominal_ms: int
    buffer_most_ms: int
    buffer_limit_ms: int


def write_metrics(metrics: VoipMetrics) -> bytes:
    """The block with its head."""
    body = _BLOCK.pack(
        metrics.ssrc,
        *(
            _share(each)
            for each in (
                metrics.lost,
                metrics.discarded,
                metrics.burst_density,
                metrics.gap_density,
            )
        ),
        *(
            min(0xFFFF, max(0, each))
            for each in (
                metrics.burst_ms,
                metrics.gap_ms,
                metrics.round_trip_ms,
                metrics.end_system_ms,
            )
        ),
        _level(metrics.signal_level),
        _level(metrics.noise_level),
        _UNKNOWN if metrics.echo_loss is None else min(126, max(0, metrics.echo_loss)),
        metrics.gmin,
        _UNKNOWN if metrics.rating is None else min(100, max(0, metrics.rating)),
        _UNKNOWN,  # no external network's rating
        _opinion(metrics.listening),
        _opinion(metrics.conversation),
        _ENHANCED | _ADAPTIVE | _RATE,
        0,
        *(
            min(0xFFFF, max(0, each))
            for each in (
                metrics.buffer_nominal_ms,
                metrics.buffer_most_ms,
                metrics.buffer_limit_ms,
            )
        ),
    )
    return _HEAD.pack(_VOIP_METRICS, 0, _WORDS) + body


def read_blocks(body: bytes) -> tuple[VoipMetrics, ...]:
    """The VoIP metrics among the blocks after the sender's SSRC; what is cut off ends the list."""
    found: list[VoipMetrics] = []
    place = 0
    while place + 4 <= len(body):
        kind, _, words = _HEAD.unpack_from(body, place)
        end = place + 4 + 4 * words
        if end > len(body):
            break
        if kind == _VOIP_METRICS and words == _WORDS:
            found.append(_read(body, place + 4))
        place = end
    return tuple(found)


def _read(body: bytes, place: int) -> VoipMetrics:
    (
        ssrc, lost, discarded, burst, gap, burst_ms, gap_ms, round_trip, end_system,
        signal, noise, echo, gmin, rating, _outside, listening, conversation, _config, _reserved,
        nominal, most, limit,
    ) = _BLOCK.unpack_from(body, place)  # fmt: skip
    return VoipMetrics(
        ssrc,
        lost / 256,
        discarded / 256,
        burst / 256,
        gap / 256,
        burst_ms,
        gap_ms,
        round_trip,
        end_system,
        None if signal == _UNKNOWN else signal,
        None if noise == _UNKNOWN else noise,
        None if echo == _UNKNOWN else echo,
        gmin,
        None if rating == _UNKNOWN else rating,
        None if listening == _UNKNOWN else listening / 10,
        None if conversation == _UNKNOWN else conversation / 10,
        nominal,
        most,
        limit,
    )


def _share(value: float) -> int:
    return min(255, max(0, int(value * 256)))


def _level(value: int | None) -> int:
    return _UNKNOWN if value is None else min(126, max(-128, value))


def _opinion(value: float | None) -> int:
    return _UNKNOWN if value is None else min(50, max(10, round(value * 10)))
