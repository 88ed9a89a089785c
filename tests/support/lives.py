"""How often a life is lived: a thousand times in `make test`, ten thousand in `make slow`."""

import pytest

LIVES = pytest.mark.parametrize("lives", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
