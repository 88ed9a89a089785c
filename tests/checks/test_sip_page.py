"""docs/sip.md tells the truth: every name of ours in it is there, every row says something."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from firmware.base.tokens import Tokens
from firmware.sip.agent import AgentSettings, UserAgent

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/sip.md").read_text()
TICKED = re.compile(r"`([^`]+)`")


def imports() -> dict[str, object]:
    """The names that the page imports."""
    (block,) = [
        code
        for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        if "\ndef" not in code and "async" not in code
    ]
    assert all(isinstance(node, ast.ImportFrom) for node in ast.parse(block).body)
    found: dict[str, object] = {}
    exec(block, found)  # noqa: S102 - the page's own imports
    return found


OURS = imports()
ROWS = [
    tuple(cell.strip() for cell in row.strip("|").split(" | "))
    for row in PAGE.partition("### From pyVoIP")[2].splitlines()
    if row.startswith("| `")
]


def named(value: object, path: str) -> bool:
    """Whether `path` leads somewhere from a name; a field of a dataclass counts."""
    for part in path.split("."):
        fields = (
            {f.name for f in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else ()
        )
        if part in fields:
            return "." not in path.partition(part)[2].lstrip(".")
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_every_name_of_ours_is_there(row):
    _, ours = row
    for name in TICKED.findall(ours):
        first, _, rest = name.partition(".")
        if first in OURS and first[0].isalpha():
            assert not rest or named(OURS[first], rest), name
        else:
            assert first not in ("UserAgent", "Account"), name
    assert any(name.partition(".")[0] in OURS for name in TICKED.findall(ours)) or (
        "not there" in ours or "by itself" in ours
    ), ours


def test_the_tables_are_long_and_use_every_import():
    assert len(ROWS) > 80
    used = {name.partition(".")[0] for _, ours in ROWS for name in TICKED.findall(ours)}
    names = {name for name in OURS if not name.startswith("__")}
    assert names - used == set()


@pytest.mark.parametrize(
    "room", ["subscriptions", "notifiers", "publications", "messages", "transfers"]
)
def test_the_rooms_have_the_verbs_that_the_page_lists(room):
    agent = UserAgent(AgentSettings(), Tokens(b"a seed for the page"))
    (row,) = [row for row in PAGE.splitlines() if row.startswith(f"| `agent.{room}` |")]
    verbs = TICKED.findall(row.split("|")[2])
    assert verbs
    assert all(callable(getattr(getattr(agent, room), verb)) for verb in verbs)


def test_the_outside_of_the_agent_is_as_listed():
    begin, end = PAGE.index("| in | |"), PAGE.index("`now` is any clock")
    for name in re.findall(r"`([a-z_]+)(?:\([^`]*\))?`", PAGE[begin:end]):
        assert hasattr(UserAgent, name), name


def test_the_short_program_is_python():
    (program,) = [
        code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "async def" in code
    ]
    exec(compile(program, "docs/sip.md", "exec"), {})  # noqa: S102 - it only defines things
