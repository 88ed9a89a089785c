"""The SIP messages of a call, or of a registration, can be looked at whatever became of it."""

from firmware.control import schema as s
from tests.support.phone import line


def ladder(phone, name=None):
    return phone.ask(s.Ladder(call=name), s.LadderReply).rows


def said(rows):
    return [row.split("|")[1].strip("<-> ") for row in rows if row.count("|") > 1]


def test_a_call_that_nobody_answered_has_its_ladder(phone, far_end):
    call = far_end.call(far_end.registrations[0].contact)
    (ringing,) = phone.wait_state("ringing").calls
    far_end.hang_up(call)
    phone.wait("the caller to give up", lambda status: not status.calls)

    rows = ladder(phone, ringing.id)

    steps = said(rows)
    assert steps[0] == "INVITE"
    assert {"180 Ringing (INVITE)", "CANCEL", "487 Request Terminated (INVITE)"} <= set(steps)
    assert any("PCMU" in row and far_end.address in row for row in rows)
    assert rows[-1].startswith("given up by the caller before it was answered")
    assert ladder(phone) == rows


def test_a_call_that_was_talked_says_who_ended_it(phone, far_end):
    phone.ask(s.Dial(target="102"))
    phone.wait_state("talking")
    phone.ask(s.HangUp())
    phone.wait("the end", lambda status: not status.calls)

    rows = ladder(phone)

    assert rows[-1].startswith("ended by this phone")
    assert [step for step in said(rows) if step in ("INVITE", "ACK", "BYE")] == [
        "INVITE", "ACK", "BYE",
    ]  # fmt: skip


def test_a_registration_has_its_ladder_by_the_name_of_its_line(start_phone, far_end, ground):
    nobody = ground.address()
    phone = start_phone(line("101", far_end.server), line("102", nobody, name="second"))
    far_end.wait_registered()
    phone.wait("the first line", lambda status: status.lines[0].registered)

    rows = ladder(phone, phone.status().lines[0].name)

    # A far end that takes half a second is asked again.
    steps = [step for step in said(rows) if step != "REGISTER ×2"]
    assert steps == ["REGISTER", "200 OK (REGISTER)"]
    assert rows[-1] == f"registered at {far_end.server}"


def test_a_registration_that_nobody_answers_says_so(start_phone, ground):
    nobody = ground.socket(ground.address())
    host, port = nobody.getsockname()[:2]
    phone = start_phone(line("101", f"{host}:{port}", name="lost"))
    nobody.recv(4096)
    nobody.recv(4096)

    rows = ladder(phone, "lost")

    assert said(rows)[:2] == ["REGISTER", "REGISTER ×2"]
    assert rows[-1].startswith(f"no answer from {host}:{port} to ")
