"""Method names."""

from firmware.sip.methods import ALLOWED, KNOWN


def test_what_is_allowed_is_known():
    assert set(ALLOWED) < KNOWN
    assert len(KNOWN) == 14


def test_what_a_user_agent_must_serve_is_allowed():
    assert {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"} <= set(ALLOWED)
