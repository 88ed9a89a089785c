"""Writes docs/rfc4504.md from docs/rfc4504.toml: what a SIP telephone should be, and is.

    python .ci/rfc4504.py            writes the page
    python .ci/rfc4504.py --check    says what is wrong with it, with exit code 1

A row is refused if it names a test that is not there, says yes or partly without a test, or says
anything but yes without a reason; so is a table that leaves out one of the numbered requirements.
"""

import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = 93
"""So many are numbered in RFC 4504; its clauses on settings and security have no numbers."""
VERDICTS = ("yes", "partly", "no", "not ours")
KEYS = {"says", "clause", "verdict", "tests", "missing"}
_CLAUSE = re.compile(r"[34](?:\.\d+)+(?: \S+)?")
_HEAD = """\
# What a SIP telephone should be, and what this one is

Made by `make docs` from [rfc4504.toml](rfc4504.toml); do not edit. RFC 4504 lists what a SIP
telephone should do, in 93 numbered requirements and in clauses about settings and security. "yes"
and "partly" are shown by the tests beside them; "not ours" is the business of something else, such
as the operating system, or of another kind of device. The strength is the RFC's own.
"""


class TableError(Exception):
    """A row that would say what is not so."""


def page(table: dict[str, object], root: Path) -> str:
    """The whole page."""
    sections = [(title, rows) for title, rows in table.items() if isinstance(rows, dict)]
    rows = {key: row for _, section in sections for key, row in section.items()}
    if faults := [*_left_out(sections), *_faults(rows, root)]:
        raise TableError("\n".join(f"docs/rfc4504.toml: {fault}" for fault in faults))
    counts = Counter(row["verdict"] for row in rows.values())
    figures = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    musts = [row for row in rows.values() if row["says"] == "must" and row["verdict"] != "not ours"]
    held = sum(row["verdict"] == "yes" for row in musts)
    parts = [_HEAD, f"{len(rows)} rows: {figures}. Of {len(musts)} musts of ours {held} are met.\n"]
    for title, section in sections:
        parts.append(f"## {title}\n")
        parts.append("| | | what is asked | | shown by, missing |\n|---|---|---|---|---|")
        parts += [
            f"| {key} | {row['says']} | {row['clause']} | **{row['verdict']}** | {_shown(row)} |"
            for key, row in section.items()
        ]
        parts.append("")
    return "\n".join(parts)


def _left_out(sections: list[tuple[str, dict[str, dict]]]) -> list[str]:
    keys = [key for _, section in sections for key in section]
    wanted = [f"Req-{number}" for number in range(1, REQUIREMENTS + 1)]
    twice = [f"{key} stands twice" for key, count in Counter(keys).items() if count > 1]
    strange = [
        f"{key} is no requirement"
        for key in keys
        if key not in wanted and not _CLAUSE.fullmatch(key)
    ]
    return [*(f"{key} is left out" for key in wanted if key not in keys), *twice, *strange]


def _faults(rows: dict[str, dict], root: Path) -> list[str]:
    return [f"{key} {fault}" for key, row in rows.items() for fault in _faults_of(row, root)]


def _faults_of(row: dict, root: Path) -> list[str]:
    if set(row) - KEYS or not {"says", "clause", "verdict"} <= set(row):
        return [f"has the keys {', '.join(sorted(row))}"]
    verdict, tests, missing = row["verdict"], row.get("tests", []), row.get("missing", "")
    shown = verdict in {"yes", "partly"}
    checks = {
        f"has an unknown verdict: {verdict}": verdict not in VERDICTS,
        f"has an unknown strength: {row['says']}": row["says"] not in {"must", "should", "may"},
        f"is {verdict}, and no test shows it": shown and not tests,
        f"is {verdict}, and tests show it": not shown and bool(tests),
        f"is {verdict}, and nothing says why": verdict != "yes" and not missing,
        "is yes, and something is missing": verdict == "yes" and bool(missing),
    }
    absent = [f"is shown by {test}, which is not there" for test in tests if not _there(test, root)]
    return [*(fault for fault, so in checks.items() if so), *absent]


def _there(test: str, root: Path) -> bool:
    where, _, name = test.partition("::")
    path = root / where
    if not (path.is_file() and name.startswith("test_")):
        return False
    return bool(
        re.search(rf"^\s*(?:async )?def {re.escape(name)}\(", path.read_text(), re.MULTILINE)
    )


def _shown(row: dict) -> str:
    return "<br>".join([*(f"`{test}`" for test in row.get("tests", [])), *_lack(row)])


def _lack(row: dict) -> list[str]:
    return [row["missing"]] if "missing" in row else []


def main() -> int:
    """Write the page; with `--check`, say whether it is what it should be."""
    table = tomllib.loads((ROOT / "docs/rfc4504.toml").read_text())
    try:
        text = page(table, ROOT)
    except TableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    target = ROOT / "docs/rfc4504.md"
    if "--check" not in sys.argv:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        sys.stderr.write("docs/rfc4504.md is out of date: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
