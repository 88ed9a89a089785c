"""How long a registration waits before it tries again.

It never gives up and never storms: what a retry may mend soon (no answer, no network, no name) is
tried again after seconds, what only a person can mend (a wrong password, a refusal) after minutes,
always with jitter, so that a thousand phones do not come back in the same second.

By datagrams a PBX that has restarted and forgotten us answers as before, so the registration is
made sure of every `recheck` seconds. That takes the place of every second probe: a thousand phones
send some forty-five requests a second, instead of forty.

A flow of RFC 5626 has that RFC's own pace (§4.5). Its three times are ours to set: with every flow
down the longest wait is a minute, because a phone that can neither call nor be called is worth
two packets a minute; while another flow stands there is no hurry.
"""

from typing import Final

from firmware.sip.notifications import FailureCause

# First wait and longest wait in seconds, by cause.
_SLOW: Final = (60.0, 900.0)
_FAST: Final = (4.0, 44.0)
_MIDDLE: Final = (10.0, 120.0)
_BACK_OFF: Final = {
    FailureCause.WRONG_PASSWORD: _SLOW,
    FailureCause.FORBIDDEN: _SLOW,
    FailureCause.NOT_FOUND: _SLOW,
    FailureCause.NAME_NOT_FOUND: _FAST,
    FailureCause.NO_ANSWER: _FAST,
    FailureCause.REFUSED: _FAST,
    FailureCause.NO_NETWORK: _FAST,
    FailureCause.TLS_OWN_FILES: _SLOW,
    FailureCause.TLS_WANTS_CERT: _SLOW,
    FailureCause.TLS_TOO_OLD: _SLOW,
    FailureCause.CERT_UNTRUSTED: _SLOW,
    FailureCause.CERT_SELF_SIGNED: _SLOW,
    FailureCause.CERT_NAME: _SLOW,
    FailureCause.CERT_EXPIRED: _SLOW,
}
_ALL_FAILED: Final = (30.0, 60.0)
_OTHERS_STAND: Final = (90.0, 1800.0)
_MOST_DOUBLINGS: Final = 16


def wait_after(cause: FailureCause, failures: int, fraction: float) -> float:
    """Seconds after failure number `failures` (from 0) in a row; `fraction` is a lot, 0 to 1."""
    first, longest = _BACK_OFF.get(cause, _MIDDLE)
    return _doubled(first, longest, failures) * (1.0 + 0.25 * fraction)


def check_wait(recheck: int, fraction: float) -> float:
    """Seconds until a registration by datagrams is made sure of, at most `recheck` (P4)."""
    return recheck * (0.7 + 0.3 * fraction)


def flow_wait(failures: int, fraction: float, *, others: bool) -> float:
    """Seconds before a flow is tried again (RFC 5626 §4.5); `failures` in a row, from 1.

    `others` says whether another flow of the line stands.
    """
    base, longest = _OTHERS_STAND if others else _ALL_FAILED
    return _doubled(base, longest, failures) * (0.5 + 0.5 * fraction)


def _doubled(base: float, longest: float, times: int) -> float:
    return min(longest, base * float(1 << min(times, _MOST_DOUBLINGS)))
