"""A machine that wakes up in 1970 goes on from the latest moment it knows of (F10)."""

import datetime as dt

LATER = dt.datetime(2031, 5, 4, 3, 2, 1, tzinfo=dt.UTC).timestamp()


def test_f10_the_clock_is_set_before_the_phone_starts(pi):
    assert "deskphone-clock.service" in pi.property("deskphone", "After").split()
    clock = int(pi.property("deskphone-clock", "ExecMainExitTimestampMonotonic"))
    phone = int(pi.property("deskphone", "ExecMainStartTimestampMonotonic"))
    assert 0 < clock <= phone


def test_f10_the_hourly_saving_is_armed_and_saves(pi):
    assert pi.property("deskphone-clock-save.timer", "ActiveState") == "active"

    pi.run("systemctl start deskphone-clock-save")

    now, saved = map(int, pi.text("date +%s; cat /var/lib/deskphone/clock").split())
    assert 0 <= now - saved < 30


def test_f10_after_a_restart_the_clock_goes_on_from_where_it_was(pi):
    """The virtual Pi's own clock starts in 1970 each time, as a Pi's does."""
    pi.run(f"date -u -s @{LATER:.0f}")
    boot = pi.boot

    pi.reboot()

    assert pi.boot != boot
    pi.wait("systemctl -q is-active deskphone", 90)
    hardware = int(pi.text("cat /sys/class/rtc/rtc0/since_epoch"))
    now = int(pi.text("date +%s"))
    assert hardware < 365 * 86400, "the machine has kept the time itself: this shows nothing"
    assert LATER <= now < LATER + 600
    assert "the clock was set forward" in pi.journal("deskphone-clock")
