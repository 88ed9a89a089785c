"""What is said of a line that is not registered."""

import pytest

from firmware.phone.view import LineView, Notice
from firmware.sip.notifications import RegistrationState
from firmware.ui.line_words import is_counting, line_words
from firmware.ui.text import Texts

TEXTS = Texts.load("en")
NOW = 1000.0
SILENT = Notice("line_no_answer", (("where", "10.0.0.2:5060 by UDP"),))
FIRST = Notice("line_trying", (("where", "10.0.0.2:5060 by UDP"),))


def said(state, notice=None, now=NOW, **more):
    return line_words(LineView("desk", "desk", state, notice, **more), now, TEXTS.say)


def test_all_is_well():
    assert said(RegistrationState.REGISTERED, until=NOW + 600) == ""


def test_the_first_try_counts_its_seconds():
    trying = RegistrationState.TRYING
    assert said(trying, FIRST, since=NOW) == "Registering with 10.0.0.2:5060 by UDP (0 s)"
    assert said(trying, FIRST, NOW + 3.7, since=NOW).endswith("UDP (3 s)")


@pytest.mark.parametrize(
    ("after", "seconds"), [(0.0, 12), (0.4, 12), (11.5, 1), (12.0, 0), (12.9, 0), (15.2, 3)]
)
def test_the_reason_stays_while_the_next_try_is_awaited_and_made(after, seconds):
    words = said(RegistrationState.FAILED, SILENT, NOW + after, until=NOW + 12, since=NOW)
    assert words == f"No answer from 10.0.0.2:5060 by UDP, trying ({seconds} s)"


@pytest.mark.parametrize(
    ("state", "words"), [("off", "Not registered"), ("trying", "Registering")], ids=str
)
def test_with_nothing_to_count_no_seconds_are_shown(state, words):
    line = LineView("desk", "desk", RegistrationState(state))
    assert line_words(line, NOW, TEXTS.say) == words
    assert not is_counting(line)
