"""Which of the machine's addresses a call shows besides its own (RFC 8445 §5.1.1.1)."""

import pytest

from firmware.net.ice_hosts import MOST, other_hosts

LAN, WLAN, VPN = "192.0.2.10", "198.51.100.7", "10.8.0.3"
SIX, TEMPORARY = "2001:db8:1::5", "2001:db8:1:0:9c3:11ff:fe2a:77"
UNIQUE = "fd12:3456::10"


def kernel(**way):
    """Where the kernel would send from, by the beginning of the place."""

    def toward(place):
        found = [own for start, own in way.items() if place.host.startswith(start.strip("_"))]
        return found[0] if found else None

    return toward


nowhere = kernel()


def test_the_other_family_and_the_other_interface():
    found = other_hosts(LAN, (VPN, LAN, WLAN, SIX), toward=kernel(_2001=SIX))
    assert found == (SIX, VPN)


def test_no_more_than_two():
    """Each costs two lines of an INVITE that should fit into a datagram (RFC 3261 §18.1.1)."""
    many = tuple(f"192.0.2.{last}" for last in range(10, 60))
    assert len(other_hosts(LAN, many, toward=nowhere)) == MOST


@pytest.mark.parametrize(
    "hidden", ["127.0.0.9", "::1", "169.254.7.7", "fe80::5", "fec0::5"], ids=lambda one: one
)
def test_what_nobody_elsewhere_can_use_is_not_shown(hidden):
    """RFC 8445 §5.1.1.1."""
    assert other_hosts(LAN, (LAN, hidden), toward=nowhere) == ()


@pytest.mark.parametrize("main", ["127.0.0.1", "::1", "fe80::1%eth0"])
def test_a_call_on_the_machine_itself_stays_there(main):
    """RFC 8445 §5.1.1.1: no loopback beside others."""
    assert other_hosts(main, (LAN, SIX), toward=nowhere) == ()


def test_of_one_network_of_ipv6_only_what_the_kernel_sends_from_is_shown():
    """RFC 8445 §5.1.1.1, RFC 6724 §5, RFC 8981: not what tells where we have been."""
    way = kernel(_2001=TEMPORARY)
    assert other_hosts(LAN, (LAN, SIX, TEMPORARY), toward=way) == (TEMPORARY,)
    assert other_hosts(TEMPORARY, (LAN, SIX, TEMPORARY), toward=way) == (LAN,)


def test_an_address_inside_a_network_without_a_way_out_is_shown_as_it_is():
    assert other_hosts(LAN, (LAN, UNIQUE), toward=nowhere) == (UNIQUE,)


@pytest.mark.parametrize(
    ("bound", "shown"),
    [
        ((LAN, WLAN), (WLAN,)),
        ((LAN,), ()),
        (("0.0.0.0",), (WLAN,)),
        (("0.0.0.0", "::"), (SIX, WLAN)),
        ((), (SIX, WLAN)),
    ],
)
def test_who_is_bound_to_addresses_shows_no_others(bound, shown):
    assert other_hosts(LAN, (LAN, WLAN, SIX), bound, kernel(_2001=SIX)) == shown


def test_on_this_machine_the_kernel_can_be_asked():
    assert SIX in other_hosts(LAN, (LAN, SIX))
