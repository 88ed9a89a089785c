"""A seed may be given from outside, so that `make fuzz` goes where no run has been."""

import os

SEED = int(os.environ.get("DESKPHONE_FUZZ_SEED", "0"))


def pytest_generate_tests(metafunc):
    """Tests that name their seeds by `seeds(count)` get those behind the seed from outside."""
    marker = metafunc.definition.get_closest_marker("seeds")
    if marker is not None:
        metafunc.parametrize("seed", range(SEED, SEED + marker.args[0]))


def pytest_configure(config):
    config.addinivalue_line("markers", "seeds(count): so many walks by seeds of their own")
