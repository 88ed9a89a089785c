"""The clock's units (F10): set before the phone starts, saved hourly and when the machine stops.

That it goes on from there after a reset is in test_watchdog.py.
"""

SAVED = "date +%s; cat /var/lib/deskphone/clock"


def test_f10_the_clock_is_set_before_the_phone_starts(pi):
    assert "deskphone-clock.service" in pi.property("deskphone", "After").split()
    clock = int(pi.property("deskphone-clock", "ExecMainExitTimestampMonotonic"))
    phone = int(pi.property("deskphone", "ExecMainStartTimestampMonotonic"))
    assert 0 < clock <= phone


def test_f10_the_hourly_saving_is_armed_and_saves(pi):
    assert pi.property("deskphone-clock-save.timer", "ActiveState") == "active"

    pi.run("systemctl start deskphone-clock-save")

    now, saved = map(int, pi.text(SAVED).split())
    assert 0 <= now - saved < 30


def test_f10_it_is_saved_when_the_machine_stops(pi):
    pi.run("echo 86400 >/var/lib/deskphone/clock; systemctl stop deskphone-clock")

    now, saved = map(int, pi.text(SAVED).split())

    pi.run("systemctl start deskphone-clock")
    assert 0 <= now - saved < 30
