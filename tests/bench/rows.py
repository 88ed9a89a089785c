"""The rows of the table: one function each, phone by phone in the same run."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import desk_rows, sound_rows
from tests.bench.caller import Caller, MiniRegistrar, percentile
from tests.bench.machine import Hogs, Metronome, cpu_seconds, memory_mb
from tests.bench.phones import Measured
from tests.bench.tls_rows import start_over_tls
from tests.support import sipp
from tests.support.namespace import Namespace

Figures = dict[str, float]
MakePhone = Callable[..., Measured]
Row = Callable[[MakePhone, Path, int], Figures]
"""Takes a phone, a folder and a seed."""
TALK = 20.0
WARM_UP = 2.0
PIECE = 8.0
"""Seconds of talk in one of the many calls whose cost is compared."""
IDLE = 20.0
CALLS = 200


def ready(phone: Measured, caller: Caller) -> None:
    """Wait until it answers calls: one call that is not counted."""
    for _ in range(50):
        try:
            caller.hang_up(caller.call(phone.codec))
        except (TimeoutError, OSError, RuntimeError):
            time.sleep(0.1)  # noqa: TID251 - a real program starts
        else:
            return
    raise AssertionError(f"{phone.name} does not answer\n{phone.log()}")


def start_to_register(make: MakePhone, folder: Path, seed: int) -> Figures:
    """Milliseconds from exec to the registrar's 200, median of five."""
    times = []
    for _ in range(5):
        with Namespace() as network:
            address = network.party()
            registrar = MiniRegistrar(network.socket, address)
            phone = make(network, f"{address}:5060", "PCMU", register=True)
            registrar.registered.wait(20)
            times.append((registrar.at - phone.started) * 1000)
            registrar.close()
            phone.stop()
    return {"start_to_register_ms": statistics.median(times)}


def idle(make: MakePhone, folder: Path, seed: int) -> Figures:
    """CPU seconds a minute while registered and left alone."""
    with Namespace() as network:
        address = network.party()
        registrar = MiniRegistrar(network.socket, address)
        phone = make(network, f"{address}:5060", "PCMU", register=True)
        registrar.registered.wait(20)
        time.sleep(3)  # noqa: TID251 - let it settle
        before = cpu_seconds(phone.pid)
        time.sleep(IDLE)  # noqa: TID251 - measuring
        spent = cpu_seconds(phone.pid) - before
        registrar.close()
        phone.stop()
    return {"idle_cpu_s_per_min": spent * 60 / IDLE}


def _in_a_call(codec: str) -> Row:
    def row(make: MakePhone, folder: Path, seed: int) -> Figures:
        with Namespace() as network:
            address = network.party()
            phone = make(network, f"{address}:5060", codec, register=False)
            caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
            ready(phone, caller)
            call = caller.call(codec)
            caller.talk(call, WARM_UP, codec)
            before = cpu_seconds(phone.pid)
            caller.talk(call, PIECE, codec)
            spent = cpu_seconds(phone.pid) - before
            memory = memory_mb(phone.pid)
            received = len(call.arrivals)
            caller.hang_up(call)
            caller.close()
            phone.stop()
        assert received > 0.95 * (PIECE + WARM_UP) * 50, f"{phone.name} sent {received} packets"
        key = codec.lower()
        return {f"cpu_s_per_call_minute_{key}": spent * 60 / PIECE, f"memory_mb_{key}": memory}

    return row


def invite_to_200(make: MakePhone, folder: Path, seed: int) -> Figures:
    """Milliseconds from INVITE to 200 with automatic answer."""
    with Namespace() as network:
        address = network.party()
        phone = make(network, f"{address}:5060", "PCMU", register=False)
        caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
        ready(phone, caller)
        times = []
        for _ in range(CALLS):
            call = caller.call()
            times.append(call.answered_after * 1000)
            caller.hang_up(call)
        caller.close()
        phone.stop()
    return {
        "invite_to_200_ms_p50": percentile(times, 0.5),
        "invite_to_200_ms_p99": percentile(times, 0.99),
    }


