"""The log speaks to people in the phone's language."""

import io
import logging

import pytest

from firmware.base.phrase import phrase
from firmware.runtime.spoken import SpokenFormatter, speak
from firmware.ui.text import Texts

OTHER = Texts("xx", {"log.slow_disk": "Trop lent", "log.addresses": "[{addresses}]"})


@pytest.fixture
def log():
    """A logger and what it wrote."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(SpokenFormatter("%(levelname)s %(message)s"))
    handler.addFilter(logging.Filter("test.spoken"))  # asyncio may have a word of an earlier test
    root = logging.getLogger()
    root.addHandler(handler)
    yield logging.getLogger("test.spoken"), written
    root.removeHandler(handler)


def test_a_phrase_is_said_in_words(log):
    logger, written = log
    logger.warning(phrase("log.zone", zone="Mars/Base"))
    assert written.getvalue() == (
        "WARNING The time zone Mars/Base is not known here: the clock shows UTC\n"
    )


def test_other_messages_stay_as_they_are(log):
    logger, written = log
    logger.error("stream %d of %s", 3, "c1")
    assert written.getvalue() == "ERROR stream 3 of c1\n"


def test_from_now_on_the_log_speaks_another_language(log):
    logger, written = log
    logger.warning(phrase("log.slow_disk"))
    speak(OTHER)
    logger.warning(phrase("log.slow_disk"))
    assert written.getvalue().splitlines()[1] == "WARNING Trop lent"


def test_a_per_cent_sign_from_the_network_is_only_a_sign(log):
    logger, written = log
    speak(OTHER)
    logger.warning(phrase("log.addresses", addresses="%s%d"))
    assert written.getvalue() == "WARNING [%s%d]\n"


def test_other_handlers_see_the_phrase_untouched(log, caplog):
    logger, _ = log
    logger.warning(phrase("log.slow_disk"))
    assert caplog.messages == ["log.slow_disk"]
