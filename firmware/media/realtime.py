"""What a process can ask of Linux so that 20 ms stay 20 ms.

SCHED_FIFO, locked memory, a heap that is not handed back, a collector that does not walk. Each is
asked for and none is needed: a phone on somebody's desktop has no rights and still talks.
Not here: the pacing itself, which is `clock`.
"""

import ctypes
import gc
import os
import resource

_PRIORITY = 40
"""Above every ordinary process, below the kernel's own threads (50)."""

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def begin() -> str:
    """The first thing an audio process does; returns why SCHED_FIFO was refused, empty if not.

    Priority comes before the imports, so that a restart is quick even on a machine that is busy.
    """
    _settle_heap()
    return _take_priority()


def _settle_heap() -> None:
    """Before anything is allocated: the C heap keeps what it has, from one arena."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, 64 << 20)
        libc.mallopt(_M_MMAP_MAX, 0)


def _take_priority() -> str:
    try:
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))
    except OSError as error:
        return _why(error)
    return ""


def keep_memory() -> bool:
    """Once everything is imported: no collector, no page that goes; whether memory is locked."""
    gc.collect()
    gc.freeze()
    gc.disable()
    return _lock_memory()


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
