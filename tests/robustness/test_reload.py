"""The file is edited while the phone runs: what it says is in force, the rest is not disturbed."""

import http.client
import re
import signal
import urllib.request

import pytest

from firmware.control import schema as s
from firmware.control.errors import RefusalKind, RefusedError
from firmware.sip.notifications import CallEnded
from tests.support.far_end import media_port
from tests.support.phone import line
from tests.support.waiting import wait_for


def edit(phone, *changes, extra=""):
    """Replace text in the configuration; each old text must be there."""
    text = phone.config.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    phone.config.write_text(text + extra)


def reload(phone):
    return phone.ask(s.Reload(), s.ReloadReply)


def contacts(far_end):
    """(Contact user, whether it was a goodbye) of every REGISTER so far."""
    return [
        (each.contact.partition("@")[0], each.expires == "0")
        for each in list(far_end.registrations)
    ]


def page_of(phone):
    """The newest address of the page in the log."""
    return (re.findall(r"^http://\S+", phone.log(), re.MULTILINE) or [""])[-1]


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own page
            return answer.status == 200
    except (OSError, http.client.HTTPException):  # refused, reset, or half an answer
        return False


def test_only_the_lines_that_changed_register_anew(phone, far_end):
    alone, first = phone.config.read_text(), contacts(far_end)
    second = line("102", f"{far_end.address}:5060")

    edit(phone, ("[board]", second + "[board]"))
    assert reload(phone).applied == (f"line[102@{far_end.address}:5060]",)
    far_end.wait_registered(2)
    phone.wait_registered()
    (_, (other, _)) = contacts(far_end)
    assert other != first[0][0]

    edit(phone, ('user = "102"\n', 'user = "102"\nnumbers = ["55*"]\n'))
    assert reload(phone).applied == (f"line[102@{far_end.address}:5060].numbers",)
    assert len(phone.status().lines) == 2

    edit(phone, ('"s102"', '"another"'))
    reload(phone)
    far_end.wait_registered(4)
    assert contacts(far_end)[2:] == [(other, True), (other, False)]

    phone.config.write_text(alone)
    reload(phone)
    far_end.wait_registered(5)
    assert contacts(far_end)[4] == (other, True)
    assert [each.name for each in phone.status().lines] == [f"101@{far_end.address}:5060"]
    assert phone.status().lines[0].registered


def test_the_next_call_is_encrypted_if_the_line_now_says_so(phone, far_end):
    edit(phone, ('user = "101"\n', 'user = "101"\nsrtp = "require"\n'))

    reply = reload(phone)

    assert any("who listens can be kept out" in note for note in reply.notes)
    assert len(contacts(far_end)) == 1, "the registration has nothing to do with it"
    phone.ask(s.Dial(target="204"))
    offer = far_end.wait_call().offer
    assert b" UDP/TLS/RTP/SAVP " in offer
    assert b"a=setup:actpass" in offer


def test_the_next_call_has_the_new_ports_and_codecs(phone, far_end):
    edit(
        phone,
        ("[network]\n", "[network]\nrtp_ports = [46000, 46003]\n"),
        ('codecs = ["pcmu"]', 'codecs = ["pcma", "pcmu"]'),
    )
    assert set(reload(phone).applied) == {"network.rtp_ports", "audio.codecs"}

    phone.ask(s.Dial(target="204"))

    offer = far_end.wait_call().offer
    assert media_port(offer) in (46000, 46002)
    assert re.search(rb"RTP/AVP 8 0 ", offer)


def test_a_caller_too_many_hears_busy_by_the_new_number(phone, far_end):
    edit(phone, ("max_calls = 8", "max_calls = 1"))
    reload(phone)
    contact = far_end.registrations[0].contact

    first = far_end.call(contact)
    phone.wait_state("ringing")
    second = far_end.call(contact)

    ended = far_end.wait_ended()
    assert (ended.call, ended.status) == (second, 486)
    assert first not in {each.call for each in far_end.of(CallEnded)}


def test_another_country_has_other_emergency_numbers(phone, far_end):
    del far_end
    edit(phone, ("max_calls", 'country = "GB"\nmax_calls'))
    assert reload(phone).applied == ("phone.country",)

    phone.ask(s.Dial(target="999"))

    phone.wait_state("talking")
    with pytest.raises(RefusedError, match="cannot be held"):
        phone.ask(s.Hold())


