"""The kernel's view of addresses, in a network of the test's own."""

import asyncio
import concurrent.futures
from ipaddress import ip_address, ip_network

import pytest

from firmware.net import addresses
from firmware.net.addresses import (
    AddressWatch,
    endpoint_of,
    local_address_toward,
    machine_addresses,
    name_of,
)
from firmware.sip.flow import Endpoint
from tests.support.namespace import namespace_or_skip
from tests.support.waiting import wait_for


class Town:
    """A namespace with one link, `eth0`; `inside` runs a function in it."""

    def __init__(self, namespace):
        self._namespace = namespace
        self.ip("link", "add", "eth0", "type", "veth", "peer", "name", "far")
        self.ip("link", "set", "far", "up")

    def ip(self, *words):
        done = self._namespace.run("ip", *words)
        assert done.returncode == 0, done.stderr

    def inside(self, work):
        """setns moves one thread only: this one, and it ends with the work."""

        def enter_and_work():
            self._namespace.enter()
            return work()

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(enter_and_work).result(30)


@pytest.fixture
def town():
    with namespace_or_skip() as namespace:
        yield Town(namespace)


def test_loopback_and_link_local_addresses_do_not_count(town):
    town.ip("link", "set", "eth0", "up")
    assert town.inside(machine_addresses) == ()


