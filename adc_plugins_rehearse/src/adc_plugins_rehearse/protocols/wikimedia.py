"""MediaWiki's search of files, spoken over a catalog; written from its public description."""

from typing import Any

from aiohttp import web

from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.protocols.protocol import Protocol

PATH = "/w/api.php"
MAX_PAGE = 50


class WikimediaProtocol(Protocol):
    """Answers searches for files as Wikimedia Commons does: continuation, order and errors."""

    def add_to(self, app: web.Application) -> None:
        """Answer at `/w/api.php`."""
        app.router.add_get(PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        given = request.query
        if given.get("action") != "query" or given.get("generator") != "search":
            return _error("badvalue", 'Unrecognized value for parameter "action".')
        if not self.spend():
            info = "Waiting for 127.0.0.1: 6.5 seconds lagged."
            return _error("maxlag", info, {"Retry-After": "5"})
        text = given.get("gsrsearch", "").removeprefix("filetype:bitmap ")
        start = int(given.get("gsroffset", 0))
        count = min(MAX_PAGE, int(given.get("gsrlimit", 10)))
        offers = self.catalog.search(text)
        shown = offers[start : start + count]
        if not shown:
            return web.json_response({"batchcomplete": True})
        # MediaWiki does not give pages in the order of the search.
        pages = [
            _page(offer, self.root(request, offer), start + place)
            for place, offer in enumerate(shown, 1)
        ][::-1]
        body: dict[str, Any] = {"query": {"pages": pages}}
        if start + count < len(offers):
            body["continue"] = {"gsroffset": start + count, "continue": "gsroffset||"}
        return web.json_response(body)


def _page(offer: Offer, root: str, index: int) -> dict[str, Any]:
    width, height = offer.size
    return {
        "pageid": index,
        "ns": 6,
        "title": f"File:{offer.title}",
        "index": index,
        "imageinfo": [
            {
                "url": root + offer.path,
                "thumburl": root + offer.path,
                "thumbwidth": width,
                "thumbheight": height,
                "width": width,
                "height": height,
                "descriptionurl": f"{root}about/{offer.path.rpartition('/')[2]}.html",
                "mime": offer.mime,
                "extmetadata": {
                    "LicenseShortName": {"value": "CC0"},
                    "LicenseUrl": {"value": "http://creativecommons.org/publicdomain/zero/1.0/"},
                    "Artist": {"value": f'<a href="{root}">The gallery</a>'},
                    "Credit": {"value": "<span>Own work</span>"},
                },
            }
        ],
    }


def _error(code: str, info: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "info": info}}, headers=headers)
