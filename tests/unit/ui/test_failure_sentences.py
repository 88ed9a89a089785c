"""Whatever a server answers, the phone has a sentence for it."""

import pytest

from firmware.phone.texts import CALL_STATUSES, LINE_CAUSES, call_text, notice
from firmware.sip.causes import cause_of
from firmware.sip.names import FailureCause
from firmware.sip.status import Status
from firmware.ui.text import Texts

FAILURES = [status for status in Status if status >= 300]
TEXTS = Texts.load()


def sentence(said):
    return TEXTS.say(said.text, **dict(said.args))


@pytest.mark.parametrize("status", FAILURES, ids=lambda status: str(int(status)))
def test_every_status_has_its_sentence(status):
    cause = cause_of(status)
    about = {"status": int(status), "phrase": status.phrase}
    call = sentence(notice(call_text(cause, status), who="Ann", line="101", **about))
    line = sentence(notice(LINE_CAUSES[cause], line="101", position=1, where="pbx", **about))
    for text in (call, line):
        assert text
        assert "{" not in text
    if cause is FailureCause.OTHER:
        assert status in CALL_STATUSES, "a sentence of its own"


@pytest.mark.parametrize("status", [399, 499, 599, 699])
def test_so_has_one_that_nobody_registered(status):
    """RFC 3261 §8.1.3.2."""
    text = sentence(
        notice(
            call_text(cause_of(status), status), who="Ann", line="1", status=status, phrase="New"
        )
    )
    assert text
    assert "{" not in text
    by_class = {3: "Ann has moved", 4: "Ann refused", 5: "The server", 6: "No phone of Ann"}
    assert text.startswith(by_class[status // 100])


def test_who_takes_no_anonymous_calls():
    """RFC 5079 §5."""
    assert cause_of(Status.ANONYMITY_DISALLOWED) is FailureCause.ANONYMITY
