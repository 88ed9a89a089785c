"""Every tool of `make check` is handed a tree with one fault planted, and has to find it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def tree(tmp_path):
    """A copy of the tree that may be spoiled."""
    for folder in ("firmware", "hal", "systemd", ".ci"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def plant(path: Path, text: str) -> None:
    """Add a line to a module."""
    path.write_text(path.read_text() + "\n" + text + "\n")


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.run(
        [*command],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_ruff_finds_a_forbidden_sleep(tree):
    plant(tree / "hal/keys.py", "import time\n\n\ndef nap() -> None:\n    time.sleep(1)")
    done = run(tree, str(BIN / "ruff"), "check", "--no-cache", "hal/keys.py")
    assert done.returncode
    assert "TID251" in done.stdout


@pytest.mark.timeout(300)
def test_mypy_finds_a_wrong_type(tree):
    plant(tree / "hal/keys.py", 'WRONG: int = "seven"')
    done = run(tree, str(BIN / "mypy"), "--cache-dir", str(tree / "cache"), "-p", "hal")
    assert done.returncode
    assert "Incompatible types in assignment" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("firmware/sip/uri.py", "import firmware.phone.view", "Layers"),
        ("hal/keys.py", "import firmware.base.tokens", "Layers"),
        ("firmware/phone/view.py", "import time", "The core does no I/O"),
        ("firmware/sip/uri.py", "import asyncio", "The core does no I/O"),
        ("firmware/runtime/inbox.py", "import gpiozero", "Vendor libraries stay"),
        ("firmware/runtime/inbox.py", "import hal.sound.null", "Adapters are built only by boards"),
        ("firmware/runtime/inbox.py", "import hal.boards", "only by the composition root"),
        ("firmware/codec/g711.py", "import firmware.codec.g722", "Codecs do not know each other"),
        (
            "firmware/ui/screens/idle.py",
            "import firmware.ui.screens.talking",
            "Screens do not know",
        ),
        ("firmware/web/pages.py", "import firmware.phone.view", "only through its sockets"),
        ("firmware/sip/usage/info.py", "import firmware.sip.usage.options", "Dialog usages do not"),
        ("firmware/sip/event/reg.py", "import firmware.sip.event.presence", "Event packages do"),
        (
            "firmware/phone/states/idle.py",
            "import firmware.phone.states.talking",
            "Phone states do not know",
        ),
        ("hal/boards/loader.py", "import hal.boards.opening", "Boards do not know each other"),
        ("hal/uart/panel.py", "import luma.core", "luma and its buses"),
        ("hal/oled/screen.py", "import serial", "pyserial is the front panel's"),
        ("hal/sound/null.py", "import evdev", "python-evdev is the USB handset's"),
        ("hal/sound/null.py", "import gpiozero", "The pins' libraries are the pins'"),
        ("hal/gpio/keypad.py", "import gpiozero", "does not see who moves them"),
        ("hal/sound/null.py", "import hal.mock.panel", "Adapter families do not know each other"),
        ("firmware/sip/uri.py", "import firmware.sip.agent", "No cycles between siblings"),
    ],
)
def test_import_linter_finds_a_forbidden_import(tree, module, line, broken):
    plant(tree / module, line)
    done = run(tree, str(BIN / "lint-imports"), "--no-cache")
    assert done.returncode, done.stdout
    broken_ones = [row for row in done.stdout.splitlines() if "BROKEN" in row]
    assert any(broken in row for row in broken_ones), done.stdout


def test_every_import_contract_has_a_fault_planted_for_it(request):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    names = [contract["name"] for contract in contracts["contracts"]]
    (rows,) = [
        mark.args[1]
        for mark in test_import_linter_finds_a_forbidden_import.pytestmark
        if mark.name == "parametrize"
    ]
    forgotten = [name for name in names if not any(words in name for _, _, words in rows)]
    assert forgotten == []


def test_the_formatter_finds_a_line_that_is_not_its_own(tree):
    plant(tree / "hal/keys.py", "X = { 'a':1 }")
    done = run(tree, str(BIN / "ruff"), "format", "--check", "--no-cache", "hal")
    assert done.returncode
    assert "hal/keys.py" in done.stdout


@pytest.fixture
def documented(tree):
    """The tree with its tests and its pages."""
    for folder in ("docs", "tests"):
        leave_out = shutil.ignore_patterns("__pycache__", "data")
        shutil.copytree(ROOT / folder, tree / folder, ignore=leave_out)
    done = run(tree, sys.executable, ".ci/reliability.py")
    assert not done.returncode, done.stderr
    done = run(tree, sys.executable, ".ci/reliability.py", "--check")
    assert not done.returncode, done.stderr
    return tree


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("test_f04_a_new_test", "out of date"),
        ("test_f99_a_row_that_is_not_there", "rows that do not exist: F99"),
        ("test_f6_a_row_by_one_digit", "test_f6_a_row_by_one_digit"),
        ("test_p12_f6_the_second_row_by_one_digit", "test_p12_f6_the_second"),
    ],
)
def test_reliability_finds_a_test_that_the_page_does_not_know(documented, name, said):
    plant(documented / "tests/checks/test_checks_bite.py", f"def {name}():\n    pass")
    done = run(documented, sys.executable, ".ci/reliability.py", "--check")
    assert done.returncode
    assert said in done.stderr


def test_figures_finds_a_measurement_that_the_page_does_not_know(documented):
    done = run(documented, sys.executable, ".ci/figures.py", "--check")
    assert not done.returncode, done.stderr
    latest = max((documented / "tests/bench/results").glob("20*.json"))
    text = re.sub(r"(_ms\w*\": )[\d.]+", r"\g<1>77.7", latest.read_text(), count=1)
    latest.with_name("2099-01-01-0000.json").write_text(text)
    done = run(documented, sys.executable, ".ci/figures.py", "--check")
    assert done.returncode
    assert "docs/figures.md is out of date" in done.stderr


def test_sizes_finds_a_long_file_and_a_long_function(tree):
    plant(tree / "hal/keys.py", "def long() -> None:\n" + "    pass\n" * 61)
    plant(tree / "hal/events.py", "#\n" * 500)
    done = run(tree, sys.executable, ".ci/sizes.py")
    assert done.returncode
    assert "long has 62 lines" in done.stdout
    assert "hal/events.py" in done.stdout


def test_units_finds_a_unit_that_systemd_does_not_understand(tree):
    if shutil.which("systemd-analyze") is None:
        assert not os.environ.get("DESKPHONE_NO_SKIP"), "systemd-analyze is missing"
        pytest.skip("systemd-analyze is missing (Debian package systemd)")
    unit = tree / "systemd/deskphone.service"
    unit.write_text(unit.read_text().replace("[Service]", "[Service]\nWatchdogSec=soon", 1))
    done = run(tree, "sh", ".ci/units")
    assert done.returncode
    assert "soon" in done.stdout  # not every systemd names the key


def test_the_tree_as_it_is_passes_the_quick_checks(tree):
    for command in (("sh", ".ci/units"), (sys.executable, ".ci/sizes.py")):
        done = run(tree, *command)
        assert not done.returncode, done.stdout + done.stderr


def test_every_exception_from_a_rule_gives_its_reason():
    silent = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("firmware", "hal", ".ci")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, row in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"# noqa(?!: [A-Z0-9, ]+ - \w)", row)
    ]
    assert silent == []


@pytest.mark.parametrize("verb", ["guide", "image", "image-test"])
def test_a_verb_that_is_not_there_yet_says_so_in_one_sentence_and_fails(verb):
    done = subprocess.run(
        ["make", "-s", verb], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode
    assert done.stdout == ""
    sentence, *rest = done.stderr.splitlines()
    assert sentence.startswith(f"make {verb}: not there yet; ")
    assert sentence.endswith(".")
    # Make counts its depth when it is called from make.
    assert all(re.match(r"make(\[\d+\])?: \*\*\*", row) for row in rest)


def test_every_verb_is_explained():
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    helped = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    shown = {row.split()[0] for row in helped.stdout.splitlines()}
    assert set(phony.split()) - shown == {"setup-dev"}
