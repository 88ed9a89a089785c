"""F7: the phone starts before there is a network; the cable is plugged in later."""

import pytest

from tests.support.far_end import FarEnd
from tests.support.namespace import namespace_or_skip
from tests.support.phone import Phone, line

SERVER, DESK = "10.98.0.1", "10.98.0.2"


@pytest.fixture
def towns():
    """Two networks with nothing between them; in the first even loopback is down."""
    with namespace_or_skip() as here, namespace_or_skip() as there:
        run(here, "link", "set", "lo", "down")
        yield here, there


def run(namespace, *words):
    done = namespace.run("ip", *words)
    assert done.returncode == 0, done.stderr


def plug_in(here, there):
    """A cable between the two; the server's end is ready."""
    far = ("peer", "name", "far", "netns", there.name)
    run(here, "link", "add", "eth0", "type", "veth", *far)
    run(there, "addr", "add", f"{SERVER}/24", "dev", "far")
    run(there, "link", "set", "far", "up")


@pytest.mark.parametrize("bound", ["0.0.0.0", DESK])
def test_f07_the_phone_starts_says_no_network_and_registers_when_the_link_comes(
    towns, tmp_path, bound
):
    here, there = towns
    phone = Phone(tmp_path, line("101", SERVER), address=bound, namespace=here)
    try:
        status = phone.wait("the reason", lambda found: found.lines[0].reason, 5)
        assert status.state == "idle"
        assert "network" in f"{status.reason} {status.lines[0].reason}".lower()

        plug_in(here, there)
        with FarEnd(SERVER, there) as far_end:
            run(here, "link", "set", "eth0", "up")
            run(here, "addr", "add", f"{DESK}/24", "dev", "eth0")
            registered = far_end.wait_registered(seconds=20)
            assert DESK in registered.contact
            phone.wait_registered()
            assert phone.status().reason == ""

            # P4: out, and in again: registered within five seconds of the link.
            count = len(far_end.registrations)
            run(here, "link", "set", "eth0", "down")
            phone.wait("no network", lambda found: found.reason)
            run(here, "link", "set", "eth0", "up")
            far_end.wait_registered(count + 1, seconds=20)
            phone.wait_registered()
        assert "Traceback" not in phone.log()
    finally:
        phone.close()


def test_f08_a_flapping_link_is_one_attempt_per_stable_link(towns, tmp_path):
    here, there = towns
    plug_in(here, there)
    run(here, "link", "set", "eth0", "up")
    run(here, "addr", "add", f"{DESK}/24", "dev", "eth0")
    with FarEnd(SERVER, there) as far_end:
        phone = Phone(tmp_path, line("101", SERVER), address="0.0.0.0", namespace=here)
        try:
            phone.wait_registered()
            count = len(far_end.registrations)
            for _ in range(20):  # faster than anybody's hands
                run(here, "link", "set", "eth0", "down")
                run(here, "link", "set", "eth0", "up")
            far_end.wait_registered(count, seconds=20)
            phone.wait_registered()
            assert len(far_end.registrations) - count <= 3
        finally:
            phone.close()
