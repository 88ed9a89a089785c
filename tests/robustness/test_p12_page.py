"""P12: the page ends with its phone, and the next phone's page is where its address says."""

import os
import re
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.free_port import free_port
from tests.support.own_time import HeldUp
from tests.support.phone import line
from tests.support.waiting import wait_for


@pytest.fixture
def port():
    """A port that is free."""
    return free_port()


@pytest.fixture
def phone(start_phone, far_end, port):
    """A phone with a page."""
    return start_phone(line("101", f"{far_end.address}:5060"), page_port=port)


def pages(phone):
    """The process ids of the pages that look at this phone, whoever started them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if "web" in words and str(phone.control) in words:
            found.append(int(folder.name))
    return found


def addresses(phone):
    """Every address of a page that was printed so far."""
    return re.findall(r"^http://\S+$", phone.log(), re.MULTILINE)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - it is http
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_p12_after_a_killed_phone_the_next_one_has_the_only_page(phone):
    first = wait_for("the first address", lambda: addresses(phone))[-1]
    wait_for("the first page", lambda: answers(first))

    phone.kill()
    phone.start()

    second = wait_for("the second address", lambda: addresses(phone)[1:])[-1]
    assert second != first  # another phone, another token
    wait_for("the second page", lambda: answers(second))
    assert not answers(first)
    # The first one has let go of its port, and may not have ended yet.
    wait_for("it to be the only one", lambda: pages(phone) == [phone.page()])


def test_p12_a_killed_page_is_back_at_its_address_within_a_second(phone):
    address = wait_for("the address", lambda: addresses(phone))[-1]
    (dead,) = pages(phone)

    os.kill(dead, signal.SIGKILL)
    killed, held = time.monotonic(), HeldUp(phone.pid)
    wait_for("the page's end", lambda: dead not in pages(phone))
    wait_for("the page", lambda: answers(address))

    # One, and what a busy test machine adds.
    assert time.monotonic() - killed < 2 + held.seconds(phone.page())
    assert len(pages(phone)) == 1
    # It answers a moment before it says so.
    wait_for("the address again", lambda: addresses(phone) == [address, address])


def test_p12_no_page_is_left_when_the_phone_is_killed(phone):
    wait_for("the address", lambda: addresses(phone))
    phone.kill()
    wait_for("the page's end", lambda: not pages(phone))
