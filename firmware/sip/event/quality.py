"""vq-rtcpxr: how a call sounded, told to whoever runs the network (RFC 6035).

Only what was measured is in a report; a figure that is None is left out, nothing is made up. The
format is lines of `Name: KEY=value …`; what a collector does not know it passes over.
"""

import datetime as dt
from typing import Final

from msgspec import Struct

from firmware.sip.headers import quote

PACKAGE: Final = "vq-rtcpxr"
MEDIA_TYPE: Final = "application/vq-rtcpxr"
_CLOCKS: Final = {"PCMU": (0, 8000), "PCMA": (8, 8000), "G722": (9, 16000), "opus": (None, 48000)}


SEVERITIES: Final = ("Warning", "Critical")


class Opinion(Struct, frozen=True):
    """An estimate of how people would rate it: R of the E-model, and MOS."""

    rating: float
    mos: float


class CallQuality(Struct, frozen=True):
    """One call that has ended or, with an `alert`, that sounds bad while it is up.

    Times are seconds since 1970, delays milliseconds. The URIs are those of the two ends, `name`s
    may be empty; addresses are host and port, None if no media came or went. `outgoing` = we
    called.
    """

    call_id: str
    local_uri: str
    remote_uri: str
    outgoing: bool
    started_at: float
    ended_at: float
    codec: str
    received: int
    lost: int
    late: int
    local_name: str = ""
    remote_name: str = ""
    local: tuple[str, int] | None = None
    remote: tuple[str, int] | None = None
    ssrc: int | None = None
    jitter_ms: float | None = None
    buffer_ms: float | None = None
    round_trip_ms: float | None = None
    signal_dbm0: int | None = None
    noise_dbm0: int | None = None
    echo_loss_db: int | None = None
    listening: Opinion | None = None
    conversation: Opinion | None = None
    alert: str = ""
    """How bad it is, one of `SEVERITIES`; "" for the report at the end."""


def write_quality(call: CallQuality) -> bytes:
    """The report at the end of a session, or of a loss that is heard (RFC 6035 §4.6.1)."""
    local = _address(call.local_name, call.local_uri)
    remote = _address(call.remote_name, call.remote_uri)
    rows = [
        f"VQAlertReport: Type=NLR Severity={call.alert} Dir=local"
        if call.alert
        else "VQSessionReport: CallTerm",
        f"CallID: {call.call_id}",
        f"LocalID: {local}",
        f"RemoteID: {remote}",
        f"OrigID: {local if call.outgoing else remote}",
        f"LocalGroup: {_host(call.local)}",
        f"RemoteGroup: {_host(call.remote)}",
        *_ends(call),
        "LocalMetrics:",
        f"Timestamps:START={_time(call.started_at)} STOP={_time(call.ended_at)}",
        *_session(call),
        *_buffer(call),
        _loss(call),
        *_delay(call),
        *_signal(call),
        *_opinions(call),
    ]
    return "".join(f"{row}\r\n" for row in rows).encode("utf-8", "replace")


def _address(name: str, uri: str) -> str:
    return f"{quote(name)} <{uri}>" if name else f"<{uri}>"


def _host(end: tuple[str, int] | None) -> str:
    return end[0] if end is not None else "unknown"


def _ends(call: CallQuality) -> list[str]:
    """RFC 6035 §4.6.2.4, §4.6.2.5: the SSRC of the far end is not known here, ours is."""
    rows = []
    if call.local is not None:
        ssrc = "" if call.ssrc is None else f" SSRC=0x{call.ssrc:08x}"
        rows.append(f"LocalAddr: IP={call.local[0]} PORT={call.local[1]}{ssrc}")
    if call.remote is not None:
        rows.append(f"RemoteAddr: IP={call.remote[0]} PORT={call.remote[1]}")
    return rows


def _session(call: CallQuality) -> list[str]:
    if not call.codec:
        return []
    number, rate = _CLOCKS.get(call.codec, (None, None))
    parts = [f"PT={number}"] if number is not None else []
    parts.append(f"PD={call.codec}")
    parts += [f"SR={rate}"] if rate is not None else []
    return [f"SessionDesc:{' '.join(parts)}"]


def _buffer(call: CallQuality) -> list[str]:
    # RFC 6035 §4.6.2.6.1: 3 = the buffer adapts; JBN is its depth as it was at the end.
    return [] if call.buffer_ms is None else [f"JitterBuffer:JBA=3 JBN={round(call.buffer_ms)}"]


def _loss(call: CallQuality) -> str:
    """Per cent of what should have come: lost on the way, and thrown away here for being late."""
    expected = max(call.received + call.lost, 1)
    lost, late = (100.0 * min(count / expected, 1.0) for count in (call.lost, call.late))
    return f"PacketLoss:NLR={lost:.1f} JDR={late:.1f}"


def _delay(call: CallQuality) -> list[str]:
    parts = [] if call.round_trip_ms is None else [f"RTD={round(call.round_trip_ms)}"]
    parts += [] if call.jitter_ms is None else [f"IAJ={round(call.jitter_ms)}"]
    return [f"Delay:{' '.join(parts)}"] if parts else []


def _signal(call: CallQuality) -> list[str]:
    """RFC 6035 §4.6.2.10: speech and noise in dBm0, what is left of an echo in dB."""
    known = (("SL", call.signal_dbm0), ("NL", call.noise_dbm0), ("RERL", call.echo_loss_db))
    parts = [f"{name}={min(99, max(-99, each))}" for name, each in known if each is not None]
    return [f"Signal:{' '.join(parts)}"] if parts else []


def _opinions(call: CallQuality) -> list[str]:
    """RFC 6035 §4.6.2.11: as it was heard (LQ), and with what delay does to talking (CQ)."""
    both = (("LQ", call.listening), ("CQ", call.conversation))
    known = [(name, each) for name, each in both if each is not None]
    parts = [f"R{name}={min(120, max(0, round(each.rating)))}" for name, each in known]
    parts += [f"MOS{name}={each.mos:.1f}" for name, each in known]
    return [f"QualityEst:{' '.join(parts)}"] if parts else []


def _time(seconds: float) -> str:
    """RFC 6035 §4.6.2.2: UTC in the form of RFC 3339."""
    when = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
