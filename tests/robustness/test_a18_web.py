"""Attack A18: a web page, a stranger or a caller tries to get at the phone through its page.

The page is the real one on a free loopback port; the phone behind it is only its two sockets.
"""

import re
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest

import firmware.web
from firmware.control.schema import Hook, RecordEvent
from tests.support.fake_phone import Visitor, call, message, phone_with_page, row

EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
STATIC = Path(firmware.web.__file__).parent / "static"


@pytest.fixture
async def desk(tmp_path):
    async with phone_with_page(tmp_path) as (phone, address), Visitor(address) as visitor:
        yield phone, await visitor.enter()


@pytest.fixture
async def stranger(tmp_path):
    async with phone_with_page(tmp_path) as (phone, address), Visitor(address) as visitor:
        yield phone, visitor


async def refused(opening):
    """The status with which a WebSocket was turned away."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with opening:
            pass
    return refusal.value.status


# ---- Token and session ----


async def test_a18_without_the_token_nobody_gets_in(stranger):
    _, visitor = stranger
    code, _, text = await visitor.get("/")
    assert code == 403
    assert "data-key" not in text
    assert await refused(visitor.live("/live")) == 403
    assert await refused(visitor.live("/sound")) == 403


async def test_a18_there_is_no_default_token(tmp_path):
    tokens = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with phone_with_page(tmp_path / name) as (_, address):
            tokens.add(address.partition("token=")[2])
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 32


async def test_a18_the_token_becomes_a_strict_cookie_that_no_script_reads(stranger):
    _, visitor = stranger
    _, headers, _ = await visitor.get(f"/?token={visitor.token}")
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Domain" not in cookie
    assert visitor.token not in cookie
    assert (await visitor.get("/"))[0] == 200


async def test_a18_a_session_that_an_attacker_chose_is_not_taken_over(stranger):
    _, visitor = stranger
    port = visitor.host.rpartition(":")[2]
    fixed = {"cookie": f"deskphone_{port}=chosen-by-an-attacker"}
    _, headers, _ = await visitor.get(f"/?token={visitor.token}", **fixed)
    assert "chosen-by-an-attacker" not in headers["Set-Cookie"]
    async with Visitor(visitor.address) as attacker:
        assert (await attacker.get("/", **fixed))[0] == 403


async def test_a18_whoever_guesses_tokens_must_wait(stranger):
    _, visitor = stranger
    codes = [(await visitor.get(f"/?token=guess{number}"))[0] for number in range(6)]
    assert codes == [403, 403, 403, 403, 429, 429]
    code, headers, _ = await visitor.get(f"/?token={visitor.token}")
    assert code == 429
    assert int(headers["Retry-After"]) > 0


# ---- Other pages in the same browser ----


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "rebound.example:{port}",
        "localhost.rebound.example:{port}",
        "127.0.0.1.rebound.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost:{port}@rebound.example",
        "[::1",
        ":{port}",
        "user@127.0.0.1:{port}",
    ],
)
async def test_a18_a_name_bent_to_this_machine_is_turned_away(host, desk):
    _, visitor = desk
    host = host.format(port=visitor.host.rpartition(":")[2])
    assert (await visitor.get("/", host=host))[0] == 403
    assert (await visitor.get("/static/desk.js", host=host))[0] == 403
    opening = visitor.live("/live", host=host, origin=f"http://{host}")
    assert await refused(opening) == 403


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
async def test_a18_this_machines_own_names_are_let_in(host, desk):
    _, visitor = desk
    host = host.format(port=visitor.host.rpartition(":")[2])
    assert (await visitor.get("/static/desk.js", host=host))[0] == 200


@pytest.mark.parametrize("path", ["/live", "/sound"])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:1", "http://localhost", "null", "", "file://"],
)
async def test_a18_a_foreign_page_opens_no_websocket_even_with_our_cookie(path, origin, desk):
    _, visitor = desk
    assert await refused(visitor.live(path, origin=origin)) == 403


async def test_a18_a_websocket_without_an_origin_is_no_pages(desk):
    _, visitor = desk
    opening = visitor.http.ws_connect(visitor.origin + "/live", headers={})
    assert await refused(opening) == 403


async def test_a18_a_foreign_page_can_embed_or_fetch_nothing(desk):
    _, visitor = desk
    for site in ("cross-site", "same-site"):
        for kind in ("script", "image", "iframe", "empty", "document"):
            headers = {"sec_fetch_site": site, "sec_fetch_dest": kind}
            assert (await visitor.get("/static/desk.js", **headers))[0] == 403
    embedded = {"sec_fetch_site": "cross-site", "sec_fetch_dest": "iframe"}
    assert (await visitor.get("/", **embedded))[0] == 403


async def test_a18_a_link_on_another_page_may_lead_to_the_door(stranger):
    _, visitor = stranger
    link = {"sec_fetch_site": "cross-site", "sec_fetch_dest": "document"}
    assert (await visitor.get(f"/?token={visitor.token}", **link))[0] == 200


async def test_a18_nothing_is_done_by_a_plain_request(desk):
    phone, visitor = desk
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        for headers in ({}, {"Origin": visitor.origin}):
            request = visitor.http.request(method, visitor.origin + "/live", headers=headers)
            async with request as answer:
                assert answer.status in (403, 405)
    assert phone.requests.empty()


# ---- What is let in can do no more than a person at the desk ----


async def test_a18_the_page_cannot_do_what_an_administrator_can(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await page.send_json({"verb": "reload", "role": "admin"})
        await page.send_json({"verb": "play", "file": "/etc/shadow"})
        await page.send_json({"verb": "ladder"})
        await page.send_json({"verb": "hook", "move": "up"})
        assert isinstance(await phone.asked(), Hook)


async def test_a18_an_enormous_message_ends_its_own_connection_only(desk):
    _, visitor = desk
    async with visitor.live() as other:
        async with visitor.live() as page:
            await page.send_str("x" * 100_000)
            while not page.closed:
                await page.receive(timeout=10)
        await message(other, "lamps")


# ---- What the page itself lets in ----


class Page(HTMLParser):
    """What of a document could run or be styled inline."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.inline = []
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        names = dict(attrs)
        self.inline += [name for name in names if name.startswith("on") or name == "style"]
        is_data = names.get("type") == "application/json"
        self._in_script = tag in ("script", "style") and not is_data

    def handle_data(self, data):
        if self._in_script and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag):
        self._in_script = self._in_script and tag not in ("script", "style")


