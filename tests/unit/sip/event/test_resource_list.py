"""Lists of resources (RFC 4662), with dialogs as what is watched."""

import pytest

from firmware.sip.event.dialog_info import PACKAGE, DialogInfo, Phase
from firmware.sip.event.package import BodyError, GapError
from firmware.sip.event.resource_list import Instance, ResourceList, as_list

KIND = 'multipart/related;type="application/rlmi+xml";start="<root@x>";boundary="b1"'
DIALOGS = "application/dialog-info+xml"


def part(mark, kind, body):
    head = f"--b1\r\nContent-ID: <{mark}>\r\nContent-Type: {kind}\r\n\r\n".encode()
    return head + body + b"\r\n"


def rlmi(*resources, version=1, full="true"):
    head = f'<list uri="sip:all@x" version="{version}" fullState="{full}"><name>All</name>'
    return part("root@x", "application/rlmi+xml", (head + "".join(resources) + "</list>").encode())


def resource(name, *instances):
    inside = "".join(instances)
    return f'<resource uri="sip:{name}@x"><name>{name}</name>{inside}</resource>'


def instance(mark, cid="", state="active", reason=""):
    return f'<instance id="{mark}" state="{state}" cid="{cid}" reason="{reason}"/>'


def dialogs(mark, phase, version=0, state="full"):
    body = (
        f'<dialog-info version="{version}" state="{state}" entity="sip:a@x">'
        f'<dialog id="d"><state>{phase}</state></dialog></dialog-info>'
    )
    return part(mark, DIALOGS, body.encode())


def body(*parts):
    return b"preamble\r\n" + b"".join(parts) + b"--b1--\r\n"


@pytest.fixture
def reader():
    return as_list(PACKAGE).reader()


def test_a_list_asks_for_both_kinds_of_body():
    """RFC 4662 §4.1, RFC 4662 §4.3."""
    assert as_list(PACKAGE).accept == (DIALOGS, "application/rlmi+xml", "multipart/related")


def test_the_state_of_each_member_is_read_by_its_package(reader):
    """RFC 4662 §5.5, RFC 4662 §5.6.1."""
    found = reader.read(
        KIND,
        body(
            rlmi(
                resource("ann", instance("1", "a@x")),
                resource("bob", instance("1", "", "terminated", "rejected")),
                resource("cy"),
            ),
            dialogs("a@x", "early"),
        ),
    )
    assert isinstance(found, ResourceList)
    ann, bob, cy = found.resources
    assert (found.uri, found.name, ann.name) == ("sip:all@x", "All", "ann")
    assert ann.instances[0].document.dialogs[0].phase is Phase.EARLY
    assert bob.instances == (Instance("1", "terminated", "rejected"),)
    assert cy.instances == ()


def test_a_partial_list_changes_one_row_and_its_partial_documents_go_on(reader):
    """RFC 4662 §5.6.2."""
    both = rlmi(resource("ann", instance("1", "a@x")), resource("bob", instance("1", "b@x")))
    reader.read(KIND, body(both, dialogs("a@x", "early"), dialogs("b@x", "early")))
    change = rlmi(resource("ann", instance("1", "c@x")), version=2, full="false")
    found = reader.read(KIND, body(change, dialogs("c@x", "confirmed", 1, "partial")))
    phases = [each.instances[0].document.dialogs[0].phase for each in found.resources]
    assert phases == [Phase.CONFIRMED, Phase.EARLY]
    # What is named without a part is as it was.
    quiet = rlmi(resource("ann", instance("1")), version=3, full="0")
    found = reader.read(KIND, body(quiet))
    assert found.resources[0].instances[0].document.dialogs[0].phase is Phase.CONFIRMED


def test_a_full_list_forgets_who_is_not_in_it(reader):
    """RFC 4662 §5.6.1."""
    reader.read(KIND, body(rlmi(resource("ann"), resource("bob"))))
    found = reader.read(KIND, body(rlmi(resource("bob"), version=2)))
    assert [each.name for each in found.resources] == ["bob"]


