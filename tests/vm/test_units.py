"""Our units under the real systemd: ready, watched, locked in, and gone with a farewell."""

import re
import time

import pytest

from tests.vm.drive import PLACE
from tests.vm.machine import PYTHON

UNITS = ("deskphone", "deskphone-web", "deskphone-clock", "deskphone-clock-save")
GOAL, MUST = 1.5, 2.5
TALKING = 'deskphone ctl status | grep -q \'"state":"talking"\''
CHILD = "cat /proc/$(systemctl show -P MainPID deskphone)/task/*/children | cut -d' ' -f1"
"""Prints the process id of the audio process."""
REGISTERED = "deskphone ctl status | grep -q '\"registered\":true'"


@pytest.fixture
def page(pi):
    """The page, whatever a test before has done to it."""
    pi.run("systemctl start deskphone-web", seconds=200)


@pytest.mark.usefixtures("page")
def test_both_are_ready_and_nothing_failed(pi):
    for unit in ("deskphone", "deskphone-web"):
        assert pi.property(unit, "ActiveState") == "active", pi.journal(unit)
    assert pi.text("systemctl --failed --no-legend") == ""
    assert pi.property("deskphone", "StatusText") == "running"
    assert "Traceback" not in pi.journal("deskphone") + pi.journal("deskphone-web")


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_thinks_that_a_break_in_would_find_little(pi, unit, record_property):
    said = pi.text(f"systemd-analyze security --no-pager {unit}.service", seconds=60)
    score = float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1])
    record_property(f"systemd-analyze security {unit} (aim {GOAL})", score)
    assert score <= MUST, said


def test_the_start_of_machine_and_phone(pi, record_property):
    """An emulated machine's figures: written down; only a start that hangs is judged."""
    record_property("machine switched on to taking orders, s (emulated)", round(pi.boot_seconds))
    record_property("starts of the machine that came to nothing", len(pi.failed_starts))
    times = [
        int(pi.property("deskphone", f"{name}TimestampMonotonic"))
        for name in ("ExecMainStart", "ActiveEnter")
    ]
    record_property("phone started to ready, s (emulated)", round((times[1] - times[0]) / 1e6, 1))
    assert times[0] < times[1]


def test_the_phone_finds_its_bytecode_made_by_the_installation(pi):
    """Its sandbox may write none, and without it every start compiles everything."""
    source = (
        "import importlib.util as u, pathlib as p, sys, firmware, hal; "
        "files = [f for m in (firmware, hal) for f in p.Path(m.__file__).parent.rglob('*.py')]; "
        "cached = [p.Path(u.cache_from_source(str(f))) for f in files]; "
        "print(len(files), sum(c.exists() for c in cached), "
        "round(max(c.stat().st_mtime for c in cached if c.exists())))"
    )
    files, compiled, latest = map(int, pi.text(f'cd / && {PYTHON} -B -c "{source}"').split())
    assert compiled == files > 200
    assert latest <= int(pi.text("cat /srv/installed"))


def test_the_phone_registers_with_the_practice_pbx(pi):
    pi.wait(REGISTERED, 60)


def test_sound_runs_in_real_time_inside_the_sandbox(pi):
    """SCHED_FIFO is 1 in sched(7); the policy is the 41st word of proc_pid_stat(5)."""
    child = pi.text(CHILD)
    policies = pi.text(f"cat /proc/{child}/task/*/stat | cut -d')' -f2- | cut -d' ' -f40")
    assert "1" in policies.split(), policies


@pytest.mark.usefixtures("page")
def test_the_page_is_there_for_whoever_has_its_address(pi):
    address = re.findall(r"http://\S+", pi.journal("deskphone-web"))[-1]
    source = (
        "import sys, urllib.request as u; jar = u.HTTPCookieProcessor(); "
        "reply = u.build_opener(jar).open(sys.argv[1], timeout=20); "
        "print(reply.status, '<html' in reply.read().decode().lower())"
    )
    assert pi.text(f'{PYTHON} -c "{source}" "{address}"') == "200 True"


def test_a_stranger_on_this_machine_reaches_neither_socket_nor_secrets(pi):
    for command in (
        "deskphone ctl --control /run/deskphone/control.sock status",
        "cat /etc/deskphone/deskphone.toml",
        "ls /var/lib/deskphone",
    ):
        done = pi.run(
            f"setpriv --reuid=nobody --regid=nogroup --clear-groups {command}", check=False
        )
        assert done.code != 0, done