def test_volume_clock_and_page_follow_the_file(phone):
    before = phone.ask(s.Screen(), s.ScreenReply).text

    edit(
        phone,
        ("enabled = false", "enabled = true"),
        ("port = 8080", "port = 0"),
        extra='[time]\nzone = "Etc/GMT-5"\n',
    )
    edit(phone, extra="[audio.speaker]\nvolume = 33\n[audio.handset]\nvolume = 44\n")
    reply = reload(phone)

    assert set(reply.applied) == {
        *("web.enabled", "web.port", "time.zone"),
        *("audio.speaker.volume", "audio.handset.volume"),
    }
    volumes = phone.status().volumes
    assert (volumes["speaker"], volumes["handset"]) == (33, 44)
    wait_for("another time", lambda: phone.ask(s.Screen(), s.ScreenReply).text != before)
    first = wait_for("the page", lambda: page_of(phone))
    wait_for("the page to answer", lambda: answers(first))

    edit(phone, ("port = 0", 'port = 0\nlisten = "127.0.0.5"'))
    reload(phone)
    second = wait_for("another page", lambda: page_of(phone) != first and page_of(phone))
    assert second.startswith("http://127.0.0.5:")
    assert second.partition("?")[2] == first.partition("?")[2], "the same token"
    wait_for("the page at its new place", lambda: answers(second) and not answers(first))

    edit(phone, ("enabled = true", "enabled = false"))
    reload(phone)
    wait_for("the end of the page", lambda: not answers(second))


def test_a_card_waits_until_no_call_is_up(phone, far_end):
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    other = phone.heard.with_name("other.wav")
    edit(phone, (str(phone.heard), str(other)))

    assert reload(phone).waiting == ("audio.record",)
    assert not other.exists()

    phone.ask(s.HangUp())
    far_end.wait_ended()
    wait_for("the new recording", other.exists)

    edit(phone, (str(other), str(phone.heard)))
    assert reload(phone).applied == ("audio.record",), "no call is up: at once"


def test_what_needs_a_restart_is_named_and_left_as_it_is(phone, far_end):
    edit(phone, ("sip_port = 5060", "sip_port = 5071"), ('name = "mock"', 'name = "rotary"'))

    assert set(reload(phone).restart) == {"network.sip_port", "board.name"}

    far_end.call(far_end.registrations[0].contact)
    phone.wait_state("ringing")


def test_a_board_that_cannot_be_is_refused_before_the_next_start_fails_on_it(phone, far_end):
    board = ('name = "mock"', 'name = "rotary"\n[board.hook]\npin = 99')
    edit(phone, ("max_calls = 8", "max_calls = 3"), board)

    with pytest.raises(RefusedError, match=r":\d+: board\.hook\.pin: .*99") as refused:
        reload(phone)

    assert refused.value.kind is RefusalKind.CONFIG
    wait_for("what the screen says", lambda: "fault" in phone.status().reason)
    assert phone.status().lines[0].registered


FAULTS = ("max_calls = 8", "max_calls = 800\ncontry = 1"), ('name = "mock"', "name = 7")


def test_a_faulty_file_changes_nothing_and_every_fault_is_listed(phone, far_end):
    edit(phone, *FAULTS, ('user = "101"', 'user = "109"'))

    with pytest.raises(RefusedError) as refused:
        reload(phone)

    assert refused.value.kind is RefusalKind.CONFIG
    said = str(refused.value).splitlines()
    assert [row.partition(": ")[2].partition(":")[0] for row in said] == [
        "board.name",
        "phone.max_calls",
        "phone.contry",
    ]
    assert all(row.startswith(f"{phone.config}:") for row in said)
    assert phone.status().lines[0].registered
    assert len(far_end.registrations) == 1


def test_sighup_does_the_same(phone, far_end):
    good = phone.config.read_text()
    edit(phone, *FAULTS)
    phone.process.send_signal(signal.SIGHUP)
    wait_for("the faults in the log", lambda: "phone.contry: there is no such key" in phone.log())
    assert "board.name: 7 is a number" in phone.log()

    phone.config.write_text(good)
    edit(phone, ("[network]\n", "[network]\nrtp_ports = [46010, 46011]\n"))
    phone.process.send_signal(signal.SIGHUP)
    wait_for("the reload in the log", lambda: "in force: network.rtp_ports" in phone.log())

    phone.ask(s.Dial(target="204"))
    assert media_port(far_end.wait_call().offer) == 46010