def test_gaps_and_old_lists(reader):
    """RFC 4662 §5.6.2."""
    reader.read(KIND, body(rlmi(resource("ann"))))
    with pytest.raises(GapError) as gap:
        reader.read(KIND, body(rlmi(resource("bob"), version=5, full="false")))
    assert len(gap.value.document.resources) == 2
    old = reader.read(KIND, body(rlmi(resource("cy"), version=4, full="false")))
    assert len(old.resources) == 2


def test_the_root_need_not_come_first(reader):
    """RFC 2387 §3.2: the start parameter names it."""
    found = reader.read(KIND, body(dialogs("a@x", "early"), rlmi(resource("ann"))))
    assert [each.name for each in found.resources] == ["ann"]


def test_a_list_in_a_list(reader):
    """RFC 4662 §6: the back-end's list is a part of ours."""
    inner_kind = 'multipart/related;start="<r@y>";boundary="b2"'
    inner = body(rlmi(resource("dee"))).replace(b"--b1", b"--b2").replace(b"root@x", b"r@y")
    outer = rlmi(resource("team", instance("1", "t@x")))
    found = reader.read(KIND, body(outer, part("t@x", inner_kind, inner)))
    assert found.resources[0].instances[0].document.resources[0].name == "dee"


def test_a_uri_that_is_no_list_is_notified_as_ever(reader):
    """RFC 4662 §4.1."""
    plain = b'<dialog-info version="0" state="full" entity="sip:a@x"/>'
    assert reader.read(DIALOGS, plain) == DialogInfo("sip:a@x", ())


@pytest.mark.parametrize("name", ["rfc4662-1", "rfc4662-3", "rfc4662-5"])
def test_every_list_the_rfc_prints_is_read(reader, printed, name):
    """RFC 4662 §5.4, RFC 4662 §6."""
    found = reader.read(KIND, body(part("root@x", "application/rlmi+xml", printed(name))))
    assert found.resources


def test_the_partial_list_the_rfc_prints(reader, printed):
    """RFC 4662 §6: fullState is false, so the whole is wanted first."""
    with pytest.raises(GapError):
        reader.read(KIND, body(part("root@x", "application/rlmi+xml", printed("rfc4662-4"))))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (KIND, b""),
        ("multipart/related", body(rlmi())),
        (KIND, body(dialogs("a@x", "early"))),
        (KIND, body(rlmi(version="x"))),
        (KIND, body(rlmi(*[resource(str(n)) for n in range(300)]))),
        (KIND, body(rlmi(), *[dialogs(f"{n}@x", "early") for n in range(400)])),
        (KIND, body(rlmi(resource("a", instance("1", "a@x"))), part("a@x", DIALOGS, b"<x/>"))),
        (KIND, body(part("root@x", "application/rlmi+xml", b"<list"))),
        (KIND, body(rlmi()) + b" " * 300_000),
    ],
)
def test_a15_what_is_none_or_too_much_is_refused(reader, kind, text):
    with pytest.raises(BodyError):
        reader.read(kind, text)


def test_what_the_rfc_printed_badly_is_refused(reader, printed):
    with pytest.raises(BodyError):
        reader.read(KIND, body(part("root@x", "application/rlmi+xml", printed("rfc4662-2"))))


def test_a15_a_part_that_many_point_to_is_read_for_one(reader):
    """RFC 4662 §5.5: each instance has a part of its own."""
    many = [resource(f"r{number}", instance("1", "a@x")) for number in range(100)]
    found = reader.read(KIND, body(rlmi(*many), dialogs("a@x", "confirmed")))
    assert len(found.resources) == 100
    assert [each.uri for each in found.resources if each.instances[0].document] == ["sip:r0@x"]


def test_a15_the_parts_together_are_bounded_as_one_document_is(reader):
    dense = b"<dialog-info version='1'>" + b"<a/>" * 1400 + b"</dialog-info>"
    parts = [part(f"p{number}", DIALOGS, dense) for number in range(2)]
    rows = [resource(f"r{number}", instance("1", f"p{number}")) for number in range(2)]
    assert reader.read(KIND, body(rlmi(*rows), parts[0])).resources
    with pytest.raises(BodyError, match="too long"):
        reader.read(KIND, body(rlmi(*rows), *parts))