def test_f42_a_phone_that_hangs_is_started_again_by_the_watchdog(pi, record_property):
    before, began = pi.property("deskphone", "MainPID"), time.monotonic()
    pi.run(f"kill -STOP {before}")

    pi.wait(f'test "$(systemctl show -P MainPID deskphone)" != {before} && '
            'test "$(systemctl show -P SubState deskphone)" = running', 120)  # fmt: skip

    record_property("phone frozen to phone ready, s (emulated)", round(time.monotonic() - began))
    assert "watchdog" in pi.journal("deskphone").lower()
    pi.wait(REGISTERED, 60)


def test_p12_an_audio_process_that_is_killed_is_back_and_the_phone_stays(pi):
    before = pi.property("deskphone", "MainPID")
    child = pi.text(CHILD)
    pi.run(f"kill -KILL {child}")

    pi.wait(f'c=$({CHILD}); test -n "$c" && test "$c" != {child}', 60)
    assert pi.property("deskphone", "MainPID") == before


def test_f42_an_audio_process_that_hangs_in_a_call_is_replaced_and_the_call_stays(pi):
    before = pi.property("deskphone", "MainPID")
    pi.wait(REGISTERED, 60)
    pi.run("deskphone ctl dial 600")
    pi.wait(TALKING, 60)
    child = pi.text(CHILD)
    pi.run(f"kill -STOP {child}")

    pi.wait(f'c=$({CHILD}); test -n "$c" && test "$c" != {child}', 60)

    assert pi.property("deskphone", "MainPID") == before
    pi.wait(TALKING, 60)
    pi.run("deskphone ctl hangup")


def test_stopping_the_phone_in_a_call_says_bye_and_signs_off(pi):
    pi.run(f"systemd-run -q --unit=sniffer {PYTHON} {PLACE}/tests/vm/inside/sniffer.py")
    pi.wait(REGISTERED, 60)
    pi.run("deskphone ctl dial 600")
    pi.wait(TALKING, 60)
    since = pi.text("date +%s.%N")

    pi.run("systemctl stop deskphone", seconds=60)

    heard = f"journalctl -u sniffer -o cat --since @{since}"
    # What was overheard is in the journal a moment later.
    pi.run(f"for n in $(seq 20); do {heard} | grep -q REGISTER && break; sleep 0.5; done")
    said = pi.text(heard)
    pi.run("systemctl stop sniffer; systemctl start deskphone", seconds=120)
    assert "BYE sip:" in said, said
    assert "REGISTER sip:" in said, said
    assert pi.property("deskphone", "Result") == "success"
    pi.wait(REGISTERED, 60)


@pytest.mark.usefixtures("page")
def test_the_page_comes_back_by_itself(pi):
    before = pi.property("deskphone-web", "MainPID")
    pi.run(f"kill -KILL {before}")
    pi.wait(f'test "$(systemctl show -P MainPID deskphone-web)" != {before} && '
            'test "$(systemctl show -P SubState deskphone-web)" = running', 90)  # fmt: skip


@pytest.mark.usefixtures("page")
def test_f44_when_memory_runs_out_the_page_goes_and_the_call_stays(pi):
    """The kernel itself chooses whom to kill, as it does with no memory left (SysRq f)."""
    phone, page = (pi.property(unit, "MainPID") for unit in ("deskphone", "deskphone-web"))
    child = pi.text(CHILD)
    pi.wait(REGISTERED, 60)
    pi.run("deskphone ctl dial 600")
    pi.wait(TALKING, 60)

    pi.run("echo f >/proc/sysrq-trigger")

    pi.wait(f"! test -e /proc/{page}", 30)
    pi.wait("journalctl -u deskphone-web -n 80 --no-pager | grep -qi oom")
    assert (pi.property("deskphone", "MainPID"), pi.text(CHILD)) == (phone, child)
    pi.wait(TALKING, 60)
    # Beside a call the page hardly gets to start on this processor.
    pi.run("deskphone ctl hangup")
    pi.wait('test "$(systemctl show -P SubState deskphone-web)" = running', 150)
