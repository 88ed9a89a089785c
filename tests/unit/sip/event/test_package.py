"""Event and Subscription-State (RFC 6665 §8.2), media types and their parameters."""

import pytest

from firmware.sip.errors import ParseError
from firmware.sip.event.package import (
    Event,
    Reason,
    Standing,
    SubscriptionState,
    kind_of,
    parameter,
    parse_event,
    parse_subscription_state,
)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("dialog", Event("dialog")),
        (" presence.winfo ; id=7", Event("presence.winfo", "7")),
        ('dialog;call-id="a b";id=x', Event("dialog", "x", (("call-id", '"a b"'),))),
        ("dialog;sla", Event("dialog", None, (("sla", None),))),
    ],
)
def test_an_event_is_read(text, event):
    """RFC 6665 §8.2.1."""
    assert parse_event(text) == event
    assert parse_event(str(event)) == event


@pytest.mark.parametrize("text", ["", ";", "a b", "a;;", 'a;b="', "a;" + "b;" * 200])
def test_what_is_no_event_is_an_error(text):
    with pytest.raises(ParseError):
        parse_event(text)


def test_events_are_the_same_by_package_and_id_letter_by_letter():
    """RFC 6665 §8.2.1: other parameters do not count, and case does."""
    assert parse_event("dialog;id=1;x=y").same(Event("dialog", "1"))
    assert not Event("dialog").same(Event("Dialog"))
    assert not Event("dialog", "a").same(Event("dialog", "A"))
    assert not Event("dialog").same(Event("dialog", "1"))
    assert parse_event('x;max-rate="2"').param("max-rate") == "2"
    assert Event("x").param("max-rate") is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("active;expires=60", SubscriptionState(Standing.ACTIVE, 60)),
        ("Pending ; expires = 5", SubscriptionState(Standing.PENDING, 5)),
        ("active;reason=timeout;retry-after=3", SubscriptionState(Standing.ACTIVE)),
        (
            "terminated;reason=giveup;retry-after=9;expires=4",
            SubscriptionState(Standing.TERMINATED, None, Reason.GIVEUP, 9),
        ),
        ("terminated;reason=boredom", SubscriptionState(Standing.TERMINATED)),
        ("terminated;retry-after=soon", SubscriptionState(Standing.TERMINATED)),
        ("waiting;expires=60", SubscriptionState(Standing.ACTIVE, 60)),
        ("active;expires", SubscriptionState(Standing.ACTIVE)),
    ],
)
def test_a_subscription_state_is_read(text, state):
    """RFC 6665 §4.1.3: what has no semantics in a state is not there."""
    assert parse_subscription_state(text) == state
    assert parse_subscription_state(str(state)) == state


@pytest.mark.parametrize("text", ["", "@", ";expires=1", "active;;"])
def test_what_is_no_state_is_an_error(text):
    with pytest.raises(ParseError):
        parse_subscription_state(text)


def test_media_types_and_parameters():
    assert kind_of("Text/Plain ; charset=x") == "text/plain"
    assert parameter('multipart/related; Boundary="a b"', "boundary") == "a b"
    assert parameter("multipart/related", "boundary") == ""
    assert parameter('multipart/related; boundary="', "boundary") == ""
