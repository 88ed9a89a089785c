"""reg: what a registrar says it knows (RFC 3680)."""

import pytest

from firmware.sip.event.package import BodyError, GapError
from firmware.sip.event.reg import RegisteredContact, RegReader


def test_the_example_the_rfc_prints(printed):
    """RFC 3680 §5.3."""
    (address,) = RegReader().read("", printed("rfc3680-1")).addresses
    assert (address.aor, address.state) == ("sip:user@example.com", "active")
    assert address.contacts == (
        RegisteredContact("76", "sip:user@pc887.example.com", active=True, event="registered"),
        RegisteredContact("77", "sip:user@university.edu", active=False, event="expired"),
    )


def test_the_flow_the_rfc_prints(printed):
    """RFC 3680 §6: version 0 is full and empty, version 1 partial with a contact."""
    reader = RegReader()
    assert reader.read("", printed("rfc3680-2")).addresses[0].contacts == ()
    (contact,) = reader.read("", printed("rfc3680-3")).addresses[0].contacts
    assert contact.uri == "sip:joe@pc34.example.com"


def change(version, contact, state="partial"):
    return (
        f'<reginfo version="{version}" state="{state}"><registration id="a" aor="sip:a@x" '
        f'state="active">{contact}</registration></reginfo>'
    ).encode()


def contact(mark, state="active", **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<contact id="{mark}" state="{state}"{more}><uri>sip:{mark}@h</uri></contact>'


def test_what_ended_is_told_once_and_then_forgotten():
    """RFC 3680 §5.2; the events are those of RFC 3680 §4.7.1."""
    reader = RegReader()
    reader.read("", change(0, contact("1") + contact("2"), "full"))
    ended = contact("1", "terminated", event="probation", retry_after=60)
    found = reader.read("", change(1, ended)).addresses[0].contacts
    assert [(each.id, each.active, each.retry_after) for each in found] == [
        ("1", False, 60),
        ("2", True, None),
    ]
    shorter = contact("2", event="shortened", expires="30")
    (left,) = reader.read("", change(2, shorter)).addresses[0].contacts
    assert (left.id, left.event, left.expires) == ("2", "shortened", 30)


def test_a_gap_is_used_and_said():
    """RFC 3680 §5.2."""
    reader = RegReader()
    reader.read("", change(0, contact("1"), "full"))
    with pytest.raises(GapError) as gap:
        reader.read("", change(5, contact("2")))
    assert len(gap.value.document.addresses[0].contacts) == 2
    old = reader.read("", change(4, contact("3")))
    assert len(old.addresses[0].contacts) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"<reginfo version='0'><registration/></reginfo>",
        b"<reginfo version='0'><registration id='a'><contact/></registration></reginfo>",
        b"<reginfo version='many'/>",
        b"<reg/>",
    ],
)
def test_what_is_none_is_refused(body):
    with pytest.raises(BodyError):
        RegReader().read("", body)


def test_a15_a_table_that_only_grows_is_bounded():
    reader = RegReader()
    held = 0
    for version in range(40):
        crowd = "".join(
            f'<registration id="{version % 20 * 10 + number}" aor="sip:a@x" state="active">'
            + "".join(contact(f"{each}") for each in range(30 + version))
            + "</registration>"
            for number in range(10)
        )
        state = "partial" if version else "full"
        body = f'<reginfo version="{version}" state="{state}">{crowd}</reginfo>'.encode()
        held = sum(len(each.contacts) for each in reader.read("", body).addresses)
        assert held <= 500
    assert held == 500
