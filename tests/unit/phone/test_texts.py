"""Text ids and their arguments."""

import pytest

from firmware.media.messages import Silence
from firmware.phone.texts import CALL_CAUSES, HEARING, LINE_CAUSES, TEXTS, notice
from firmware.sip.notifications import FailureCause


def test_every_cause_has_a_text_for_lines_and_for_calls():
    for cause in FailureCause:
        assert LINE_CAUSES[cause] in TEXTS
        assert CALL_CAUSES[cause] in TEXTS


def test_every_silence_has_a_text():
    assert {HEARING[silence] for silence in Silence} <= set(TEXTS)


def test_a_notice_carries_its_arguments_in_order_and_missing_ones_empty():
    said = notice("call_busy", who="Ann", line="desk")
    assert said.args == (("who", "Ann"), ("line", "desk"), ("status", ""), ("phrase", ""))


@pytest.mark.parametrize(("text", "args"), [("no_such", {}), ("call_busy", {"colour": "red"})])
def test_a_wrong_notice_is_a_fault_of_ours(text, args):
    with pytest.raises(ValueError, match="no text"):
        notice(text, **args)
