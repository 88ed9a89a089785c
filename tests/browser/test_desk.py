"""A person at the virtual phone: sees, presses, lifts; with a mouse, a finger, a keyboard."""

import pytest

from firmware.control.schema import (
    Answer,
    Dial,
    HangUp,
    Hook,
    HookMove,
    Key,
    KeyMove,
    LampsEvent,
    Mute,
    Record,
    RecordEvent,
    ScreenEvent,
    Volume,
)
from hal.keys import Key as KeyCap
from tests.support.fake_phone import call, picture, row
from tests.support.web_page import LIT, says, until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(90)]


async def text_of(page, place):
    return (await page.text_content(place)).strip()


async def test_the_desk_shows_the_phone_as_it_is(open_desk):
    _, page = await open_desk()
    assert await text_of(page, "#said") == "Ready. Registered: 201."
    assert await page.title() == "Desk phone"
    await until(page, LIT, lambda lit: lit > 500)
    assert "token" not in page.url


async def test_lifting_the_handset_lifts_it_on_the_phone(open_desk):
    phone, page = await open_desk()
    handset = page.get_by_role("button", name="Lift the handset")
    await handset.click()
    asked = await phone.asked()
    assert isinstance(asked, Hook)
    assert asked.move is HookMove.UP
    phone.show("off_hook", off_hook=True, path="handset")
    handset = page.get_by_role("button", name="Put the handset down", pressed=True)
    await handset.click()
    assert (await phone.asked()).move is HookMove.DOWN


async def test_a_key_goes_down_with_the_mouse_and_up_again(open_desk):
    phone, page = await open_desk()
    await page.get_by_role("button", name="5", exact=True).hover()
    await page.mouse.down()
    asked = await phone.asked()
    assert isinstance(asked, Key)
    assert (asked.key, asked.move) == (KeyCap.DIGIT_5, KeyMove.DOWN)
    await page.mouse.up()
    assert (await phone.asked()).move is KeyMove.UP


async def test_a_key_held_while_the_mouse_leaves_it_comes_up(open_desk):
    phone, page = await open_desk()
    await page.get_by_role("button", name="5", exact=True).hover()
    await page.mouse.down()
    await page.mouse.move(5, 5)
    await page.mouse.up()
    assert [(await phone.asked()).move for _ in range(2)] == [KeyMove.DOWN, KeyMove.UP]


async def test_a_finger_presses_a_key(open_desk):
    phone, page = await open_desk(has_touch=True, viewport={"width": 390, "height": 800})
    await page.get_by_role("button", name="Star").tap()
    first, second = await phone.asked(), await phone.asked()
    assert (first.key, first.move) == (KeyCap.STAR, KeyMove.DOWN)
    assert (second.key, second.move) == (KeyCap.STAR, KeyMove.UP)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("7", KeyCap.DIGIT_7),
        ("#", KeyCap.POUND),
        ("*", KeyCap.STAR),
        ("Enter", KeyCap.OK),
        ("Escape", KeyCap.CANCEL),
        ("Backspace", KeyCap.CANCEL),
        ("q", KeyCap.SOFT_1),
        ("+", KeyCap.VOLUME_UP),
        ("ArrowDown", KeyCap.DOWN),
    ],
)
async def test_the_computers_keyboard_dials(typed, key, open_desk):
    phone, page = await open_desk()
    await page.keyboard.press(typed)
    down, up = await phone.asked(), await phone.asked()
    assert (down.key, down.move, up.key, up.move) == (key, KeyMove.DOWN, key, KeyMove.UP)


async def test_after_clicks_with_the_mouse_the_keyboard_still_dials(open_desk):
    phone, page = await open_desk()
    await page.get_by_label("I use loudspeakers").click()
    await page.get_by_role("button", name="Lift the handset").click()
    await phone.asked()
    phone.show("off_hook", off_hook=True, path="handset")
    await page.keyboard.press("6")
    await page.keyboard.press("Enter")
    keys = [(await phone.asked()).key for _ in range(4)]
    assert keys == [KeyCap.DIGIT_6, KeyCap.DIGIT_6, KeyCap.OK, KeyCap.OK]


async def test_h_lifts_the_handset(open_desk):
    phone, page = await open_desk()
    await page.keyboard.press("h")
    assert (await phone.asked()).move is HookMove.UP


@pytest.mark.parametrize("typed", ["Enter", "Space"])
async def test_the_whole_phone_is_reached_with_the_tab_key(typed, open_desk):
    phone, page = await open_desk()
    names = []
    for _ in range(80):
        await page.keyboard.press("Tab")
        name = await page.evaluate("document.activeElement.getAttribute('aria-label')")
        names.append(name)
        if name == "Redial":
            break
    assert names[0] == "Lift the handset"
    assert {*"0123456789", "Star", "Pound", "OK", "Soft key 1"} < set(names)
    await page.keyboard.press(typed)
    asked = await phone.asked()
    assert (asked.key, asked.move) == (KeyCap.REDIAL, KeyMove.PRESS)


