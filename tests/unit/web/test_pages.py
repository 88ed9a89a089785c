import json
import re

from firmware.control.schema import StatusEvent
from hal.keys import key_named
from tests.support.fake_phone import message, status


async def document(visitor):
    return (await visitor.get("/"))[2]


async def test_the_page_has_a_button_for_every_key_it_draws_and_every_one_exists(desk):
    html = await document(desk[1])
    keys = re.findall(r'data-key="([^"]+)"', html)
    assert len(keys) == len(set(keys))
    assert {*"0123456789*#"} < set(keys)
    assert all(key_named(key) for key in keys)


async def test_every_button_has_a_name_for_those_who_do_not_see_it(desk):
    html = await document(desk[1])
    buttons = re.findall(r"<button\b[^>]*>", html)
    assert len(buttons) > 25
    assert all(re.search(r'aria-label="[^"]+"', button) for button in buttons)


async def test_what_changes_by_itself_is_announced(desk):
    html = await document(desk[1])
    assert 'id="said" class="said" role="status" aria-live="polite"' in html
    assert 'id="trouble" class="trouble" role="alert"' in html


async def test_every_meter_and_input_has_a_label(desk):
    html = await document(desk[1])
    assert '<label for="volume">' in html
    assert all("aria-label=" in meter for meter in re.findall(r"<meter\b[^>]*>", html))


async def test_the_page_says_at_once_how_the_phone_is(desk):
    _, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
    assert "Ready. Registered: 201." in await document(visitor)


async def test_the_page_says_that_no_phone_is_running(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        await phone.stop()
        await message(page, "link")
    assert "The phone is not running." in await document(visitor)


async def test_the_script_gets_its_words_from_the_page(desk):
    html = await document(desk[1])
    texts = json.loads(re.search(r'id="texts">(.*?)</script>', html, re.DOTALL)[1])
    assert texts["answer"] == "Answer"


async def test_every_file_of_the_page_is_served(desk):
    _, visitor = desk
    html = await document(visitor)
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', html):
        code, headers, _ = await visitor.get(path)
        assert code == 200
        assert headers["Content-Type"].startswith(("text/css", "text/javascript", "image/svg"))


async def test_the_page_is_in_the_language_it_says(desk):
    assert '<html lang="en">' in await document(desk[1])


async def test_a_status_that_changes_between_two_visits_is_seen(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        phone.publish(StatusEvent(0.0, status("off_hook")))
        await message(page, "status")
    assert "The handset is up" in await document(visitor)
