"""What a process can ask of Linux so that 20 ms stay 20 ms.

SCHED_FIFO, locked memory, a heap that is not handed back, a collector that does not walk. Each is
asked for and none is needed: a phone on somebody's desktop has no rights and still talks.
Not here: the pacing itself, which is `clock`.
"""

import ctypes
import gc
import os
import resource
from dataclasses import dataclass

_PRIORITY = 40
"""Above every ordinary process, below the kernel's own threads (50)."""

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


@dataclass(frozen=True, slots=True)
class Grant:
    """What was granted; `reason` says why not, as a clause for people."""

    realtime: bool
    locked: bool
    reason: str = ""


def settle_heap() -> None:
    """Before anything is allocated: the C heap keeps what it has, from one arena."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, 64 << 20)
        libc.mallopt(_M_MMAP_MAX, 0)


def enter() -> Grant:
    """Go real-time as far as this user may; call once everything is imported."""
    gc.collect()
    gc.freeze()
    gc.disable()
    locked = _lock_memory()
    try:
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))
    except OSError as error:
        return Grant(realtime=False, locked=locked, reason=_why(error))
    return Grant(realtime=True, locked=locked)


def sweep() -> None:
    """Collect what reference counts cannot; for moments when nobody listens."""
    gc.collect()


def _why(error: OSError) -> str:
    if isinstance(error, PermissionError):
        limit, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
        return f"not permitted (RLIMIT_RTPRIO is {limit}, {_PRIORITY} is needed)"
    return error.strerror or "refused"


def _lock_memory() -> bool:
    # A finite limit would let the lock succeed and a later allocation fail: then rather no lock.
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)
