"""How a caller wants to be announced and answered."""

import pytest

from firmware.sip.facts import AnswerWish, RingKind
from firmware.sip.identity.alerting import Answering, answering, icon, ring_kind
from firmware.sip.message import Headers

AUTO = Answering(AnswerWish.AUTO)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("<urn:alert:source:internal>", RingKind.INTERNAL),
        ("<urn:alert:source:EXTERNAL>", RingKind.EXTERNAL),
        ("<urn:alert:source:internal:hall@example>", RingKind.INTERNAL),
        ("<urn:alert:priority:high>", RingKind.PRIORITY),
        ("<urn:alert:duration:short>", RingKind.SHORT),
        ("<urn:alert:locale:country:za>, <urn:alert:source:external>", RingKind.EXTERNAL),
        ("<urn:alert:source:internal>, <urn:alert:priority:high>", RingKind.INTERNAL),
        ("<urn:alert:service:normal>", RingKind.USUAL),
        ("<urn:alert>", RingKind.USUAL),
        ("<urn:other:source:internal>", RingKind.USUAL),
        ("<http://127.0.0.1/Bellcore-dr3>", RingKind.PRIORITY),
        ("<http://pbx.internal/ring.wav>", RingKind.USUAL),
        ("<http://127.0.0.1/>;info=alert-external", RingKind.EXTERNAL),
        ("<http://127.0.0.1/>;info=ring-splash", RingKind.SHORT),
        ("<http://127.0.0.1/>;info=silent", RingKind.NONE),
        ("<<", RingKind.USUAL),
        ("", RingKind.USUAL),
    ],
)
def test_the_first_word_that_we_know_says_how_to_ring(row, kind):
    """RFC 7462 §8.2, RFC 7462 §12.1: the order of the URNs is their weight.

    RFC 7462 §7: what is added after it is cut off.
    """
    assert ring_kind(Headers([("Alert-Info", row)])) is kind


@pytest.mark.parametrize(
    ("priority", "kind"),
    [
        ("emergency", RingKind.PRIORITY),
        ("Urgent", RingKind.PRIORITY),
        ("normal", RingKind.USUAL),
        ("non-urgent", RingKind.USUAL),
    ],
)
def test_an_urgent_call_rings_so(priority, kind):
    """RFC 3261 §20.26."""
    assert ring_kind(Headers([("Priority", priority)])) is kind


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Answer-Mode", "Auto", AUTO),
        ("Answer-Mode", "auto ; require", Answering(AnswerWish.AUTO, required=True)),
        ("Answer-Mode", "Manual", Answering(AnswerWish.MANUAL)),
        ("Answer-Mode", "Loud", Answering()),
        ("Priv-Answer-Mode", "Auto", Answering(AnswerWish.PRIVILEGED)),
        ("Call-Info", "<sip:pbx>;answer-after=0", AUTO),
        ("Call-Info", "<sip:pbx>; Answer-After = 5", Answering(AnswerWish.AUTO, after=5.0)),
        ("Call-Info", "<sip:pbx>;answer-after=999999", Answering(AnswerWish.AUTO, after=60.0)),
        ("Call-Info", "<sip:pbx>;answer-after=1.2.3", AUTO),
        ("Alert-Info", "info=alert-autoanswer", AUTO),
        ("Alert-Info", "<http://x>;info=intercom", AUTO),
        ("Alert-Info", '<http://x>;info="Auto Answer"', AUTO),
        ("Alert-Info", "<http://automatic.example/ring.wav>", Answering()),
        ("Call-Info", "<http://x/y.png>;purpose=icon", Answering()),
    ],
)
def test_a20_what_a_caller_writes_to_be_answered_at_once(name, value, expected):
    """RFC 5373 §4.3.3, RFC 5373 §4.5.1, and what PBXs wrote before it."""
    assert answering(Headers([(name, value)])) == expected


def test_the_privileged_mode_counts_first():
    """RFC 5373 §4.1."""
    rows = [("Answer-Mode", "Manual"), ("Priv-Answer-Mode", "Auto")]
    assert answering(Headers(rows)).wish is AnswerWish.PRIVILEGED


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("<https://pbx.example/bob.png>;purpose=icon", "https://pbx.example/bob.png"),
        ("<http://pbx.example/bob.png>;purpose=icon", ""),
        ("<file:///etc/passwd>;purpose=icon", ""),
        ("<https://pbx.example/>;purpose=info", ""),
        ("<<", ""),
    ],
)
def test_only_a_picture_by_https_is_named(row, found):
    """RFC 3261 §20.9."""
    assert icon(Headers([("Call-Info", row)])) == found
