"""`systemd/install` places every file where image/README.md says that it belongs."""

import os
import subprocess
from pathlib import Path

import pytest

from firmware.config.load import parse

ROOT = Path(__file__).parents[3]
PLACES = {
    "": "usr/lib/systemd/system",
    "deskphone.service.d": "usr/lib/systemd/system/deskphone.service.d",
    "udev": "usr/lib/udev/rules.d",
    "sysusers.d": "usr/lib/sysusers.d",
    "modules-load.d": "usr/lib/modules-load.d",
    "tmpfiles.d": "usr/lib/tmpfiles.d",
}
OF_AN_IMAGE = {"journald.conf.d", "system.conf.d"}
"""What is for a machine that is nothing but a phone."""


@pytest.fixture
def install(tmp_path):
    def run():
        return subprocess.run(
            ["/bin/sh", ROOT / "systemd/install"],
            env={"PATH": os.environ["PATH"], "DESTDIR": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )

    run()
    return run


def test_every_file_is_placed_for_all_to_read(install, tmp_path):
    folders = {path.name for path in (ROOT / "systemd").iterdir() if path.is_dir()}
    assert folders == set(PLACES) - {""} | OF_AN_IMAGE
    for folder, place in PLACES.items():
        here = [path for path in (ROOT / "systemd" / folder).glob("*.*") if path.is_file()]
        there = {path.name: path for path in (tmp_path / place).iterdir() if path.is_file()}
        assert set(there) == {path.name for path in here}
        for path in here:
            assert there[path.name].read_bytes() == path.read_bytes()
            assert there[path.name].stat().st_mode & 0o777 == 0o644


def test_the_program_is_where_the_units_start_it(install, tmp_path):
    assert (tmp_path / "usr/bin/deskphone").readlink() == Path("/opt/deskphone/bin/deskphone")
    assert "/opt/deskphone" in (ROOT / "docs/building.md").read_text()


def test_the_first_settings_are_good_and_hidden_and_never_written_over(install, tmp_path):
    settings = tmp_path / "etc/deskphone/deskphone.toml"
    assert parse(settings.read_text()).board.name == "keypad"
    assert settings.stat().st_mode & 0o077 == 0
    settings.write_text("mine")
    install()
    assert settings.read_text() == "mine"
