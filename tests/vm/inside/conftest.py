"""What several files of tests need inside the virtual Pi."""

import pytest

from tests.vm.inside.listening import Listening


@pytest.fixture
def listen():
    """Starts the phone's side of a handset by its `UsbSpec`; returns it and what it tells."""
    listening = Listening()
    yield listening
    listening.close()
