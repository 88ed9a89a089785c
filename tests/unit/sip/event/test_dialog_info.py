"""dialog: documents merged, and ours written (RFC 4235)."""

import pytest

from firmware.sip.event.dialog_info import (
    DialogEntry,
    DialogInfo,
    DialogReader,
    Participant,
    Phase,
    write_dialogs,
)
from firmware.sip.event.package import BodyError, GapError

MEDIA_TYPE = "application/dialog-info+xml"
ALICE = "sip:alice@example.com"


def document(*dialogs, version=0, state="full", entity=ALICE):
    inside = "".join(dialogs)
    attributes = f'version="{version}" state="{state}" entity="{entity}"'
    return f"<dialog-info {attributes}>{inside}</dialog-info>".encode()


def dialog(mark, phase, inside="", **attributes):
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<dialog id="{mark}"{more}><state>{phase}</state>{inside}</dialog>'


def read(*bodies):
    """What is known after these; a gap is passed over."""
    reader, found = DialogReader(), None
    for body in bodies:
        try:
            found = reader.read(MEDIA_TYPE, body)
        except GapError as gap:
            found = gap.document
    return found


def test_the_sample_the_rfc_prints(printed):
    """RFC 4235 §4.2."""
    found = read(printed("rfc4235-4"))
    assert found.dialogs == (
        DialogEntry(
            "123456",
            Phase.CONFIRMED,
            local=Participant(ALICE, "Alice", "sip:alice@pc33.example.com"),
            remote=Participant("sip:bob@example.org", "Bob", "sip:bobster@phone21.example.org"),
        ),
    )


@pytest.mark.parametrize("number", [1, *range(4, 17), *range(18, 23), 2])
def test_every_document_the_rfc_prints_is_read(printed, number):
    """RFC 4235 §6."""
    assert isinstance(read(printed(f"rfc4235-{number}")), DialogInfo)


def test_a_call_rings_and_is_answered_and_ends():
    """RFC 4235 §4.3: partial documents update the rows they name."""
    reader = DialogReader()
    assert reader.read("", document(version=7)) == DialogInfo(ALICE, ())
    who = "<remote><identity display='Bob'>sip:bob@x</identity><target uri='sip:b@h'/></remote>"
    early = dialog("d", "early", who, direction="recipient", call_id="c", local_tag="l")
    found = reader.read("", document(early, version=8, state="partial"))
    (entry,) = found.dialogs
    assert (entry.phase, entry.initiator, entry.call_id) == (Phase.EARLY, False, "c")
    found = reader.read("", document(dialog("d", "confirmed"), version=9, state="partial"))
    # RFC 4235 §4.1.6.1, RFC 4235 §4.1.6.2: who it is need not be said again.
    assert found.dialogs[0].remote == Participant("sip:bob@x", "Bob", "sip:b@h")
    found = reader.read("", document(dialog("e", "trying"), version=10, state="partial"))
    assert [each.id for each in found.dialogs] == ["d", "e"]
    found = reader.read("", document(dialog("d", "terminated"), version=11, state="partial"))
    assert [each.id for each in found.dialogs] == ["e"]


def test_a_full_document_replaces_the_table():
    """RFC 4235 §4.3."""
    found = read(document(dialog("a", "early")), document(dialog("b", "early"), version=1))
    assert [each.id for each in found.dialogs] == ["b"]


def test_an_older_partial_document_is_discarded():
    """RFC 4235 §4.3."""
    found = read(
        document(dialog("a", "early"), version=5),
        document(dialog("a", "terminated"), version=4, state="partial"),
    )
    assert [each.id for each in found.dialogs] == ["a"]


def test_a_gap_is_used_and_said():
    """RFC 4235 §4.3: processed, and a refresh is asked for."""
    reader = DialogReader()
    reader.read("", document(dialog("a", "early"), version=1))
    with pytest.raises(GapError) as gap:
        reader.read("", document(dialog("b", "early"), version=3, state="partial"))
    assert [each.id for each in gap.value.document.dialogs] == ["a", "b"]
    with pytest.raises(GapError):
        DialogReader().read("", document(state="partial"))


def test_a_server_that_begins_at_0_again_is_followed():
    found = read(document(version=9), document(dialog("a", "early"), version=0))
    assert [each.id for each in found.dialogs] == ["a"]


def test_a_held_call_is_seen():
    """RFC 4235 §4.1.6.2: sip.rendering."""
    held = '<local><target uri="sip:a@h"><param pname="+sip.rendering" pval="no"/></target></local>'
    assert read(document(dialog("a", "confirmed", held))).dialogs[0].local.held


def test_how_it_ended_and_who_began():
    """RFC 4235 §4.1.2."""
    body = b'<dialog-info version="0" state="full"><dialog id="a" direction="initiator">'
    body += b'<state event="rejected" code="486">trying</state></dialog></dialog-info>'
    entry = read(body).dialogs[0]
    assert (entry.event, entry.code, entry.initiator) == ("rejected", 486, True)


@pytest.mark.parametrize(
    "body",
    [
        document("<dialog/>"),
        document('<dialog id="a"/>'),
        document(dialog("a", "sleeping")),
        document(version="x"),
        document(version=2**32),
        document(version=-1),
        b"<presence/>",
    ],
)
def test_what_is_none_is_refused(body):
    with pytest.raises(BodyError):
        DialogReader().read(MEDIA_TYPE, body)


def test_the_table_has_an_end():
    many = [document(*(dialog(f"{k}-{n}", "early") for n in range(150)), version=k,
                     state="partial" if k else "full") for k in range(3)]  # fmt: skip
    assert len(read(*many).dialogs) == 200


def test_what_we_write_we_read():
    """RFC 4235 §4.1."""
    entries = (
        DialogEntry(
            "a&b", Phase.CONFIRMED, initiator=True, call_id='c"1', local_tag="l<", remote_tag="r>",
            local=Participant("sip:a@x", 'Alice "A" & <B>', "sip:a@h", held=True),
            remote=Participant("sip:b@x", "", "sip:b@h"),
        ),
        DialogEntry("b", Phase.EARLY, initiator=False),
        DialogEntry("c", Phase.TRYING, None, event="x", code=486),
    )  # fmt: skip
    found = DialogReader().read(MEDIA_TYPE, write_dialogs("sip:a@x?a=b&c", entries, 3))
    assert found == DialogInfo("sip:a@x?a=b&c", entries)


def test_a23_a_line_break_in_an_id_reaches_no_header():
    inside = '<dialog id="1" call-id="a&#10;X: y" local-tag="b"><state>early</state></dialog>'
    found = read(document(inside))
    assert (found.dialogs[0].call_id, found.dialogs[0].local_tag) == ("", "b")
