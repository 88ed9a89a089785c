import logging

import pytest

from firmware.runtime.log_lines import LineFormatter


@pytest.fixture
def written():
    """What a log line looks like in the end."""
    formatter = LineFormatter("%(levelname)s %(name)s: %(message)s")

    def write(text, *args, error=None):
        info = (type(error), error, error.__traceback__) if error else None
        record = logging.LogRecord("sip", logging.INFO, __file__, 1, text, args, info)
        return formatter.format(record)

    return write


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Forbidden", "Forbidden"),
        ("Zażółć ☎ 电话", "Zażółć ☎ 电话"),
        ("no\nERROR all is lost", r"no\nERROR all is lost"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\u2028b\u202ec", r"a\u2028b\u202ec"),
        ("\udcff", r"\udcff"),
        ("\x85\x00", r"\x85\x00"),
    ],
)
def test_a23_words_from_the_network_stay_on_their_line(written, words, shown):
    assert written("refused: %s", words) == f"INFO sip: refused: {shown}"


def test_a23_a_flood_of_words_is_cut(written):
    assert len(written("%s", "x" * 100_000)) == 2001


def test_tracebacks_keep_their_lines(written):
    text = written("failed", error=ZeroDivisionError("oops"))
    assert text.splitlines() == ["INFO sip: failed", "ZeroDivisionError: oops"]
