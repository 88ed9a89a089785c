"""What a test needs of the machine: missing it is a skip at home and a failure in CI."""

import ctypes
import os
import shutil

import pytest


def need_library(name: str, package: str) -> None:
    """Ask for a system library by its file name."""
    try:
        ctypes.CDLL(name)
    except OSError:
        _lacking(f"{name} is missing: apt-get install {package}")


def need_program(name: str, package: str) -> None:
    """Ask for a program."""
    if shutil.which(name) is None:
        _lacking(f"{name} is missing: apt-get install {package}")


def _lacking(reason: str) -> None:
    if os.environ.get("DESKPHONE_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)
