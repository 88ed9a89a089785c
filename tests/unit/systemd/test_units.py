"""What the units promise: who runs, what restarts, what a break-in could touch."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from hal.gpio.hard_pwm import open_hard_pwm

FOLDER = Path(__file__).parents[3] / "systemd"
PHONE, PAGE = "deskphone.service", "deskphone-web.service"
CLOCK, SAVE = "deskphone-clock.service", "deskphone-clock-save.service"


def read(name):
    """{section: {key: [values in order]}} of a unit file."""
    sections, section = {}, {}
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return sections


@pytest.fixture(params=[PHONE, PAGE])
def unit(request):
    return read(request.param)


@pytest.fixture
def phone():
    return read(PHONE)


@pytest.fixture
def page():
    return read(PAGE)


def one(section, key):
    """The value of a key that stands exactly once."""
    (value,) = section[key]
    return value


def words(section, key):
    return set(" ".join(section.get(key, [])).split())


def test_a_program_says_itself_when_it_is_ready(unit):
    assert one(unit["Service"], "Type") == "notify"
    assert one(unit["Service"], "NotifyAccess") == "main"


def test_a_program_is_started_by_its_full_path(unit):
    assert one(unit["Service"], "ExecStart").startswith("/usr/bin/deskphone ")


def test_f42_a_phone_that_hangs_is_started_again_within_20_s(phone):
    assert 10 <= int(one(phone["Service"], "WatchdogSec")) <= 20


def test_f46_a_program_that_died_is_back_at_once(unit):
    assert one(unit["Service"], "Restart") == "always"
    assert int(one(unit["Service"], "RestartSec")) <= 1


def test_f42_a_crash_loop_comes_to_an_end_and_a_rare_crash_never_does(unit):
    """Twenty starts in five minutes; what dies at once is given up after some twenty seconds."""
    burst = int(one(unit["Unit"], "StartLimitBurst"))
    interval = int(one(unit["Unit"], "StartLimitIntervalSec"))
    pause = int(one(unit["Service"], "RestartSec"))
    assert (burst, interval, pause) == (20, 300, 1)
    quickest_loop = burst * pause
    assert quickest_loop < 60, "a phone that cannot live stops wearing out its card"
    assert interval / burst > pause, "the limit can be reached at all"
    assert interval / burst <= 15, "a phone that lives for 15 s each time is never given up"


def test_f42_a_phone_that_hangs_for_ever_is_started_again_for_ever(phone):
    """Each round costs a whole watchdog: too slow to reach the limit, so it may still heal."""
    rounds = int(one(phone["Unit"], "StartLimitIntervalSec")) / (
        int(one(phone["Service"], "WatchdogSec")) + int(one(phone["Service"], "RestartSec"))
    )
    assert rounds < int(one(phone["Unit"], "StartLimitBurst"))


def test_a_faulty_configuration_is_not_tried_over_and_over(unit):
    assert one(unit["Service"], "RestartPreventExitStatus") == "2"


def test_f46_the_notes_about_open_calls_outlive_a_crash(phone):
    assert one(phone["Service"], "RuntimeDirectory") == "deskphone"
    assert one(phone["Service"], "RuntimeDirectoryPreserve") == "restart"


@pytest.fixture
def stopped(phone, tmp_path):
    """Does what systemd does after the phone has ended; what was said, and the exit code."""

    def run():
        line = one(phone["Service"], "ExecStopPost")
        assert line.startswith("-/bin/sh "), "what fails here must not keep the phone from starting"
        words = shlex.split(line.removeprefix("-").replace("${RUNTIME_DIRECTORY}", str(tmp_path)))
        assert not any("$" in word for word in words), "systemd would put a variable there"
        done = subprocess.run(
            words, cwd="/", capture_output=True, text=True, check=False, timeout=10
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_f46_a_buzzer_of_the_processors_is_silent_when_the_phone_is_dead(
    stopped, tmp_path, monkeypatch
):
    """Killed while it rings, and it may be that nothing starts it again."""
    channel = tmp_path / "class/pwmchip0/pwm0"
    channel.mkdir(parents=True)
    for name in ("period", "duty_cycle", "enable"):
        (channel / name).write_text("0")
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    tone = open_hard_pwm(18, "pwmchip0/0", 440, 0.5, tmp_path / "class")
    tone.sound(on=True)
    assert (channel / "enable").read_text() == "1"

    assert stopped() == (0, "")
    assert int((channel / "duty_cycle").read_text()) == 0
    assert int((channel / "enable").read_text()) == 0


def test_after_a_phone_without_a_buzzer_there_is_nothing_to_do_and_to_say(stopped, tmp_path):
    assert stopped() == (0, "")
    (tmp_path / "buzzer").symlink_to(tmp_path / "gone")
    assert stopped() == (0, "")


def test_the_phone_can_say_goodbye_before_the_sound_ends(phone):
    assert one(phone["Service"], "KillMode") == "mixed"
    assert int(one(phone["Service"], "TimeoutStopSec")) >= 5


def test_the_audio_process_may_be_real_time_and_nobody_else(phone, page):
    assert one(phone["Service"], "RestrictRealtime") == "no"
    assert int(one(phone["Service"], "LimitRTPRIO")) >= 40
    assert one(phone["Service"], "LimitMEMLOCK") == "infinity"
    assert one(page["Service"], "RestrictRealtime") == "yes"


def test_f44_when_memory_is_short_the_page_goes_before_the_phone(phone, page):
    first = int(one(page["Service"], "OOMScoreAdjust"))
    last = int(one(phone["Service"], "OOMScoreAdjust"))
    assert last < 0 < first
    assert one(page["Service"], "MemoryMax")


def test_f45_when_the_processor_is_short_sound_goes_first(phone, page):
    weights = [int(one(unit["Service"], "CPUWeight")) for unit in (phone, page)]
    assert weights[0] > weights[1]


def test_the_programs_are_two_users_and_neither_is_root(phone, page):
    users = [one(unit["Service"], "User") for unit in (phone, page)]
    assert users == ["deskphone", "deskphone-web"]


def test_the_page_reaches_the_sockets_and_no_device(phone, page):
    assert "deskphone" in words(page["Service"], "SupplementaryGroups")
    assert one(phone["Service"], "Group") == "deskphone"
    assert one(page["Service"], "PrivateDevices") == "yes"
    assert "--control /run/deskphone/control.sock" in one(page["Service"], "ExecStart")


def test_the_phone_reaches_its_devices_and_no_others(phone):
    assert one(phone["Service"], "DevicePolicy") == "closed"
    devices = {value.split()[0] for value in phone["Service"]["DeviceAllow"]}
    assert {"char-alsa", "char-gpiochip", "char-i2c", "char-spi"} <= devices


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateMounts", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectControlGroups", "yes"),
        ("RestrictNamespaces", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("CapabilityBoundingSet", ""),
        ("SystemCallArchitectures", "native"),
    ],
)
def test_a_break_in_finds_nothing_to_climb(unit, key, value):
    assert one(unit["Service"], key) == value


def test_the_network_of_a_program_is_what_it_needs(phone, page):
    assert words(phone["Service"], "RestrictAddressFamilies") == {
        "AF_UNIX",
        "AF_INET",
        "AF_INET6",
        "AF_NETLINK",
    }
    assert "AF_NETLINK" not in words(page["Service"], "RestrictAddressFamilies")


def test_both_start_with_the_machine(unit):
    assert one(unit["Install"], "WantedBy") == "multi-user.target"


def test_no_group_is_missing_on_a_plain_debian(unit):
    made = {line.split()[1] for line in sysusers()}
    debian = {"audio", "dialout", "input"}
    for group in words(unit["Service"], "SupplementaryGroups"):
        assert group in made | debian
    assert one(unit["Service"], "User") in made


def sysusers():
    text = (FOLDER / "sysusers.d/deskphone.conf").read_text()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_configuration_is_for_the_phone_to_write_and_for_nobody_else_to_see():
    text = (FOLDER / "tmpfiles.d/deskphone.conf").read_text()
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    rights = {row[1]: tuple(row[2:5]) for row in rows}
    assert rights["/etc/deskphone"] == ("0770", "root", "deskphone")
    assert rights["/etc/deskphone/deskphone.toml"] == ("0660", "root", "deskphone")
    assert rights["/etc/deskphone/web.env"] == ("0600", "root", "root")


def test_every_group_that_udev_gives_a_device_to_is_the_phone_s(phone):
    rules = (FOLDER / "udev/99-deskphone.rules").read_text()
    given = {part.split('"')[1] for part in rules.split() if part.startswith("GROUP=")}
    assert given <= words(phone["Service"], "SupplementaryGroups")
    assert 'MODE="0666"' not in rules


@pytest.fixture
def judged(tmp_path):
    """Copies of the units whose programs exist here and whose users need not."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt install systemd")
    for name in (PHONE, PAGE, CLOCK, SAVE):
        lines = (FOLDER / name).read_text().splitlines()
        copy = [
            f"{line.split('=')[0]}=/bin/true" if line.startswith("Exec") else line for line in lines
        ]
        (tmp_path / name).write_text("\n".join(copy) + "\n")
    return [str(tmp_path / name) for name in (PHONE, PAGE, CLOCK, SAVE)]