def calls_per_second(make: MakePhone, folder: Path, seed: int) -> Figures:
    """The highest rate of SIPp at which 500 calls passed without a failure."""
    best = 0
    for rate in (50, 100, 200, 400):
        with Namespace() as network:
            address = network.party()
            phone = make(network, f"{address}:5060", "PCMU", register=False)
            caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
            ready(phone, caller)
            caller.close()
            try:
                sipp.call(
                    network,
                    folder / f"{phone.name}-{rate}",
                    address=address,
                    target=f"{phone.address}:5060",
                    user=phone.user,
                    calls=500,
                    rate=rate,
                    at_once=90,
                    seconds=40,
                )
            except sipp.SippError:
                break
            finally:
                phone.stop()
            best = rate
    return {"calls_per_second": float(best)}


def _pacing(key: str, hogs: int = 0) -> Row:
    """Interval errors beside so many hogs per core."""

    def row(make: MakePhone, folder: Path, seed: int) -> Figures:
        with Namespace() as network:
            address = network.party()
            phone = make(network, f"{address}:5060", "PCMU", register=False)
            caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
            ready(phone, caller)
            call = caller.call()
            caller.talk(call, 1.0)
            call.arrivals.clear()
            with Hogs(hogs), Metronome() as control:
                caller.talk(call, TALK)
            caller.hang_up(call)
            caller.close()
            phone.stop()
        pairs = zip(call.arrivals, call.arrivals[1:], strict=False)
        errors = [abs(later - earlier - 0.02) * 1000 for earlier, later in pairs]
        return {
            f"pacing_{key}_ms_p50": percentile(errors, 0.5),
            f"pacing_{key}_ms_p99_9": percentile(errors, 0.999),
            f"pacing_{key}_machine_ms_p99_9": control.p99_9,
        }

    return row


ROWS: dict[str, Row] = {
    "start to REGISTER 200": start_to_register,
    "start to REGISTER 200 over TLS": start_over_tls,
    "idle": idle,
    "PCMU call": _in_a_call("PCMU"),
    "G.722 call": _in_a_call("G722"),
    "Opus call": _in_a_call("OPUS"),
    "INVITE to 200": invite_to_200,
    "calls per second": calls_per_second,
    "pacing, quiet": _pacing("quiet"),
    "pacing, a hog per core": _pacing("hogs", 1),
    "pacing, two hogs per core": _pacing("two_hogs", 2),
    **sound_rows.ROWS,
}
TURNS = {"PCMU call": 4, "G.722 call": 4, "Opus call": 4}
"""Rows that both phones take in turns so many times a round."""

# What must be reached and what is aimed at: absolute figures, or ("×", must, aim) against baresip.
GOALS: dict[str, tuple[str, float, float]] = {
    "start_to_register_ms": ("<=", 300, 120),
    "idle_cpu_s_per_min": ("<=", 0.02, 0.005),
    "cpu_s_per_call_minute_pcmu": ("×", 1.5, 1.0),
    "cpu_s_per_call_minute_g722": ("×", 1.55, 1.3),
    "cpu_s_per_call_minute_opus": ("×", 1.1, 1.0),
    "memory_mb_pcmu": ("<=", 45, 30),
    "memory_mb_g722": ("<=", 45, 30),
    "memory_mb_opus": ("<=", 45, 30),
    "invite_to_200_ms_p50": ("<=", 3, 1.5),
    "invite_to_200_ms_p99": ("<=", 15, 8),
    "calls_per_second": (">=", 100, 200),
    "parse_and_write_per_second": (">=", 20_000, 36_000),
    "pacing_quiet_ms_p99_9": ("<=", 1.5, 0.5),
    "pacing_hogs_ms_p99_9": ("<=", 5, 1.2),
    "pacing_two_hogs_ms_p99_9": ("<=", 5, 1.2),
    "busy_late_worst_ms": ("<=", 20, 5),
    "busy_missing": ("<=", 0, 0),
    "mixer_8_pcmu_pacing_ms_p99_9": ("<=", 1.5, 0.5),
    "mixer_8_pcmu_members_right": (">=", 8, 8),
    "mixer_8_pcmu_g722_opus_pacing_ms_p99_9": ("<=", 1.5, 0.5),
    "mixer_8_pcmu_g722_opus_members_right": (">=", 8, 8),
    "aec_erle_db": (">=", 25, 25),
    "aec_near_end_db": (">=", -1, -1),
    **sound_rows.GOALS,
    **desk_rows.GOALS,
}
