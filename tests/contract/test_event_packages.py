"""What holds for every event package (the table `PACKAGES`)."""

import pytest

from firmware.sip.event.package import BodyError, Document, GapError
from firmware.sip.event.table import PACKAGES, package


@pytest.fixture(params=sorted(PACKAGES))
def each(request):
    return package(request.param)


def test_the_name_is_the_tables(each):
    assert PACKAGES[each.name]() is each


def test_it_asks_for_something_for_some_time(each):
    assert each.accept
    assert all(kind == kind.lower() and "/" in kind for kind in each.accept)
    assert 60 <= each.expires <= 7 * 86400


def test_two_subscriptions_share_nothing(each):
    assert each.reader() is not each.reader()


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"<", b"<a/>", b"a: b\r\n", b"\xff" * 50, b"<!DOCTYPE a><a/>"]
)
def test_garbage_is_a_body_error_and_nothing_else(each, body):
    for kind in (*each.accept, "", "x", ";"):
        try:
            found = each.reader().read(kind, body)
        except (BodyError, GapError):
            continue
        assert isinstance(found, Document)


def test_no_package_is_none():
    assert package("no-such-thing") is None
