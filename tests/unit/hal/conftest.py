import re

import pytest

from hal.boards.loader import load_board
from hal.errors import BoardError


@pytest.fixture
def load(tmp_path):
    """Loads a board from text."""

    def from_text(text):
        path = tmp_path / "bench.toml"
        path.write_text(text)
        return load_board(str(path))

    return from_text


@pytest.fixture
def complaints(load, tmp_path):
    """The complaints about a board text, without the file and the line that begin each."""

    def of(text):
        with pytest.raises(BoardError) as caught:
            load(text)
        lines = str(caught.value).splitlines()
        start = re.compile(rf"{re.escape(str(tmp_path / 'bench.toml'))}(:[0-9]+)?: ")
        assert all(start.match(line) for line in lines)
        return [start.sub("", line, count=1) for line in lines]

    return of
