"""docs/rfc4504.md says nothing that its table cannot show: who claims too much is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOWN = 'verdict = "yes"\ntests = ["tests/test_one.py::test_a"]'
REST = 'verdict = "no"\nmissing = "all of it"'


@pytest.fixture
def tree(tmp_path):
    """A small tree: the script and one file of tests."""
    for folder in (".ci", "docs", "tests"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / ".ci/rfc4504.py", tmp_path / ".ci")
    (tmp_path / "tests/test_one.py").write_text("def test_a():\n    pass\n\n\ndef a_helper():\n")
    return tmp_path


def row(key: str, said: str) -> str:
    return f'["A part"."{key}"]\nsays = "must"\nclause = "ring"\n{said}\n'


def judge(tree: Path, said: str, *words: str, last: int = 93) -> subprocess.CompletedProcess[str]:
    """The verdict on a table whose first row is `said`."""
    table = row("Req-1", said) + "".join(row(f"Req-{n}", REST) for n in range(2, last + 1))
    (tree / "docs/rfc4504.toml").write_text(table)
    command = [sys.executable, str(tree / ".ci/rfc4504.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_row_has_its_verdict_and_its_tests(tree):
    done = judge(tree, SHOWN)
    assert not done.returncode, done.stderr
    page = (tree / "docs/rfc4504.md").read_text()
    assert "| Req-1 | must | ring | **yes** | `tests/test_one.py::test_a` |" in page
    assert "93 rows: 1 yes, 0 partly, 92 no, 0 not ours. Of 93 musts of ours 1 are met." in page


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (SHOWN.replace("test_a", "test_b"), "tests/test_one.py::test_b, which is not there"),
        (SHOWN.replace("test_a", "a_helper"), "tests/test_one.py::a_helper, which is not there"),
        (SHOWN.replace("one.py", "two.py"), "tests/test_two.py::test_a, which is not there"),
        (SHOWN.replace("test_a", "test_"), "tests/test_one.py::test_, which is not there"),
        ('verdict = "yes"', "is yes, and no test shows it"),
        ('verdict = "partly"\nmissing = "x"', "is partly, and no test shows it"),
        (SHOWN.replace("yes", "partly"), "is partly, and nothing says why"),
        ('verdict = "no"', "is no, and nothing says why"),
        ('verdict = "not ours"', "is not ours, and nothing says why"),
        (f'{SHOWN}\nmissing = "x"', "is yes, and something is missing"),
        (SHOWN.replace('"yes"', '"no"\nmissing = "x"'), "is no, and tests show it"),
        (SHOWN.replace('"yes"', '"nearly"'), "unknown verdict: nearly"),
        (f'{SHOWN}\nnote = "x"', "has the keys"),
    ],
)
@pytest.mark.parametrize("words", [(), ("--check",)])
def test_what_claims_too_much_is_refused_by_its_row(tree, said, fault, words):
    done = judge(tree, said, *words)
    assert done.returncode
    faults = done.stderr.splitlines()
    assert any(line.startswith("docs/rfc4504.toml: Req-1 ") and fault in line for line in faults)
    assert not (tree / "docs/rfc4504.md").exists()


def test_no_requirement_is_left_out_and_none_invented(tree):
    assert "Req-93 is left out" in judge(tree, SHOWN, last=92).stderr
    assert "Req-94 is no requirement" in judge(tree, SHOWN, last=94).stderr


def test_a_page_that_is_out_of_date_is_found(tree):
    assert not judge(tree, SHOWN).returncode
    assert not judge(tree, SHOWN, "--check").returncode
    done = judge(tree, REST, "--check")
    assert done.returncode
    assert "out of date: run make docs" in done.stderr
