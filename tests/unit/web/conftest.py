"""The real page on a free loopback port, in front of a phone that is only its sockets."""

import pytest

from tests.support.fake_phone import Visitor, phone_with_page


@pytest.fixture
async def desk(tmp_path):
    """(phone, visitor with a session)."""
    async with phone_with_page(tmp_path) as (phone, address), Visitor(address) as visitor:
        yield phone, await visitor.enter()


@pytest.fixture
async def stranger(tmp_path):
    """(phone, visitor without a session)."""
    async with phone_with_page(tmp_path) as (phone, address), Visitor(address) as visitor:
        yield phone, visitor
