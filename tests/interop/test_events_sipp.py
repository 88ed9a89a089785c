"""Subscriptions in both roles, with SIPp as the other side."""

from pathlib import Path

import pytest

from firmware.control import schema as s
from tests.support.ground import Ground
from tests.support.stage import Stage

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]
SCENARIOS = Path(__file__).parent / "sipp/events"


@pytest.fixture
def stage(need, tmp_path):
    need("sipp")
    with Ground() as ground:
        made = Stage(tmp_path, ground, SCENARIOS)
        yield made
        made.close()


def test_the_phone_watches_its_mailbox_and_leaves_it(stage):
    """RFC 3842 §4, RFC 6665 §4.1.2.3."""
    server = stage.actor("phone_watches_its_mailbox")
    phone = stage.phone("bob", mwi=True)
    phone.wait("two messages", lambda status: status.lines[0].new_messages == 2)
    phone.close()
    server.finish()


def test_somebody_watches_the_phone(stage):
    """RFC 4235 §3.7, RFC 6665 §4.2.1.2: the whole first, then what has changed, with versions."""
    phone = stage.phone("bob")
    watcher = stage.actor("phone_is_watched", calls="bob")
    phone.wait("nothing else", lambda status: status.state == "idle")
    nobody = stage.ground.address()
    wait_watched(stage, "version=")
    phone.ask(s.Dial(target=f"sip:nobody@{nobody}:5060"))
    phone.wait_state("calling")
    wait_watched(stage, "trying")
    phone.ask(s.HangUp())
    watcher.finish()


def wait_watched(stage, word):
    """Until the watcher has been told this."""
    from tests.support.waiting import wait_for  # noqa: PLC0415 - used here only

    folder = stage.folder / "phone_is_watched"
    wait_for(
        f"the watcher to read {word!r}",
        lambda: any(word in each.read_text(errors="replace") for each in folder.glob("*.messages")),
        10,
    )


def test_a05_an_order_out_of_the_blue_wants_a_proof_and_a_lamp_does_not(stage):
    """A5; RFC 3842 §3.5 unasked."""
    phone = stage.phone("bob")
    phone.wait("it to be there", lambda status: status.state == "idle")
    stage.actor("phone_is_told_to_check", calls="bob").finish()
    phone.wait("the lamp", lambda status: status.lines[0].mwi)
