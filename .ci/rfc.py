"""Writes docs/rfc.md: which clause of which RFC is shown by which test.

    python .ci/rfc.py            writes the page
    python .ci/rfc.py --check    says what is wrong with it, with exit code 1

A citation is `RFC 3261 §17.1.1.2`, in a comment or a string. Several clauses follow each other with
commas or `and`, a range with a dash (`RFC 4475 §3.1.1.1–§3.1.1.3`), and a `§` further on in one
comment or string belongs to the RFC named last. Any other way to write one is refused, because it
would be lost here in silence.

A citation inside a test function (its decorators and the comment right above included) says that
this test shows the clause; one outside every function of a test file says it of the whole file.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = ("firmware", "hal")
SHOWN = 4
"""The most tests named for one clause; the rest is counted."""

_CLAUSE = r"(?:[0-9]+|[A-Z])(?:\.[0-9]+)*"
_LIST = re.compile(rf"§{_CLAUSE}(?:(?:, | and |, and |–|-)§{_CLAUSE})*")
_CITED = re.compile(rf"\bRFC ([1-9][0-9]{{2,4}})(?: ({_LIST.pattern}))?|({_LIST.pattern})")
_ONE = re.compile(rf"(–|-)?§({_CLAUSE})")
_OTHER = re.compile(r"\b[A-Z][\w./-]* $")
"""Before a `§` this is the name of another document: `E.180 §7`."""
_WRONG = re.compile(
    r"\bRFC[-_ ]*s? ?[0-9]+,? ?(?:[Ss]ection|[Ss]ec\.|[Cc]lause|[Cc]hapter|[Aa]ppendix|§ )[^,.;)]*"
    r"|\bRFC [0-9]+(?:,|'s|:) ?§[^ ]*"
    r"|\bRFC [0-9]+ [0-9A-Z]+\.[0-9][0-9.]*"
    r"|\bRFC-?[0-9]{3,5}\b"
    r"|\b[Ss]ection [0-9.]+ of RFC [0-9]+"
    r"|§(?![0-9A-Z])[^ ]{0,9}"
)
_HEAD = """\
# Which clauses are shown by which test

Made by `make docs` from what the sources and the tests cite, and from
[rfc_titles.toml](rfc_titles.toml); do not edit. A clause in a table is shown by the tests beside
it. What the code cites and no test does is at the end: those are gaps, whatever the code may do.
"""


class CitationError(Exception):
    """A citation that nobody would find."""


@dataclass(frozen=True, order=True, slots=True)
class Clause:
    """A clause of an RFC; `path` is empty where the RFC is meant as a whole."""

    rfc: int
    path: tuple[tuple[int, str], ...] = ()

    def __str__(self) -> str:
        return "§" + ".".join(part for _, part in self.path) if self.path else "as a whole"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a clause is cited."""

    clause: Clause
    line: int


def clause(rfc: str, text: str = "") -> Clause:
    """`3261`, `17.1.1.2` → a clause that sorts by its numbers."""
    parts = text.split(".") if text else []
    return Clause(int(rfc), tuple((int(part) if part.isdigit() else 999, part) for part in parts))


def citations(source: str, path: Path) -> list[Citation]:
    """All citations of one file.

    Raises:
        CitationError: one is written so that it would be lost.
    """
    return [
        Citation(cited, line + text.count("\n", 0, offset))
        for line, text in _blocks(source)
        for cited, offset in _in_block(text, f"{path}:{line}")
    ]


def _blocks(source: str) -> Iterator[tuple[int, str]]:
    """Comments (neighbouring lines are one) and strings, each with its first line."""
    comment: list[str] = []
    first = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        line = token.start[0]
        if comment and (token.type == tokenize.COMMENT or line > first + len(comment)):
            if token.type == tokenize.COMMENT and line == first + len(comment):
                comment.append(token.string)
                continue
            yield first, "\n".join(comment)
            comment = []
        if token.type == tokenize.COMMENT:
            comment, first = [token.string], line
        elif token.type == tokenize.STRING or "FSTRING_MIDDLE" in tokenize.tok_name[token.type]:
            yield line, token.string
    if comment:
        yield first, "\n".join(comment)


def _in_block(text: str, where: str) -> Iterator[tuple[Clause, int]]:
    # Offsets stay: the sign of a comment becomes a blank.
    plain = re.sub(r"(?m)^[ \t]*#", lambda found: " " * len(found.group()), text)
    squeezed, at = _squeezed(plain)
    if wrong := _WRONG.search(squeezed):
        raise CitationError(f"{where}: write it as RFC 3261 §17.1.1.2, not {wrong.group()!r}")
    rfc = ""
    for found in _CITED.finditer(squeezed):
        number, clauses, lone = found.groups()
        if lone and _OTHER.search(squeezed[: found.start()]):
            continue
        rfc = number or rfc
        if not rfc:
            raise CitationError(f"{where}: {lone} of which RFC?")
        listed = clauses or lone
        if not listed:
            yield clause(rfc), at[found.start()]
            continue
        for path in _expand(listed, where):
            yield clause(rfc, path), at[found.start()]