def analyze(*arguments):
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=50, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_systemd_finds_nothing_to_say_about_the_units(judged):
    code, said = analyze("verify", "--man=no", "--recursive-errors=no", *judged)
    assert (code, said) == (0, "")


def test_systemd_thinks_the_units_are_well_locked(judged):
    code, said = analyze("security", "--offline=true", "--threshold=25", "--no-pager", *judged)
    assert code == 0, said


def test_sysusers_makes_the_users_and_groups(tmp_path):
    tool = shutil.which("systemd-sysusers")
    if tool is None:
        pytest.skip("systemd-sysusers is missing: apt install systemd")
    (tmp_path / "etc").mkdir()
    done = subprocess.run(
        [tool, "--dry-run", f"--root={tmp_path}", str(FOLDER / "sysusers.d/deskphone.conf")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("deskphone", "deskphone-web", "gpio", "i2c", "spi"):
        assert f"'{name}'" in done.stdout + done.stderr


def test_a24_the_page_cannot_read_the_configuration_with_its_passwords(page):
    service = page["Service"]
    assert one(service, "ExecStart").endswith(" web --control /run/deskphone/control.sock")
    assert one(service, "InaccessiblePaths") == "-/etc/deskphone"
    assert not any("DESKPHONE_CONFIG" in value for value in service.get("Environment", []))


def test_f10_the_clock_is_set_before_the_phone_and_saved_when_the_machine_stops():
    clock = read(CLOCK)
    assert PHONE in words(clock["Unit"], "Before")
    assert one(clock["Service"], "ExecStart").endswith(" clock set")
    # A oneshot that remains has its ExecStop run when the machine stops, systemd.service(5).
    assert (one(clock["Service"], "Type"), one(clock["Service"], "RemainAfterExit")) == (
        "oneshot",
        "yes",
    )
    assert one(clock["Service"], "ExecStop").endswith(" clock save")


def test_f10_a_power_cut_costs_the_clock_an_hour_at_most():
    timer = read("deskphone-clock-save.timer")["Timer"]
    assert one(timer, "OnActiveSec") == one(timer, "OnUnitActiveSec") == "1h"
    assert one(read(SAVE)["Service"], "ExecStart").endswith(" clock save")


def test_f10_a_clock_that_could_not_be_set_is_not_saved_over_the_right_one():
    assert one(read(SAVE)["Unit"], "Requisite") == CLOCK


def test_f10_all_three_know_the_same_folder():
    folders = {one(read(name)["Service"], "StateDirectory") for name in (PHONE, CLOCK, SAVE)}
    users = {one(read(name)["Service"], "User") for name in (PHONE, CLOCK, SAVE)}
    assert (folders, users) == ({"deskphone"}, {"deskphone"})


def test_whoever_sets_the_clock_can_do_nothing_else():
    clock = read(CLOCK)["Service"]
    assert one(clock, "CapabilityBoundingSet") == one(clock, "AmbientCapabilities")
    assert one(clock, "CapabilityBoundingSet") == "CAP_SYS_TIME"
    assert one(clock, "PrivateNetwork") == "yes"
    assert one(clock, "NoNewPrivileges") == "yes"


def test_the_log_of_an_image_wears_out_no_card():
    journal = read("journald.conf.d/deskphone.conf")["Journal"]
    assert one(journal, "Storage") == "volatile"
    assert one(journal, "RuntimeMaxUse") == "16M"


def test_f42_an_image_that_hangs_is_reset_by_the_board(phone):
    """The BCM2835's watchdog counts to 15 s and some; whoever feeds it needs less than that."""
    manager = read("system.conf.d/deskphone.conf")["Manager"]
    assert 10 <= int(one(manager, "RuntimeWatchdogSec")) <= 15


DRIVERS = {
    "char-alsa": "snd",
    "char-ttyUSB": "usbserial",
    "char-ttyACM": "cdc-acm",
    "char-hidraw": "hid",
    "char-i2c": "i2c-dev",
    "char-spi": "spidev",
}
"""What a kind of devices is called → the driver that brings it, a module of Debian's."""
BUILT_IN = {"char-gpiochip", "char-input", "char-ttyS", "char-ttyAMA"}


def test_f34_what_is_plugged_in_after_the_start_is_not_forbidden(phone):
    """systemd asks the kernel for the number of a kind of devices when it starts the phone."""
    allowed = {value.split()[0] for value in phone["Service"]["DeviceAllow"]}
    assert allowed == DRIVERS.keys() | BUILT_IN
    text = (FOLDER / "modules-load.d/deskphone.conf").read_text()
    loaded = {line for line in text.splitlines() if line and not line.startswith("#")}
    assert loaded == set(DRIVERS.values())
