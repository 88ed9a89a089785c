"""What the phone imports its package asks for: a phone that was just installed has it all."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("firmware", "hal")
NO_LIBRARY = {*OURS, "_typeshed", *sys.stdlib_module_names}
BROUGHT_BY = {
    "audioop": "audioop-lts",
    "dns": "dnspython",
    "OpenSSL": "pyOpenSSL",
    "alsaaudio": "pyalsaaudio",
    "RPi": "RPi.GPIO",
    "luma": "luma.oled",
    "serial": "pyserial",
}
"""Packages with another name than their module."""
ALONG = {"smbus2": "luma.oled", "cryptography": "pyOpenSSL", "colorzero": "gpiozero"}
"""What comes with a package that is asked for."""
LEFT_TO_THE_BOARD = {"lgpio"}
"""No wheel everywhere: whoever wants it for their pins installs it (docs/boards.md)."""


def imported():
    """Each top-level module of others, with a file that imports it."""
    found = {}
    for folder in OURS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom):
                    names = [node.module]
                for name in names:
                    found.setdefault(name.partition(".")[0], file.relative_to(ROOT))
    return {name: str(file) for name, file in found.items() if name not in NO_LIBRARY}


def declared():
    """The packages that are asked for, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["pi"]
    return {re.match(r"[\w.-]+", one)[0] for one in asked}


def test_every_library_that_is_imported_is_asked_for():
    asked = declared()
    missing = {
        name: file
        for name, file in imported().items()
        if name not in LEFT_TO_THE_BOARD
        and ALONG.get(name, BROUGHT_BY.get(name, name)) not in asked
    }
    assert missing == {}


def test_every_library_that_is_asked_for_at_run_time_has_its_row():
    rows = (ROOT / "docs/dependencies.md").read_text()
    assert [name for name in sorted(declared()) if name not in rows] == []
