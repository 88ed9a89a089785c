"""message-summary bodies (RFC 3842)."""

import pytest

from firmware.sip.event.message_summary import Counts, MessageSummary, SummaryReader, read_summary
from firmware.sip.event.package import BodyError


def test_the_body_the_rfc_prints():
    """RFC 3842 §3.5, RFC 3842 §5.2."""
    body = (
        b"Messages-Waiting: yes\r\n"
        b"Message-Account: sip:alice@vmail.example.com\r\n"
        b"Voice-Message: 2/8 (0/2)\r\n"
        b"Fax-Message: 2/4\r\n"
        b"\r\n"
        b"To: <alice@atlanta.example.com>\r\n"
        b"Subject: carpool tomorrow?\r\n"
    )
    found = SummaryReader().read("application/simple-message-summary", body)
    assert found == MessageSummary(
        waiting=True,
        account="sip:alice@vmail.example.com",
        voice=Counts(2, 8, 0, 2),
        kinds=(("voice-message", Counts(2, 8, 0, 2)), ("fax-message", Counts(2, 4))),
    )


@pytest.mark.parametrize(
    ("body", "waiting", "voice"),
    [
        (b"Messages-Waiting: no", False, None),
        (b"messages-waiting:YES\n", True, None),
        (b"Messages-Waiting : yes \nVoicemail: 3/0\n", True, None),
        (b"Messages-Waiting: no\nVoice-Message: 0/5", False, Counts(0, 5)),
        (b"Messages-Waiting: yes\r\nVoice-Message: 1 / 2 ( 0 / 0 )", True, Counts(1, 2)),
        (b"Messages-Waiting: yes\r\nVoice-Message: lots", True, None),
        (b"Voice-Message: 4/0\r\nMessages-Waiting: yes", True, Counts(4, 0)),
    ],
)
def test_what_servers_make_of_it(body, waiting, voice):
    found = read_summary(body)
    assert (found.waiting, found.voice) == (waiting, voice)


def test_counters_end_at_32_bits():
    """RFC 3842 §3.5: a larger value is treated as 2^32-1."""
    found = read_summary(b"Messages-Waiting: yes\r\nVoice-Message: 4294967296/99999999999")
    assert found.voice == Counts(2**32 - 1, 2**32 - 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"Messages-Waiting: maybe",
        b"Voice-Message: 1/2",
        b"Messages-Waiting: yes" * 2000,
    ],
)
def test_what_does_not_say_whether_messages_wait_is_refused(body):
    with pytest.raises(BodyError):
        read_summary(body)


def test_a_number_to_dial_has_no_controls_in_it():
    assert read_summary(b"Messages-Waiting: no\nMessage-Account: a\x07b").account == "ab"
