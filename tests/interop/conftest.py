"""Peers for the interop tests: each test gets a network of its own."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.namespace import Namespace, NamespaceError

PACKAGES = {
    "kamailio": "kamailio",
    "baresip": "baresip-core",
    "sipp": "sip-tester",
    "chromium": "chromium",
    "openssl": "openssl",
    "dnsmasq": "dnsmasq-base",
    "turnserver": "coturn",
}


def _lacking(reason: str) -> None:
    """A missing peer is a skip on a developer's machine and a failure where all must be there."""
    if os.environ.get("DESKPHONE_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def need():
    """Ask for programs by name."""

    def ask(*programs: str) -> None:
        for program in programs:
            if shutil.which(program) is None:
                _lacking(f"{program} is missing: apt-get install {PACKAGES[program]}")

    return ask


@pytest.fixture
def need_module():
    """Ask for a module of Kamailio that is a package of its own, by name and package."""

    def ask(module: str, package: str) -> None:
        folders = (Path("/usr/lib"), Path("/usr/lib64"))
        if not any(next(each.glob(f"**/kamailio/modules/{module}.so"), None) for each in folders):
            _lacking(f"Kamailio's {module} is missing: apt-get install {package}")

    return ask


@pytest.fixture
def network():
    """A network namespace; everything in it ends with the test."""
    try:
        namespace = Namespace()
    except NamespaceError as error:
        _lacking(f"no network namespace (root is needed): {error}")
        raise
    with namespace:
        yield namespace
