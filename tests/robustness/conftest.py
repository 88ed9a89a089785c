"""Whole phones as programs, with a far end of the test's own."""

import pytest

from tests.support.far_end import FarEnd, loopback_address
from tests.support.phone import Phone, line


@pytest.fixture
def far_end():
    """A server on an address that is nobody else's."""
    with FarEnd(loopback_address()) as server:
        yield server


@pytest.fixture
def start_phone(tmp_path, far_end):
    """Starts phones; they are stopped after the test, while there is still somebody to tell."""
    phones = []

    def start(*lines, name="phone", **more):
        more.setdefault("address", loopback_address())
        phones.append(Phone(tmp_path / name, "\n".join(lines), **more))
        return phones[-1]

    yield start
    for phone in reversed(phones):
        phone.close()


@pytest.fixture
def phone(far_end, start_phone):
    """A phone that is registered at the far end as 101."""
    made = start_phone(line("101", f"{far_end.address}:5060"))
    made.wait_registered()
    return made
