"""SearXNG's JSON answers, spoken over a catalog; written from its public source."""

from typing import Any

from aiohttp import web

from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.protocols.protocol import Protocol

PATH = "/search"
PAGE = 30


class SearxngProtocol(Protocol):
    """Answers image searches as a SearXNG instance that gives JSON does."""

    def add_to(self, app: web.Application) -> None:
        """Answer at `/search`."""
        app.router.add_get(PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        given = request.query
        if given.get("format") != "json" or given.get("categories") != "images":
            return web.Response(status=403, text="Forbidden")
        if not self.spend():
            return web.Response(status=429, text="Too Many Requests")
        page = int(given.get("pageno", 1))
        shown = self.catalog.search(given.get("q", ""))[(page - 1) * PAGE : page * PAGE]
        results = [_result(offer, self.root(request, offer)) for offer in shown]
        return web.json_response({"query": given.get("q", ""), "results": results})


def _result(offer: Offer, root: str) -> dict[str, Any]:
    width, height = offer.size
    return {
        "url": f"{root}about/{offer.path.rpartition('/')[2]}.html",
        "title": offer.title,
        "img_src": root + offer.path,
        "resolution": f"{width} x {height}",
        "engine": "gallery",
        "template": "images.html",
    }
