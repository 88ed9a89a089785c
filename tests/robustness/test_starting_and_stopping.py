"""The program's first and last words: what is taken, what is missing, and saying goodbye."""

import signal
import socket
import subprocess

import pytest

from firmware.control import schema as s
from firmware.media.messages import PathName
from tests.support.far_end import loopback_address
from tests.support.phone import BIN, line
from tests.support.waiting import wait_for

CONFIG = """\
[network]
bind = "{address}"
sip_port = 5060
[[line]]
user = "101"
server = "{server}"
[board]
name = "{board}"
[audio]
card = "null"
codecs = ["pcmu"]
[web]
enabled = false
"""


@pytest.fixture
def run_phone(tmp_path):
    """Run a phone that should not start; gives the finished process."""

    def run(address, *, control=None, board="mock", server="127.0.0.1:9"):
        config = tmp_path / "other.toml"
        config.write_text(CONFIG.format(address=address, board=board, server=server))
        control = control or tmp_path / "other.sock"
        return subprocess.run(
            [BIN / "deskphone", "run", "-c", config, "--control", control],
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
            env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
        )

    return run


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["UDP", "TCP"])
def test_a_taken_port_is_exit_3_and_names_the_holder(run_phone, tmp_path, kind):
    address = loopback_address()
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((address, 5060))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        done = run_phone(address)
    assert done.returncode == 3
    assert "port 5060 is taken by " in done.stderr
    assert "(pid " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "other.sock").exists()


def test_a_second_phone_on_the_same_control_socket_is_exit_3(phone, run_phone):
    done = run_phone(loopback_address(), control=phone.control)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert phone.status().state == "idle"


def test_a_board_file_that_is_wrong_is_said_in_words_and_leaves_no_registration(
    run_phone, tmp_path, far_end
):
    (tmp_path / "own.toml").write_text("[hook]\npin = 5\n[headset]\npin = 5\n")
    done = run_phone(loopback_address(), board=tmp_path / "own.toml", server=far_end.address)
    wait_for("the end of the registration", lambda: far_end.registrations[-1].expires == "0")
    assert done.returncode == 2
    assert "headset.pin and hook.pin both use GPIO 5" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "other.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_phone_hangs_up_and_takes_its_registration_back(phone, far_end, number):
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    phone.process.send_signal(number)
    assert phone.process.wait(20) == 0
    far_end.wait_ended(seconds=2)
    wait_for("the end of the registration", lambda: far_end.registrations[-1].expires == "0")
    assert "Traceback" not in phone.log()
    assert not phone.control.exists()


def start(tmp_path, far_end):
    """A phone whose first REGISTER has just come, and its file. It still loads."""
    config, folder = tmp_path / "phone.toml", tmp_path / "run"
    folder.mkdir(mode=0o700)
    server = far_end.address
    config.write_text(CONFIG.format(address=loopback_address(), server=server, board="mock"))
    starting = subprocess.Popen(
        [BIN / "deskphone", "run", "-c", config, "--control", folder / "control.sock"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
    )
    wait_for("the first REGISTER", lambda: far_end.registrations)
    return starting, config


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_phone_that_is_stopped_while_it_starts_takes_its_registration_back(
    tmp_path, far_end, number
):
    starting, _ = start(tmp_path, far_end)
    starting.send_signal(number)
    _, said = starting.communicate(timeout=20)

    assert (starting.returncode, said) == (0, "")
    wait_for("the end of the registration", lambda: far_end.registrations[-1].expires == "0")
    # It was no crash: no start is noted that would lead to safe mode.
    assert list((tmp_path / "run").iterdir()) == []


def test_a_phone_that_is_to_read_its_file_again_while_it_starts_does_so_once_it_can(
    tmp_path, far_end
):
    """Whoever changed it meanwhile would wait for ever, and the old one be in force."""
    starting, config = start(tmp_path, far_end)
    try:
        config.write_text(f"{config.read_text()}\n{line('102', f'{far_end.address}:5060')}")
        starting.send_signal(signal.SIGHUP)
        wait_for(
            "the line that was added to register",
            lambda: len({each.contact for each in far_end.registrations}) == 2,
        )
    finally:
        starting.terminate()
        starting.communicate(timeout=20)


def test_the_volume_of_each_path_is_kept_over_a_restart(phone):
    phone.ask(s.Volume(path=PathName.HANDSET, level=33))
    phone.ask(s.Volume(path=PathName.RINGER, step=-20))
    before = phone.status().volumes
    assert (before["handset"], before["ringer"]) == (33, 50)
    phone.process.terminate()
    phone.process.wait(20)

    phone.start()
    assert phone.status().volumes == before


def test_a_signal_reads_the_file_again_and_a_faulty_one_changes_nothing(phone, far_end):
    good = phone.config.read_text()
    more = line("102", f"{far_end.address}:5060")
    phone.config.write_text(good.replace("[board]", f"{more}\n[board]"))
    phone.process.send_signal(signal.SIGHUP)
    phone.wait("a second line", lambda status: len(status.lines) == 2)
    phone.wait_registered()
    phone.config.write_text("[[[")
    phone.process.send_signal(signal.SIGHUP)
    wait_for("the complaint", lambda: "TOML" in phone.log() or "cannot be read" in phone.log())
    assert len(phone.status().lines) == 2
    phone.config.write_text(good)
    phone.process.send_signal(signal.SIGHUP)
    phone.wait("one line", lambda status: len(status.lines) == 1)
    wait_for("the second to be gone", lambda: far_end.registrations[-1].expires == "0")


def test_twenty_calls_leave_no_descriptor_and_no_socket(phone, far_end):
    def one_call():
        phone.ask(s.Dial(target="204"))
        phone.wait_state("talking")
        phone.ask(s.HangUp())
        phone.wait_state("idle")

    def descriptors():
        from pathlib import Path  # noqa: PLC0415 - only here

        own = Path(f"/proc/{phone.pid}/fd")
        child = Path(f"/proc/{phone.child()}/fd")
        return len(list(own.iterdir())) + len(list(child.iterdir()))

    one_call()
    phone.ask(s.Calls(), s.CallsReply)  # the call list is opened when it is first needed
    before = descriptors()
    for _ in range(20):
        one_call()
    wait_for("every socket to be closed", lambda: descriptors() < before + 10)
