"""docs/rfc.md is made from citations: what counts as one, what it shows, and what is refused."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Sources are put together here, so that this file cites nothing itself.
RFC = "RF" + "C"
S = "\N{SECTION SIGN}"


@pytest.fixture
def tree(tmp_path):
    """A small tree: one file of code, one of tests, and the titles."""
    for folder in ("docs", "firmware", "hal", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs/rfc_titles.toml").write_text('3261 = "SIP"\n4475 = "Torture"\n')
    return tmp_path


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / ".ci/rfc.py"), "--root", str(tree), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def page(tree: Path) -> tuple[str, str]:
    """What is shown and what is missing."""
    done = run(tree)
    assert not done.returncode, done.stderr
    shown, _, gaps = (tree / "docs/rfc.md").read_text().partition("## Gaps")
    return shown, gaps


def test_a_test_shows_the_clauses_its_docstring_comments_and_decorators_cite(tree):
    (tree / "tests/test_one.py").write_text(
        f"import pytest\n\n"
        f"# {RFC} 3261 {S}8.1\n"
        f'@pytest.mark.parametrize("x", [1], ids=["{RFC} 3261 {S}8.2"])\n'
        f"def test_a(x):\n"
        f'    """As {RFC} 3261 {S}9.1 and {S}9.2 say."""\n'
        f"    # {RFC}\n    # 3261 {S}10.2, {S}10.10\n"
        f"    assert x\n\n\n"
        f"def helper():\n    '''{RFC} 3261 {S}11'''\n"
    )
    shown, _ = page(tree)
    rows = [row for row in shown.splitlines() if row.startswith(f"| {S}")]
    clauses = [row.split("|")[1].strip() for row in rows]
    assert clauses == [f"{S}{each}" for each in ("8.1", "8.2", "9.1", "9.2", "10.2", "10.10")]
    assert all("`tests/test_one.py::test_a`" in row for row in rows)


def test_what_stands_outside_every_function_of_a_test_file_counts_for_all_of_it(tree):
    (tree / "tests/test_one.py").write_text(
        f'"""The torture of {RFC} 4475 {S}3.1.1.1–{S}3.1.1.3."""\n\n\ndef test_a():\n    pass\n'
    )
    shown, _ = page(tree)
    assert shown.count("| `tests/test_one.py` |") == 3
    assert f"| {S}3.1.1.2 |" in shown


def test_what_the_code_cites_and_no_test_does_is_a_gap(tree):
    (tree / "firmware/one.py").write_text(
        f'"""By {RFC} 3261 {S}17 (see {S}18 too)."""\nX = 1  # {RFC} 4475\n'
    )
    (tree / "tests/test_one.py").write_text(f"def test_a():\n    '''{RFC} 3261 {S}17'''\n")
    shown, gaps = page(tree)
    assert "1 clauses of 1 RFCs are shown by a test; 2 that the code cites" in shown
    assert f"| 3261 | {S}18 | `firmware/one.py` |" in gaps
    assert "| 4475 | as a whole | `firmware/one.py` |" in gaps
    assert f"{S}17" not in gaps


def test_clauses_of_other_documents_are_nobodys_business_here(tree):
    (tree / "firmware/one.py").write_text(f"# ITU-T E.180 {S}7\n")
    _, gaps = page(tree)
    assert S not in gaps


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"{RFC}3261 {S}17", f"not '{RFC}3261'"),
        (f"{RFC}-3261", f"not '{RFC}-3261'"),
        (f"{RFC} 3261 section 17.1", f"not '{RFC} 3261 section 17"),
        (f"{RFC} 3261, {S}17.1", f"not '{RFC} 3261, {S}17.1'"),
        (f"{RFC} 3261 {S} 17.1", f"not '{RFC} 3261 {S} 17"),
        (f"{RFC} 3261 17.1.1", f"not '{RFC} 3261 17.1.1'"),
        (f"{RFC} 3550 appendix A", f"not '{RFC} 3550 appendix A'"),
        (f"section 17 of {RFC} 3261", f"not 'section 17 of {RFC} 3261'"),
        (f"the rule of ({S}17.1)", f"{S}17.1 of which {RFC}?"),
        (f"{RFC} 4475 {S}3.1–{S}2.9", f"no range: {S}3.1–{S}2.9"),
        (f"{RFC} 9999 {S}1", f"docs/rfc_titles.toml has no title for {RFC} 9999"),
    ],
)
@pytest.mark.parametrize("where", ["firmware/one.py", "tests/test_one.py"])
def test_a_citation_that_would_be_lost_is_refused_by_its_place(tree, where, words, said):
    (tree / where).write_text(f"X = 1\n\n# {words}\n")
    for check in ([], ["--check"]):
        done = run(tree, *check)
        assert done.returncode
        assert said in done.stderr
        if "title" not in said:
            assert f"{where}:3: " in done.stderr


def test_a_page_that_is_out_of_date_is_found(tree):
    page(tree)
    assert not run(tree, "--check").returncode
    (tree / "tests/test_one.py").write_text(f"def test_a():\n    '''{RFC} 3261 {S}17'''\n")
    done = run(tree, "--check")
    assert done.returncode
    assert "out of date: run make docs" in done.stderr