async def test_a18_every_answer_forbids_foreign_and_inline_code(desk):
    _, visitor = desk
    paths = ["/", "/static/desk.js", "/static/none.js", "/nowhere", "/?token=wrong"]
    for path in paths:
        _, headers, _ = await visitor.get(path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


async def test_a18_the_page_holds_no_inline_code_or_style(desk):
    _, visitor = desk
    assert Page((await visitor.get("/"))[2]).inline == []


async def test_a18_a_name_with_markup_is_shown_as_it_was_sent(desk):
    phone, visitor = desk
    async with visitor.live() as page:
        await message(page, "lamps")
        plain = Page((await visitor.get("/"))[2]).tags
        phone.show("ringing", call("ringing_here", EVIL))
        phone.publish(RecordEvent(0.0, row(EVIL, EVIL)))
        said = await message(page, "said")
        assert said["text"] == f"{EVIL} calls."
        html = (await visitor.get("/"))[2]
    assert Page(html).tags == plain
    assert "&lt;script&gt;alert(2)" in html


def test_a18_the_script_makes_text_of_what_strangers_send_never_markup():
    for file in STATIC.glob("*.js"):
        script = file.read_text("utf-8")
        makers = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|srcdoc",
            script,
        )
        assert makers == [], file.name


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
        "/templates/desk.html",
    ],
)
async def test_a18_there_is_no_path_out_of_the_pages_files(path, desk):
    _, visitor = desk
    code, _, text = await visitor.get(path)
    assert code in (400, 403, 404)
    assert "aiohttp" not in text


async def test_a18_the_banner_names_no_program_and_no_version(desk):
    _, visitor = desk
    _, headers, _ = await visitor.get("/")
    assert headers["Server"] == "deskphone"
