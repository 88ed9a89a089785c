"""`run` without argparse: the same options, or none."""

import subprocess
import sys
from pathlib import Path

import pytest

from firmware.cli_arguments import parse
from firmware.cli_run import plain_run

PLAIN = (
    ["run"],
    ["run", "-c", "a.toml"],
    ["run", "--config", "a.toml", "--board", "mock"],
    ["run", "--control", "/run/x.sock", "--board", "mock", "-c", "a.toml"],
    ["run", "-c", "a.toml", "-c", "b.toml"],
    ["run", "-c", ""],
)


@pytest.mark.parametrize("given", PLAIN, ids=" ".join)
def test_it_is_what_argparse_finds(given):
    plain, known = plain_run(given), parse(given)
    assert plain is not None
    assert plain._asdict() == vars(known)


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["demo"],
        ["ctl", "run"],
        ["run", "-h"],
        ["run", "-c"],
        ["run", "a.toml"],
        ["run", "-c", "--board"],
        ["run", "--conf", "a.toml"],
        ["run", "--config=a.toml"],
        ["run", "-ca.toml"],
        ["run", "-c", "a.toml", "more"],
    ],
    ids=" ".join,
)
def test_whatever_is_written_otherwise_is_left_to_argparse(given):
    assert plain_run(given) is None


def test_a_file_is_a_path():
    plain = plain_run(["run", "-c", "a.toml"])
    assert plain.config == Path("a.toml")


def test_it_does_without_argparse():
    code = (
        "import sys, firmware.bootstrap; from firmware import cli;"
        "firmware.bootstrap.run = lambda *told: print(*told);"
        "cli.main(['run', '-c', 'a.toml']); print('argparse' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["a.toml None None", "False"]