def _squeezed(text: str) -> tuple[str, list[int]]:
    """Text with every run of blanks as one, and where each letter of it was."""
    letters: list[str] = []
    at: list[int] = []
    for index, letter in enumerate(text):
        blank = letter in " \t\n"
        if blank and letters and letters[-1] == " ":
            continue
        letters.append(" " if blank else letter)
        at.append(index)
    return "".join(letters), at


def _expand(listed: str, where: str) -> Iterator[str]:
    """`§4.1, §4.3–§4.5` → 4.1 4.3 4.4 4.5."""
    before = ""
    for dash, path in _ONE.findall(listed):
        if dash:
            head, _, last = path.rpartition(".")
            begun, _, first = before.rpartition(".")
            if head != begun or not (first.isdigit() and last.isdigit() and int(first) < int(last)):
                raise CitationError(f"{where}: no range: §{before}–§{path}")
            yield from (
                f"{head}.{number}".lstrip(".") for number in range(int(first) + 1, int(last) + 1)
            )
        else:
            yield path
        before = path


def shown_by(path: Path, root: Path) -> list[tuple[Clause, str]]:
    """The clauses a test file shows, each with `file::function`, or the file for all of it."""
    source = path.read_text()
    spans = sorted(_functions(source))
    name = str(path.relative_to(root))
    found: list[tuple[Clause, str]] = []
    for cited in citations(source, path.relative_to(root)):
        inside = [span for span in spans if span[0] <= cited.line <= span[1]]
        if not inside:
            found.append((cited.clause, name))
        elif (function := inside[0][2]).startswith("test_"):
            found.append((cited.clause, f"{name}::{function}"))
    return found


def _functions(source: str) -> Iterator[tuple[int, int, str]]:
    """First line (decorators and the comment above too), last line and name of each function."""
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            while first > 1 and lines[first - 2].lstrip().startswith("#"):
                first -= 1
            yield first, node.end_lineno or node.lineno, node.name


def gather(root: Path) -> tuple[dict[Clause, list[str]], dict[Clause, list[str]]]:
    """Clause → tests, and clause → files of the code.

    Raises:
        CitationError: some are written so that they would be lost; all of them are named.
    """
    wrong: list[str] = []
    tests = _gather((root / "tests").rglob("test_*.py"), root, shown_by, wrong)
    files = (path for folder in CODE for path in (root / folder).rglob("*.py"))
    code = _gather(files, root, _cited_by, wrong)
    if wrong:
        raise CitationError("\n".join(wrong))
    return tests, code


def _gather(
    paths: Iterable[Path],
    root: Path,
    read: Callable[[Path, Path], list[tuple[Clause, str]]],
    wrong: list[str],
) -> dict[Clause, list[str]]:
    found: dict[Clause, list[str]] = defaultdict(list)
    for path in sorted(paths):
        try:
            for cited, where in read(path, root):
                if where not in found[cited]:
                    found[cited].append(where)
        except CitationError as error:
            wrong.append(str(error))
    return found


def _cited_by(path: Path, root: Path) -> list[tuple[Clause, str]]:
    name = path.relative_to(root)
    return [(cited.clause, str(name)) for cited in citations(path.read_text(), name)]


def page(
    titles: dict[int, str], tests: dict[Clause, list[str]], code: dict[Clause, list[str]]
) -> str:
    """The whole page.

    Raises:
        CitationError: an RFC has no title.
    """
    if unknown := sorted({cited.rfc for cited in {**tests, **code}} - set(titles)):
        listed = ", ".join(map(str, unknown))
        raise CitationError(f"docs/rfc_titles.toml has no title for RFC {listed}")
    shown = {cited: where for cited, where in tests.items() if cited.path}
    named = {cited.rfc for cited in tests}
    missing = {
        cited: where
        for cited, where in code.items()
        if (cited not in shown if cited.path else cited.rfc not in named)
    }
    rfcs = sorted({cited.rfc for cited in shown})
    figures = f"{len(shown)} clauses of {len(rfcs)} RFCs are shown by a test; "
    parts = [_HEAD, figures + f"{len(missing)} that the code cites are shown by none.\n"]
    for rfc in rfcs:
        parts.append(f"## RFC {rfc}: {titles[rfc]}\n")
        parts.append("| clause | shown by |\n|---|---|")
        parts += [
            f"| {cited} | {_cell(shown[cited])} |" for cited in sorted(shown) if cited.rfc == rfc
        ]
        parts.append("")
    parts += ["## Gaps\n", "| RFC | clause | cited in |\n|---|---|---|"]
    parts += [f"| {cited.rfc} | {cited} | {_cell(missing[cited])} |" for cited in sorted(missing)]
    return "\n".join([*parts, ""])


def _cell(where: list[str]) -> str:
    more = f" and {len(where) - SHOWN} more" if len(where) > SHOWN else ""
    return "<br>".join(f"`{each}`" for each in where[:SHOWN]) + more


def main() -> int:
    """Write the page; with `--check`, say whether it is what it should be."""
    root = Path(sys.argv[sys.argv.index("--root") + 1]) if "--root" in sys.argv else ROOT
    titles = tomllib.loads((root / "docs/rfc_titles.toml").read_text())
    try:
        text = page({int(rfc): title for rfc, title in titles.items()}, *gather(root))
    except CitationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    target = root / "docs/rfc.md"
    if "--check" not in sys.argv:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        sys.stderr.write("docs/rfc.md is out of date: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
