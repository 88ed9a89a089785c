"""F4: the program is started with a configuration that has faults."""

import subprocess

import pytest

from tests.support.phone import BIN, line

FAULTS = {
    "corrupt": b"\x00\x01\x02[[[= \xff\xfe",
    "unknown keys": b'[phone]\ncontry = "DE"\n[[line]]\nusr = "101"\nserver = "pbx"\n',
    "cut off": b'[[line]]\nuser = "101"\nserver = "127.0.0',
}


@pytest.mark.parametrize("fault", FAULTS)
def test_f04_without_a_good_copy_it_says_all_faults_and_ends_with_2(tmp_path, fault):
    path = tmp_path / "deskphone.toml"
    path.write_bytes(FAULTS[fault])
    done = subprocess.run(
        [BIN / "deskphone", "run", "-c", path, "--control", tmp_path / "control.sock"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={"XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    faults = [row for row in done.stderr.splitlines() if row.startswith(str(path))]
    assert len(faults) == (3 if fault == "unknown keys" else 1)
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "control.sock").exists()


def test_f04_with_a_good_copy_the_phone_runs_as_before_and_says_so(start_phone, far_end):
    phone = start_phone(line("101", f"{far_end.address}:5060"))
    far_end.wait_registered()
    phone.close()
    good = phone.config.read_text()
    for fault in FAULTS.values():
        before = len(far_end.registrations)
        phone.config.write_bytes(fault)
        phone.start()
        far_end.wait_registered(before + 1)
        phone.wait_registered()
        assert phone.config.name in phone.log()
        phone.close()
    phone.config.write_text(good)


def test_f04_an_empty_file_is_a_phone_without_lines(start_phone, far_end):
    phone = start_phone("")
    status = phone.status()
    assert (status.state, status.lines) == ("idle", ())
    assert "Traceback" not in phone.log()
