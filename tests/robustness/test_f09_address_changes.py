"""F8, F9, P4, P9: the link flaps, and the phone's address changes at rest and in a call."""

import logging
import time

import pytest

from firmware.control import schema as s
from firmware.sip.notifications import CallConfirmed, ReofferReceived
from tests.support.far_end import FarEnd, media_port
from tests.support.namespace import namespace_or_skip
from tests.support.own_time import HeldUp
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for

FIGURES = logging.getLogger("figures")  # to see them: -o log_cli=true -o log_cli_level=INFO
SERVER, OLD, NEW = "10.98.0.1", "10.98.0.2", "10.98.0.77"


@pytest.fixture
def here():
    with namespace_or_skip() as made:
        yield made


@pytest.fixture
def far_end(here):
    """A server on the other end of a cable."""
    with namespace_or_skip() as there:
        run(here, "link", "add", "eth0", "type", "veth", "peer", "name", "far",
            "netns", there.name)  # fmt: skip
        run(there, "addr", "add", f"{SERVER}/24", "dev", "far")
        run(there, "link", "set", "far", "up")
        run(here, "link", "set", "eth0", "up")
        run(here, "addr", "add", f"{OLD}/24", "dev", "eth0")
        with FarEnd(SERVER, there) as server:
            yield server


def run(namespace, *words):
    done = namespace.run("ip", *words)
    assert done.returncode == 0, done.stderr


def give(namespace, address, *, instead=""):
    if instead:  # first: the kernel takes the others of a network away with its first address
        run(namespace, "addr", "del", f"{instead}/24", "dev", "eth0")
    run(namespace, "addr", "add", f"{address}/24", "dev", "eth0")


@pytest.fixture
def make_phone(here, far_end, tmp_path):
    made = []

    def make(*lines, **more):
        made.append(Phone(tmp_path, "\n".join(lines), address="0.0.0.0", namespace=here, **more))
        made[0].wait_registered()
        return made[0]

    yield make
    for phone in made:
        phone.close()
        assert "Traceback" not in phone.log()


def at(far_end, address, since):
    """Seconds from `since` to the first REGISTER with a Contact at this address."""
    for each in list(far_end.registrations):
        if each.at >= since and f"@{address}:" in each.contact and each.expires != "0":
            return each.at - since
    return None


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_f09_p04_a_new_address_is_registered_within_seconds_and_the_old_one_removed(
    here, far_end, make_phone, transport
):
    phone = make_phone(line("101", SERVER, transport=transport))
    began, held = time.monotonic(), HeldUp(phone.pid)
    give(here, NEW, instead=OLD)
    took = wait_for("the new Contact", lambda: at(far_end, NEW, began), 15)
    FIGURES.info("seconds_to_new_contact: %s", round(took, 2))
    assert took < 3.0 + held.seconds(), "the promise is 15"

    def removed():
        return any(
            each.at >= began and f"@{OLD}:" in each.contact and each.expires == "0"
            for each in list(far_end.registrations)
        )

    wait_for("the old Contact to be removed", removed)
    assert sum(each.at >= began for each in far_end.registrations) <= 3, "and no storm"


def test_f09_p04_an_address_that_comes_after_the_old_one_went_is_registered_as_fast(
    here, far_end, make_phone
):
    phone = make_phone(line("101", SERVER))
    run(here, "addr", "del", f"{OLD}/24", "dev", "eth0")
    phone.wait("no network", lambda found: found.reason)
    began, held = time.monotonic(), HeldUp(phone.pid)
    give(here, NEW)
    took = wait_for("the new Contact", lambda: at(far_end, NEW, began), 15)
    FIGURES.info("seconds_to_new_contact: %s", round(took, 2))
    assert took < 5.0 + held.seconds()


def test_f09_p09_a_call_goes_on_from_the_new_address_within_two_seconds(here, far_end, make_phone):
    phone = make_phone(line("101", SERVER))
    phone.ask(s.Dial(target="600"))
    phone.wait_state("talking")
    far_end.speak_to((OLD, media_port(far_end.wait_call().offer)))
    phone.wait("sound", lambda found: found.calls[0].rtp and found.calls[0].rtp.received > 20)

    began, held = time.monotonic(), HeldUp(phone.pid, phone.child())
    give(here, NEW, instead=OLD)
    offer = wait_for("the re-INVITE", lambda: far_end.of(ReofferReceived), 15)[-1].body
    asked = time.monotonic()
    FIGURES.info("seconds_to_reinvite: %s", round(asked - began, 2))
    assert f"IN IP4 {NEW}".encode() in offer
    assert asked - began < 5.0 + held.seconds(), "the promise is 15"

    port = media_port(offer)
    far_end.speak_to((NEW, port))
    heard = far_end.wait_heard("the phone's voice", lambda each: each.port == port, 20)
    FIGURES.info("seconds_of_silence_there: %s", round(max(0.0, heard.at - asked), 2))
    assert heard.at - asked < 2.0 + held.seconds(), "P9: nobody waits longer for sound"
    wait_for("the ACK", lambda: len(far_end.of(CallConfirmed)) > 1)

    def hears(found):
        return found.calls and found.calls[0].rtp and found.calls[0].rtp.received > 50

    phone.wait("sound again", hears)
    assert not phone.status().reason
    phone.ask(s.HangUp())
    assert far_end.wait_ended().cause is None


@pytest.mark.slow
def test_f09_a_far_end_that_cannot_be_reached_any_more_is_a_clean_end(here, far_end, make_phone):
    """The new address has no way to the far end: half a minute, then the call is over and why."""
    phone = make_phone(line("101", SERVER))
    phone.ask(s.Dial(target="600"))
    phone.wait_state("talking")
    run(here, "addr", "add", "172.31.7.7/24", "dev", "eth0")
    run(here, "addr", "del", f"{OLD}/24", "dev", "eth0")
    ended = phone.wait("the end", lambda found: not found.calls, 45)
    assert ended.state != "talking"
    assert "could not follow" in phone.log()


@pytest.mark.slow
def test_f08_p04_a_link_that_flaps_is_one_attempt_per_stable_link(here, far_end, make_phone):
    phone = make_phone(line("101", SERVER), line("102", SERVER, name="two"))
    before = phone.ask(s.Stats(), s.StatsReply).counters
    count, waits = len(far_end.registrations), []
    for _ in range(3):
        run(here, "link", "set", "eth0", "down")
        pause(2.0)
        run(here, "link", "set", "eth0", "up")
        began = time.monotonic()
        pause(2.0)
        # The kernel kept the address: nobody has to give it again.
        waits.append(at(far_end, OLD, began))
    wait_for("the last one", lambda: at(far_end, OLD, began), 5)
    FIGURES.info("seconds_after_link_up: %s", str(waits))
    phone.wait_registered()
    assert all(wait is not None and wait < 5.0 for wait in waits)
    attempts = len(far_end.registrations) - count
    assert attempts <= 3 * 2, "one for each line and each time the link was up"
    pause(1.5)
    after = phone.ask(s.Stats(), s.StatsReply).counters
    assert after["loop_tasks"] <= before["loop_tasks"]
    assert after["sip_open"] <= before["sip_open"] + 2  # transactions that linger for late repeats
    assert after["handler_failures"] == 0


def pause(seconds):
    """Real links flap in real time."""
    until = time.monotonic() + seconds
    wait_for("time", lambda: time.monotonic() >= until, seconds + 1)
