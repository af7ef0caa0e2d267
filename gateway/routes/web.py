"""The web app: its shell at the addresses of its screens, its files, and the looks of the hub.

`make web` builds the app into a folder. The shell is one page for all screens. The gateway writes the hub's name into
it.
"""

import functools
import json
from pathlib import Path, PurePath

import flask
import orjson
from flask import Response, current_app, request
from markupsafe import escape
from werkzeug.security import safe_join

from gateway import answers
from gateway.bus.house import Habits
from gateway.door.auth import public

FOLDER = Path(__file__).parents[2] / "build" / "web"
ASSETS = FOLDER / "assets"
SCREENS: list[str] = json.loads((Path(__file__).parents[1] / "web" / "src" / "addresses.json").read_bytes())
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types hearth"
)
LOOKS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
SCRIPTLESS = "This app needs JavaScript. To join the hub, ask its people for an invitation."
NOT_BUILT = "The web app is not built yet. `make web` builds it; the API is at /docs."
FOR_EVER = "public, max-age=31536000, immutable"  # the names of these files hold a digest of their content
PRESSED = {"br": ".br", "gzip": ".gz"}

pages = flask.Blueprint("web", __name__)


@public
def shell(**_path: str) -> Response:
    """The page of all screens. What it shows is decided in the browser."""
    template = _shell()
    if template is None:
        return Response(NOT_BUILT, 503, LOOKS | {"Retry-After": "5"}, content_type="text/plain; charset=utf-8")
    hub = _habits()
    filled = {"%LANGUAGE%": hub.language, "%HUB%": hub.name, "%ZONE%": hub.zone, "%SCRIPTLESS%": SCRIPTLESS}
    for mark, value in filled.items():
        template = template.replace(mark, str(escape(value)))
    answer = Response(template, headers=LOOKS, content_type="text/html; charset=utf-8")
    answer.add_etag()
    answer.make_conditional(request.environ)
    return answer


for _screen in SCREENS:
    pages.add_url_rule(f"/{_screen}", view_func=shell)
    pages.add_url_rule(f"/{_screen}/<path:rest>", view_func=shell)
pages.add_url_rule("/", view_func=shell)


@pages.get("/assets/<path:name>")
@public
def asset(name: str) -> Response:
    """A file of the app, pressed if the browser takes it so."""
    pressed = {encoding: suffix for encoding, suffix in PRESSED.items() if answers.takes(encoding)}
    encoding = next((each for each, suffix in pressed.items() if _is_there(name + suffix)), None)
    file = name + pressed.get(encoding or "", "")
    answer = flask.send_from_directory(ASSETS, file, download_name=PurePath(name).name)
    answer.headers |= {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if encoding:
        answer.headers["Content-Encoding"] = encoding
    return answer


@pages.get("/icon.svg")
@public
def icon() -> Response:
    """The app's icon."""
    return flask.send_from_directory(FOLDER, "icon.svg", max_age=86400)


@pages.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to know to install the app (W3C Web Application Manifest)."""
    says = {
        "name": _habits().name,
        "short_name": _habits().name[:12],
        "start_url": "/",
        "display": "standalone",
        "background_color": "#fffdfa",
        "theme_color": "#fffdfa",
        "icons": [{"src": "/icon.svg", "type": "image/svg+xml", "sizes": "any"}],
    }
    return _plain(orjson.dumps(says), "application/manifest+json")


@pages.get("/house.css")
@public
def looks() -> Response:
    """The hub's own colour, from which the app makes a readable accent on light and on dark paper."""
    return _plain(f":root{{--hub:{_habits().accent}}}".encode(), "text/css")


def _habits() -> Habits:
    habits: Habits = current_app.extensions["house"].habits
    return habits


def _plain(body: bytes, content_type: str) -> Response:
    answer = Response(body, headers={"Cache-Control": "no-cache"}, content_type=content_type)
    answer.add_etag()
    answer.make_conditional(request.environ)
    return answer


def _is_there(asset: str) -> bool:
    path = safe_join(str(ASSETS), asset)
    return path is not None and Path(path).is_file()


def _shell() -> str | None:
    """The shell of the latest build; None before the first. A newer build is noticed without a restart."""
    try:
        return _template((FOLDER / "shell.html").stat().st_mtime)
    except OSError:
        return None


@functools.lru_cache(maxsize=1)
def _template(_built: float) -> str:
    return (FOLDER / "shell.html").read_text()