def test_addresses_of_running_links_count_once_they_may_be_used(town):
    town.ip("addr", "add", "10.7.0.2/24", "dev", "eth0")
    town.ip("addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
    assert town.inside(machine_addresses) == ()  # the link is down
    town.ip("link", "set", "eth0", "up")
    both = ("10.7.0.2", "2001:db8::2")
    wait_for("the link", lambda: town.inside(machine_addresses) == both)
    town.ip("link", "set", "far", "down")  # the cable is out
    wait_for("the end of the link", lambda: town.inside(machine_addresses) == ())


def test_an_ipv6_address_that_is_still_being_checked_does_not_count(town):
    town.ip("link", "set", "eth0", "up")
    town.ip("addr", "add", "2001:db8::3/64", "dev", "eth0")
    assert town.inside(machine_addresses) == ()


def test_the_address_toward_a_peer_is_the_kernels_choice(town):
    town.ip("link", "set", "eth0", "up")
    town.ip("addr", "add", "10.7.0.2/24", "dev", "eth0")
    far, nowhere = Endpoint("10.7.0.9", 5060), Endpoint("203.0.113.1", 0)
    wait_for("a route", lambda: town.inside(lambda: local_address_toward(far)) == "10.7.0.2")
    assert town.inside(lambda: local_address_toward(nowhere)) is None
    assert town.inside(lambda: local_address_toward(Endpoint("2001:db8::1", 5060))) is None


def watching(steps):
    """Take the steps one by one, each after the news of the one before; gives all the news."""

    async def watch():
        told = asyncio.Queue()
        watch = AddressWatch(told.put_nowait)
        news = []
        try:
            for step in steps:
                await asyncio.to_thread(step)
                async with asyncio.timeout(10):
                    news.append(await told.get())
            assert watch.addresses == news[-1]
        finally:
            watch.close()
        return news

    return asyncio.run(watch())


def test_f07_f09_addresses_that_come_and_go_are_told(town, monkeypatch):
    monkeypatch.setattr(addresses, "SETTLE_SECONDS", 0.05)
    steps = [
        lambda: (town.ip("link", "set", "eth0", "up"), add("10.7.0.2/24")),
        lambda: add("10.8.0.2/24"),
        lambda: town.ip("addr", "del", "10.7.0.2/24", "dev", "eth0"),
        lambda: town.ip("link", "set", "far", "down"),
        lambda: town.ip("link", "set", "far", "up"),
    ]

    def add(address):
        town.ip("addr", "add", address, "dev", "eth0")

    news = town.inside(lambda: watching(steps))
    both = ("10.7.0.2", "10.8.0.2")
    assert news == [("10.7.0.2",), both, ("10.8.0.2",), (), ("10.8.0.2",)]


def test_f08_a_burst_of_changes_is_one_piece_of_news(town, monkeypatch, tmp_path):
    monkeypatch.setattr(addresses, "SETTLE_SECONDS", 0.4)

    changes = [f"addr add 10.7.{last}.1/24 dev eth0" for last in range(2, 6)]
    batch = tmp_path / "changes"
    batch.write_text("\n".join(["link set eth0 up", *changes]) + "\n")

    def burst():
        # By one program: how soon another one is started is the machine's affair.
        town.ip("-batch", str(batch))

    news = town.inside(lambda: watching([burst]))
    assert news == [("10.7.2.1", "10.7.3.1", "10.7.4.1", "10.7.5.1")]


def test_a_change_that_changes_no_address_is_no_news(town, monkeypatch):
    monkeypatch.setattr(addresses, "SETTLE_SECONDS", 0.05)

    async def nothing():
        told, looked = [], asyncio.Event()
        watch = AddressWatch(told.append)
        look = addresses.machine_addresses
        monkeypatch.setattr(addresses, "machine_addresses", lambda: (looked.set(), look())[1])
        await asyncio.to_thread(town.ip, "link", "set", "eth0", "mtu", "1400")
        await asyncio.wait_for(looked.wait(), 20)
        watch.close()
        return told

    assert town.inside(lambda: asyncio.run(nothing())) == []


def test_the_places_that_show_the_way_out_are_nobodys():
    """RFC 5737, RFC 3849: nothing is ever sent there, and nobody is there to get it."""
    ranges = [ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")]
    for outside, expected in zip(addresses.OUTSIDE, ranges, strict=True):
        assert ip_address(outside.host) in expected


def test_f09_another_way_out_is_news_although_no_address_is_another(town, monkeypatch):
    monkeypatch.setattr(addresses, "SETTLE_SECONDS", 0.05)
    steps = [
        lambda: (
            town.ip("link", "set", "eth0", "up"),
            town.ip("addr", "add", "10.7.0.2/24", "dev", "eth0"),
            town.ip("addr", "add", "10.8.0.2/24", "dev", "eth0"),
        ),
        lambda: town.ip("route", "add", "default", "via", "10.7.0.1", "src", "10.7.0.2"),
        lambda: town.ip("route", "change", "default", "via", "10.8.0.1", "src", "10.8.0.2"),
    ]
    assert town.inside(lambda: watching(steps)) == [("10.7.0.2", "10.8.0.2")] * 3


def test_f08_where_something_changes_all_the_time_it_is_looked_all_the_same(town, monkeypatch):
    monkeypatch.setattr(addresses, "SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(addresses, "LONGEST_SETTLING", 0.6)
    town.ip("addr", "add", "10.7.0.1/16", "dev", "eth0")
    town.ip("link", "set", "eth0", "up")
    wait_for("the link", lambda: town.inside(machine_addresses) == ("10.7.0.1",))

    async def restless():
        told = asyncio.Event()
        watch = AddressWatch(lambda _found: told.set())
        changes = 0
        try:
            async with asyncio.timeout(10):
                while not told.is_set():
                    changes += 1
                    address = f"10.7.{1 + changes // 200}.{changes % 200}/16"
                    await asyncio.to_thread(town.ip, "addr", "add", address, "dev", "eth0")
        finally:
            watch.close()
        return changes

    assert town.inside(lambda: asyncio.run(restless())) > 1


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        (("192.0.2.1", 5060), Endpoint("192.0.2.1", 5060)),
        (("2001:db8::1", 5060, 0, 0), Endpoint("2001:db8::1", 5060)),
        (("fe80::1", 5060, 0, 1), Endpoint("fe80::1%lo", 5060)),
    ],
)
def test_f54_a_zone_goes_to_the_kernel_and_comes_back(name, endpoint):
    """RFC 4007 §11: without it a link-local address is on no link."""
    assert endpoint_of(name) == endpoint
    assert (*name_of(endpoint), 0, 0)[:4] == (*name, 0, 0)[:4]
    assert name_of(Endpoint("fe80::1%7", 1)) == ("fe80::1", 1, 0, 7)


def test_f54_an_interface_that_is_gone_leaves_the_bare_address():
    assert endpoint_of(("fe80::1", 5060, 0, 999_999)) == Endpoint("fe80::1", 5060)
    with pytest.raises(OSError, match=r"No such device|no interface"):
        name_of(Endpoint("fe80::1%gone", 5060))
