"""The documents that the RFCs print."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "data" / "rfc-events"


@pytest.fixture
def printed():
    """Reads one, e.g. `printed("rfc4235-1")`."""
    return lambda name: (FOLDER / f"{name}.xml").read_bytes()
