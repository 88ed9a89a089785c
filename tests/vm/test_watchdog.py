"""The machine's own watchdog (QEMU's i6300esb), fed by systemd as on the SD-card image.

Its bark is an event of QEMU's. What it does then, a reset, is the board's affair.
"""

from tests.vm.drive import PLACE

CONFIGURATION = f"{PLACE}/systemd/system.conf.d/deskphone.conf"
INSTALLED = "/etc/systemd/system.conf.d/deskphone.conf"
FREEZER = "/sys/fs/cgroup/init.scope/cgroup.freeze"
REGISTERED = "deskphone ctl status | grep -q '\"registered\":true'"
TALKING = 'deskphone ctl status | grep -q \'"state":"talking"\''


def test_f42_the_machine_s_watchdog_is_fed_through_a_call_and_resets_a_frozen_system(
    pi, record_property
):
    pi.run("modprobe -rq iTCO_wdt; modprobe i6300esb")
    pi.wait("grep -q i6300ESB /sys/class/watchdog/watchdog0/identity")
    pi.run(f"install -m 644 -D {CONFIGURATION} {INSTALLED} && systemctl daemon-reexec", seconds=90)
    promised = int(pi.text("systemctl show -P RuntimeWatchdogUSec | sed 's/s$//'"))
    assert 10 <= promised <= 60
    pi.monitor.forget()

    pi.wait(REGISTERED, 60)
    pi.run("deskphone ctl dial 600")
    pi.wait(TALKING, 60)
    # Nobody barks at a phone that works as hard as it can beside a machine that does, too.
    pi.run(f"timeout {promised + 5} sh -c 'while :; do :; done'; true", seconds=promised + 60)
    assert pi.text("cat /sys/class/watchdog/watchdog0/state") == "active"
    pi.wait(TALKING, 60)
    boot = pi.boot
    pi.run("sync")

    pi.begin(f"sleep 1; echo 1 >{FREEZER}")
    barked = pi.monitor.wait_event("WATCHDOG", promised * 4)

    assert barked["action"] == "reset"
    pi.wait_up()
    assert pi.boot != boot
    pi.wait(REGISTERED, 120)
    record_property("systemd frozen: the machine is reset after, s (its watchdog)", promised)
