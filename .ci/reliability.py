"""Writes docs/reliability.md from docs/reliability.toml and the names of the tests."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_NAME = re.compile(r"^\s*(?:async )?def (test_((?:[pfa]\d{2}_)+)\w*)", re.MULTILINE)
_SHORT = re.compile(
    r"^\s*(?:async )?def (test_(?:[pfa]\d{2}_)*[pfa](?:\d|\d{3,})_\w*)", re.MULTILINE
)
_IDS = re.compile(r"([pfa])(\d{2})_")
_HEAD = """\
# What holds, and what is still open

Made by `make docs` from [reliability.toml](reliability.toml) and from the names of the tests; do
not edit. A row without a test is open, whatever the code may do; what a row with tests still lacks
is said after "partly".
"""


def tests_by_id(folder: Path) -> dict[str, list[str]]:
    """Id (`F4`) → `file::test`, in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text()
        if wrong := _SHORT.findall(text):
            raise SystemExit(f"{path}: a row is named by two digits, f04: {', '.join(wrong)}")
        for name, ids in _NAME.findall(text):
            for letter, number in _IDS.findall(ids):
                where = f"{path.relative_to(folder.parent)}::{name}"
                found.setdefault(f"{letter.upper()}{int(number)}", []).append(where)
    return found


def page(table: dict[str, dict[str, str]], tests: dict[str, list[str]]) -> str:
    """The whole page; the table's `partly` holds what rows with tests still lack."""
    partly = table.get("partly", {})
    table = {title: section for title, section in table.items() if title != "partly"}
    rows = {key: text for section in table.values() for key, text in section.items()}
    if unknown := sorted(set(tests) - set(rows)):
        raise SystemExit(f"tests are named for rows that do not exist: {', '.join(unknown)}")
    if idle := sorted(set(partly) - set(tests)):
        raise SystemExit(f"partly shown, says the table, but by no test: {', '.join(idle)}")
    shown = sum(key in tests for key in rows)
    parts = [_HEAD, f"{shown} of {len(rows)} rows are shown by a test.\n"]
    for title, section in table.items():
        parts.append(f"## {title.capitalize()}\n")
        parts.append("| | | shown by |\n|---|---|---|")
        parts += [
            f"| {key} | {text} | {_cell(tests.get(key, []), partly.get(key, ''))} |"
            for key, text in section.items()
        ]
        parts.append("")
    return "\n".join(parts)


def _cell(tests: list[str], lack: str) -> str:
    shown = [f"`{test}`" for test in tests[:3]]
    more = f" and {len(tests) - 3} more" if len(tests) > 3 else ""
    note = f"<br>**partly:** {lack}" if lack else ""
    return "<br>".join(shown) + more + note if tests else "**open**"


def main() -> int:
    """Write the page; with `--check`, say whether it is what it should be."""
    table = tomllib.loads((ROOT / "docs/reliability.toml").read_text())
    text = page(table, tests_by_id(ROOT / "tests"))
    target = ROOT / "docs/reliability.md"
    if "--check" not in sys.argv:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        sys.stderr.write("docs/reliability.md is out of date: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
