"""conference: full documents, and changes to their parts (RFC 4575)."""

import time

import pytest

from firmware.sip.event.conference import ConferenceMedia, ConferenceReader
from firmware.sip.event.package import BodyError, GapError


def test_the_example_the_rfc_prints(printed):
    """RFC 4575 §7.1; RFC 4575 §5.7.3: the status of an endpoint."""
    found = ConferenceReader().read("", printed("rfc4575-1"))
    assert found.entity == "sips:conf233@example.com"
    assert found.subject == "Agenda: This month's goals"
    assert found.user_count == 33
    bob, alice = found.users
    assert (bob.entity, bob.name) == ("sip:bob@example.com", "Bob Hoskins")
    assert bob.endpoints[0].name == "Bob's Laptop"
    assert bob.endpoints[0].status == "disconnected"
    assert alice.endpoints[0].media == (ConferenceMedia("1", "audio", "sendrecv"),)


def test_a_partial_document_without_the_whole_asks_for_it(printed):
    """RFC 4575 §4.6, RFC 4575 §7.2."""
    with pytest.raises(GapError):
        ConferenceReader().read("", printed("rfc4575-2"))


def document(inside="", version=1, state="full"):
    return (
        f'<conference-info entity="sip:c@x" version="{version}" state="{state}">{inside}'
        "</conference-info>"
    ).encode()


def user(name, inside="", state="full"):
    return (
        f'<user entity="sip:{name}@x" state="{state}">'
        f"<display-text>{name}</display-text>{inside}</user>"
    )


def users(*inside, state="full"):
    return f'<users state="{state}">{"".join(inside)}</users>'


ENDPOINT = '<endpoint entity="sip:{0}@h" state="{1}"><status>{2}</status>{3}</endpoint>'
MEDIA = '<media id="{0}"><type>audio</type><status>{1}</status></media>'


@pytest.fixture
def reader():
    """A conference of Ann and Bob."""
    reader = ConferenceReader()
    ann = user("ann", ENDPOINT.format("ann", "full", "connected", MEDIA.format(1, "sendrecv")))
    inside = "<conference-state><user-count>2</user-count></conference-state>" + users(
        ann, user("bob")
    )
    reader.read("", document(inside))
    return reader


def change(reader, inside, version=2):
    return reader.read("", document(inside, version, "partial"))


def names(found):
    return [each.name for each in found.users]


def test_somebody_joins_and_somebody_leaves(reader):
    """RFC 4575 §4.6: a new key is a new row, deleted removes it."""
    assert names(change(reader, users(user("cy"), state="partial"))) == ["ann", "bob", "cy"]
    gone = '<user entity="sip:bob@x" state="deleted"/>'
    assert names(change(reader, users(gone, state="partial"), 3)) == ["ann", "cy"]


def test_a_part_of_a_user_changes(reader):
    """RFC 4575 §4.6: step 3 downwards, by the keys of RFC 4575 §4.5."""
    held = ENDPOINT.format("ann", "partial", "on-hold", MEDIA.format(1, "inactive"))
    found = change(reader, users(user("ann", held, "partial"), state="partial"))
    endpoint = found.users[0].endpoints[0]
    assert endpoint.status == "on-hold"
    assert endpoint.media == (ConferenceMedia("1", "audio", "inactive"),)
    second = ENDPOINT.format("ann2", "full", "connected", "")
    found = change(reader, users(user("ann", second, "partial"), state="partial"), 3)
    assert len(found.users[0].endpoints) == 2


def test_atomic_parts_are_replaced_whole(reader):
    """RFC 4575 §4.6, step 3.2."""
    found = change(reader, "<conference-state><locked>true</locked></conference-state>")
    assert (found.user_count, found.locked) == (None, True)
    assert names(change(reader, users(user("dee")), 3)) == ["dee"]


def test_old_documents_and_gaps(reader):
    """RFC 4575 §4.6."""
    change(reader, users(user("cy"), state="partial"))
    assert names(change(reader, users(user("old"), state="partial"), 1)) == ["ann", "bob", "cy"]
    with pytest.raises(GapError) as gap:
        change(reader, users(user("far"), state="partial"), 9)
    assert names(gap.value.document) == ["ann", "bob", "cy"]


def test_a_conference_that_is_no_more(reader):
    """RFC 4575 §4.6: state deleted."""
    assert reader.read("", document(version=2, state="deleted")).over


def test_a15_a_tree_that_only_grows_is_cut(reader):
    def more(version):
        return users(*(user(f"{version}-{n}") for n in range(400)), state="partial")

    for version in range(2, 5):
        change(reader, more(version), version)
    with pytest.raises(GapError):
        change(reader, more(5), 5)


def test_a15_the_same_part_is_changed_once_by_one_document(reader):
    again = users(user("ann", state="partial"), user("ann", state="partial"), state="partial")
    with pytest.raises(BodyError, match="twice"):
        change(reader, again, 2)


def test_p03_a_change_of_everybody_costs_no_more_than_its_length():
    def seconds(count):
        crowd = [f'<user entity="{number}"/>' for number in range(count)]
        best = float("inf")
        for _ in range(3):
            reader = ConferenceReader()
            reader.read("", document(users(*crowd)))
            begin = time.process_time()
            reader.read("", document(users(*crowd, state="partial"), 2, "partial"))
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(1200) < 10 * seconds(300) + 0.0005


def test_what_is_none_is_refused():
    with pytest.raises(BodyError):
        ConferenceReader().read("", b"<conference/>")