async def test_lamps_shine_and_say_so(open_desk):
    phone, page = await open_desk()
    phone.publish(LampsEvent(0.0, {"message": "on", "ring": "fast"}))
    await page.wait_for_selector("[data-lamp=message][data-pattern=on]")
    await page.wait_for_selector("[data-lamp=ring][data-pattern=fast]")
    assert await page.get_by_role("img", name="Ring lamp: blinks fast").is_visible()
    assert await page.get_by_role("img", name="Message lamp: on").is_visible()


async def test_the_screen_is_live(open_desk):
    phone, page = await open_desk()
    before = await until(page, LIT)
    phone.publish(ScreenEvent(0.0, 128, 64, picture("much more is written here")))
    await until(page, LIT, lambda lit: lit > before * 1.2)


async def test_a_call_can_be_answered_and_ended_by_plain_buttons(open_desk):
    phone, page = await open_desk()
    phone.show("ringing", call("ringing_here", "Boss 100"))
    await says(page, "#said", "Boss 100 calls.")
    await page.get_by_role("button", name="Answer").click()
    asked = await phone.asked()
    assert isinstance(asked, Answer)
    assert asked.call == "c1"
    phone.show("talking", call("talking", "Boss 100", codec="G722"))
    await page.get_by_role("button", name="Hang up").click()
    assert isinstance(await phone.asked(), HangUp)
    await page.locator("#actions").get_by_role("button", name="Mute").click()
    asked = await phone.asked()
    assert isinstance(asked, Mute)
    assert asked.on is True


async def test_a_call_is_recorded_by_a_button_and_lock_and_mark_are_elements_of_the_page(open_desk):
    phone, page = await open_desk()
    phone.show("talking", call(recorded=False))
    await page.get_by_role("button", name="Record", exact=True).click()
    asked = await phone.asked()
    assert isinstance(asked, Record)
    assert (asked.on, asked.call) == (True, "c1")
    assert await page.locator("#secure").is_hidden()
    assert await page.locator("#recorded").is_hidden()
    phone.show("talking", call(recorded=True, secure=True))
    await page.get_by_text("Being recorded").wait_for()
    assert await page.locator("#secure").is_visible()
    await page.get_by_role("button", name="Stop recording").click()
    assert (await phone.asked()).on is False
    phone.show("talking", call(recorded=None, secure=True), call("talking", "Boss 100"))
    await page.locator("#recorded").wait_for(state="hidden")
    assert await page.locator("#secure").is_hidden(), "one of the calls is not"


async def test_how_a_call_sounds_is_shown_while_it_changes(open_desk):
    phone, page = await open_desk()
    sign = page.locator("#quality")
    assert await sign.is_hidden()
    for word, bars, said in (("good", "4", "Sounds good"), ("bad", "1", "delays much of it")):
        phone.show("talking", call(codec="PCMU", quality=word))
        await page.get_by_text(said).wait_for()
        assert await sign.get_attribute("data-bars") == bars
    phone.show("talking", call(held=True, quality="bad"))
    await sign.wait_for(state="hidden")


async def test_the_volume_slider_changes_what_is_heard(open_desk):
    phone, page = await open_desk()
    phone.show("talking", call(), path="handset", off_hook=True)
    await until(page, "document.getElementById('volume').value === '70'")
    await page.get_by_label("Volume").fill("85")
    asked = await phone.asked()
    assert isinstance(asked, Volume)
    assert (asked.level, asked.path.value) == (85, "handset")


async def test_a_row_of_the_call_list_calls_back(open_desk):
    phone, page = await open_desk()
    phone.publish(RecordEvent(0.0, row("Ann", "204", "missed")))
    await page.get_by_role("button", name="Call Ann").click()
    asked = await phone.asked()
    assert isinstance(asked, Dial)
    assert asked.target == "204"


async def test_a_callers_name_is_text_whatever_it_says(open_desk):
    phone, page = await open_desk()
    evil = "<img src=x onerror=document.title=1><script>document.title=2</script>"
    phone.show("ringing", call("ringing_here", evil))
    phone.publish(RecordEvent(0.0, row(evil, "204")))
    await says(page, "#said", evil)
    await says(page, "#log", evil)
    assert await page.locator("img, #log script, #said script").count() == 0
    assert await page.title() == "Desk phone"


async def test_a_refusal_of_the_phone_is_said(open_desk):
    phone, page = await open_desk()
    phone.refusal = "there is nothing to redial"
    await page.get_by_role("button", name="Redial").click()
    await says(page, "#trouble", "there is nothing to redial")
    phone.refusal = ""
    await page.get_by_role("button", name="5", exact=True).click()
    await says(page, "#trouble", "")


async def test_a_phone_that_goes_away_is_said_and_one_that_comes_back_is_shown(open_desk):
    phone, page = await open_desk()
    await phone.stop()
    await says(page, "#said", "The phone is not running.")
    assert await until(page, LIT, lambda lit: lit == 0) == 0
    await phone.start()
    await says(page, "#said", "Ready.")


async def test_nothing_is_wider_than_a_small_screen(open_desk):
    _, page = await open_desk(viewport={"width": 360, "height": 740})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_door_is_shut_without_the_token(browser, phone_and_address):
    _, address = phone_and_address
    page = await (await browser()).new_page()
    answer = await page.goto(address.partition("?")[0])
    assert answer.status == 403
    assert "The phone is locked" in await text_of(page, "h1")
