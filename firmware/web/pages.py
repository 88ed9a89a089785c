"""The two documents: the door (no session yet) and the desk with the phone on it."""

from importlib import resources

import jinja2
from aiohttp import web

from firmware.ui.text import Texts
from firmware.web.access import ACCESS, TooManyTriesError, cookie_name, has_session
from firmware.web.live import LINK, TEXTS
from firmware.web.sentences import sentence

SCRIPT_TEXTS = "web.script."
"""Texts with ids that begin so are handed to the page's script."""
TEMPLATES = web.AppKey("templates", jinja2.Environment)


def environment(texts: Texts) -> jinja2.Environment:
    """The templates, with every value escaped and every name that is missing an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("firmware.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["say"] = texts.say
    made.globals["language"] = texts.language
    # Read every template now: later the loop opens no file.
    for name in made.list_templates():
        made.get_template(name)
    return made


async def front(request: web.Request) -> web.Response:
    """The phone for those with a session; the exchange of a token; else the door."""
    token = request.query.get("token")
    if token is not None:
        return _exchange(request, token)
    if not has_session(request):
        return _document(request, "door.html", 403, problem="")
    return _desk(request)


def _exchange(request: web.Request, token: str) -> web.Response:
    say = request.app[TEXTS].say
    try:
        session = request.app[ACCESS].exchange(token, request.remote or "")
    except TooManyTriesError as error:
        problem = say("web.door.wait", seconds=round(error.seconds))
        response = _document(request, "door.html", 429, problem=problem)
        response.headers["Retry-After"] = str(round(error.seconds))
        return response
    if session is None:
        return _document(request, "door.html", 403, problem=say("web.door.wrong"))
    # Not a redirect: a strict cookie would not go along with one that began on another site.
    response = _document(request, "enter.html", 200)
    response.set_cookie(
        cookie_name(request), session, httponly=True, samesite="Strict", path="/", secure=False
    )
    return response


def _desk(request: web.Request) -> web.Response:
    app = request.app
    texts = app[TEXTS]
    link = app[LINK]
    said = texts.say("web.said.gone")
    if link.status is not None:
        said = sentence(link.status.status, texts)
    script_texts = {
        text_id.removeprefix(SCRIPT_TEXTS): texts.say(text_id)
        for text_id in texts
        if text_id.startswith(SCRIPT_TEXTS)
    }
    return _document(request, "desk.html", 200, said=said, script_texts=script_texts)


def _document(request: web.Request, name: str, status: int, **values: object) -> web.Response:
    text = request.app[TEMPLATES].get_template(name).render(values)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


class _StaticFile:
    """A file of the page, read once at start."""

    def __init__(self, data: bytes, content_type: str) -> None:
        self._data = data
        self._content_type = content_type

    async def serve(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._data, content_type=self._content_type, charset="utf-8")


_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def static_routes() -> list[web.RouteDef]:
    """One route a file: there is no path to walk out of."""
    routes = []
    for file in sorted((resources.files("firmware.web") / "static").iterdir(), key=str):
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in _TYPES:
            served = _StaticFile(file.read_bytes(), _TYPES[suffix])
            routes.append(web.get(f"/static/{file.name}", served.serve))
    return routes
