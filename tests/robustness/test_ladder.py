"""The SIP messages of a call can be looked at whatever became of it."""

from firmware.control import schema as s


def test_a_call_that_nobody_answered_has_its_ladder(phone, far_end):
    call = far_end.call(far_end.registrations[0].contact)
    (ringing,) = phone.wait_state("ringing").calls
    far_end.hang_up(call)
    phone.wait("the caller to give up", lambda status: not status.calls)

    rows = phone.ask(s.Ladder(call=ringing.id), s.LadderReply).rows

    said = [row.split("|")[1].strip("<->") for row in rows[1:]]
    assert said[0] == "INVITE"
    assert {"180 Ringing (INVITE)", "CANCEL", "487 Request Terminated (INVITE)"[:24]} <= set(said)
