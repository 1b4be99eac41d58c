"""Templates and static files: read once, sent as they are."""

from functools import cache
from importlib import resources

from aiohttp import web
from jinja2 import Environment

from adc_core.reporting import page_environment
from adc_plugins_review.campaign.store import Refused

_TYPES = {
    "review.css": "text/css",
    "outbox.js": "text/javascript",
    "vote.js": "text/javascript",
    "select.js": "text/javascript",
    "keys.js": "text/javascript",
    "relabel.js": "text/javascript",
    "dashboard.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""The files that are served; no name of a client ever reaches the file system."""


@cache
def _environment() -> Environment:
    return page_environment("adc_plugins_review.web.templates")


@cache
def _static(name: str) -> bytes:
    content = resources.files(__package__).joinpath("static", name).read_bytes()
    if name != "review.css":
        return content
    # The report's own style first, so that all pages of ADC look alike.
    shared = _environment().get_template("style.html.j2").render()
    return shared.replace("<style>", "").replace("</style>", "").encode() + content


def page(template: str, **values: object) -> web.Response:
    """Render a page."""
    text = _environment().get_template(f"{template}.html.j2").render(**values)
    return web.Response(text=text, content_type="text/html")


async def static_file(request: web.Request) -> web.Response:
    """Send one of the files of the table above."""
    name = request.match_info["name"]
    if name not in _TYPES:
        raise Refused(404, "there is no such page: you need a link")
    headers = {"Cache-Control": "public, max-age=300"}
    return web.Response(
        body=_static(name), content_type=_TYPES[name], charset="utf-8", headers=headers
    )
