"""The machine's own watchdog (QEMU's i6300esb), fed by systemd as on the SD-card image.

Its bark is an event of QEMU's. What it does then, a reset, is the board's affair; a reset is also
how a power cut looks to the clock, which starts in 1970 each time, as a Pi's does.
"""

import datetime as dt
import time

import pytest

from tests.vm.drive import PLACE

CONFIGURATION = f"{PLACE}/systemd/system.conf.d/deskphone.conf"
INSTALLED = "/etc/systemd/system.conf.d/deskphone.conf"
FREEZER = "/sys/fs/cgroup/init.scope/cgroup.freeze"
REGISTERED = "deskphone ctl status | grep -q '\"registered\":true'"
TALKING = 'deskphone ctl status | grep -q \'"state":"talking"\''
LATER = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC).timestamp()


@pytest.mark.slow
def test_f10_f42_the_watchdog_is_fed_through_a_call_and_resets_a_frozen_system(pi, record_property):
    """One story, for a start takes long; the clock goes on from where it was saved before."""
    promised = armed(pi)
    assert 10 <= promised <= 60
    # Nobody barks at a phone that works as hard as it can beside a machine that does, too.
    pi.run(f"systemd-run -q --unit=busy timeout {promised + 10} sh -c 'while :; do :; done'")
    busy_until = time.monotonic() + promised + 5
    pi.wait(REGISTERED, 60)
    pi.run("deskphone ctl dial 600")
    pi.wait(TALKING, 60)
    pi.run(f"sleep {max(busy_until - time.monotonic(), 0):.1f}")
    assert pi.property("busy", "ActiveState") == "active"
    assert pi.text("cat /sys/class/watchdog/watchdog0/state") == "active"
    pi.wait(TALKING, 60)
    pi.run("systemctl stop busy")
    pi.run(f"date -u -s @{LATER:.0f} && systemctl start deskphone-clock-save")
    pi.run(f"rm {INSTALLED} && sync")  # the next start is armed by nobody
    boot = pi.boot

    pi.begin(f"sleep 1; echo 1 >{FREEZER}")
    barked = pi.monitor.wait_event("WATCHDOG", promised * 4)

    assert barked["action"] == "reset"
    pi.wait_up()
    assert pi.boot != boot
    pi.wait(REGISTERED, 120)
    goes_on_from_where_it_was(pi)
    record_property("systemd frozen: the machine is reset after, s (its watchdog)", promised)


def armed(pi):
    """Seconds after which the machine's watchdog, now armed, may bark."""
    pi.run("modprobe -rq iTCO_wdt; modprobe i6300esb")
    pi.wait("grep -q i6300ESB /sys/class/watchdog/watchdog0/identity")
    pi.run(f"install -m 644 -D {CONFIGURATION} {INSTALLED} && systemctl daemon-reexec", seconds=90)
    pi.monitor.forget()
    return int(pi.text("systemctl show -P RuntimeWatchdogUSec | sed 's/s$//'"))


def goes_on_from_where_it_was(pi):
    """Not the machine itself: its own clock is in 1970 again."""
    hardware = int(pi.text("cat /sys/class/rtc/rtc0/since_epoch"))
    now = int(pi.text("date +%s"))
    assert hardware < 365 * 86400, "the machine has kept the time itself: this shows nothing"
    assert LATER <= now < LATER + 600
    assert "the clock was set forward" in pi.journal("deskphone-clock")
