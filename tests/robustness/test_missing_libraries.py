"""A library is not there: `check` and `run` name it and the package that brings it."""

import subprocess
import sys
from pathlib import Path

import pytest

QUIET = (
    '[[line]]\nuser = "101"\nserver = "127.0.0.1:9"\n'
    '[network]\nbind = "127.0.0.1"\nsip_port = 0\n[web]\nenabled = false\n'
)
WITHOUT = """
import ctypes, sys

class Refusing(ctypes.CDLL):
    def __init__(self, name, *rest, **more):
        if name in MISSING:
            raise OSError(f"{name}: cannot open shared object file")
        super().__init__(name, *rest, **more)

MISSING = sys.argv.pop(1).split(",")
sys.modules.update(dict.fromkeys(MISSING))  # None: neither found nor imported
ctypes.CDLL = Refusing
from firmware.cli import main
sys.exit(main())
"""
"""The command on a machine that lacks the modules and libraries of its first argument."""


@pytest.fixture
def config(tmp_path):
    def write(more: str) -> Path:
        path = tmp_path / "deskphone.toml"
        path.write_text(QUIET + more)
        return path

    return write


def deskphone(missing, *arguments, folder):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, *map(str, arguments)],
        capture_output=True, text=True, timeout=30, check=False,
        env={"XDG_STATE_HOME": str(folder / "state"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def start(missing, *arguments):
    """The same, left running."""
    return subprocess.Popen(
        [sys.executable, "-c", WITHOUT, missing, *map(str, arguments)],
        stderr=subprocess.PIPE, text=True,
        env={"XDG_STATE_HOME": str(arguments[-1].parent / "state"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


def run(missing, path):
    control = ("--control", path.with_name("c.sock"))
    return deskphone(missing, "run", "-c", path, *control, folder=path.parent)


def check(missing, path):
    return deskphone(missing, "check", path, folder=path.parent)


def test_without_the_g722_library_check_names_its_package_and_the_file_is_still_good(config):
    done = check("G722", config('[audio]\ncodecs = ["g722", "pcmu"]\n'))

    assert done.returncode == 0
    assert "g722 is left out of calls: install the package G722" in done.stdout


def test_without_libspeexdsp_check_names_its_package_and_what_is_used_instead(config):
    done = check("libspeexdsp.so.1", config(""))

    assert done.returncode == 0
    assert "install the package libspeexdsp1" in done.stdout
    assert "a plain resampler is used" in done.stdout


def test_without_libopus_check_names_its_package_and_the_file_is_still_good(config):
    done = check("libopus.so.0", config('[audio]\ncodecs = ["opus", "pcmu"]\n'))

    assert done.returncode == 0
    assert "opus is left out of calls: install the package libopus0" in done.stdout


@pytest.mark.parametrize("verb", [check, run])
def test_with_no_codec_at_all_it_says_so_and_ends_with_2(config, verb):
    done = verb("G722", config('[audio]\ncodecs = ["g722"]\n'))

    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "deskphone.toml:10: audio.codecs: none of these codecs can be loaded here" in said


@pytest.mark.parametrize(
    ("board", "module", "package", "wheel"),
    [
        ("rotary", "gpiod", "python3-libgpiod", "gpiod"),
        ("keypad", "luma", "python3-luma.oled", "luma.oled"),
        ("serial-panel", "serial", "python3-serial", "pyserial"),
        ("usb-handset", "evdev", "python3-evdev", "evdev"),
    ],
)
def test_a_boards_library_is_named_by_check(config, board, module, package, wheel):
    checked = check(module, config(f'[board]\nname = "{board}"\n'))

    assert checked.returncode == 0, "the file may be meant for another machine"
    assert (
        f"{module} is missing (apt install {package}; in a venv pip install {wheel})"
        in checked.stdout
    )


def test_f34_a_phone_without_the_library_for_its_pins_runs_and_says_so(config):
    path = config('[board]\nname = "rotary"\n[audio]\ncard = "null"\n')
    with start("gpiod", "run", "-c", path, "--control", path.with_name("c.sock")) as phone:
        said = next((line for line in phone.stderr if "gpiod is missing" in line), "")
        phone.terminate()
        rest = phone.stderr.read()

    assert (
        "GPIO failed: gpiod is missing (apt install python3-libgpiod; in a venv pip install gpiod)"
        in said
    )
    assert phone.returncode == 0
    assert "Traceback" not in rest


def test_alsa_is_named_for_a_card_that_needs_it(config):
    done = check("alsaaudio", config('[audio]\ncard = "alsa"\n'))

    assert done.returncode == 0
    assert "audio.card: there is no sound on this machine" in done.stdout
    assert "alsaaudio is missing (apt install python3-alsaaudio; in a venv " in done.stdout


def test_a_phone_that_cannot_check_ways_runs_without_and_says_so(config):
    path = config("")
    path.write_text(QUIET.replace("[[line]]\n", '[[line]]\nice = "on"\n'))
    with start("aioice", "run", "--control", path.with_name("c.sock"), "-c", path) as phone:
        said = next((line for line in phone.stderr if "aioice is missing" in line), "")
        phone.terminate()
        rest = phone.stderr.read()
    assert "calls of this line go without checks of their ways" in said
    assert phone.returncode == 0, "whether or not it had come up, it went in order"
    assert "Traceback" not in rest


def test_a_line_that_must_not_run_weaker_than_asked_stays_down(config):
    file = config("")
    file.write_text(QUIET.replace("[[line]]\n", '[[line]]\nsrtp = "require"\n'))
    ran = deskphone("pylibsrtp", "check", file, folder=file.parent)
    assert 'this line stays down: srtp = "require" needs the library pylibsrtp' in ran.stdout
