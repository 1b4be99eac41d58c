"""Bing Image Search v7, spoken over a catalog; written from its archived description."""

from typing import Any

from aiohttp import web

from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.protocols.protocol import Protocol

PATH = "/v7.0/images/search"
KEY = "gallery-demo-key"
MAX_PAGE = 150


class BingProtocol(Protocol):
    """Answers image searches as Bing did: offsets, keys, limits and errors."""

    def add_to(self, app: web.Application) -> None:
        """Answer at `/v7.0/images/search`."""
        app.router.add_get(PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        given = request.query
        if request.headers.get("Ocp-Apim-Subscription-Key") != KEY:
            return _error(401, "InvalidAuthorization", "The Authorization was missing or invalid.")
        if not given.get("q"):
            return _error(400, "InvalidRequest", "Required parameter is missing.")
        if not self.spend():
            return _error(429, "RateLimitExceeded", "Rate limit is exceeded.", {"Retry-After": "1"})
        start, count = int(given.get("offset", 0)), min(MAX_PAGE, int(given.get("count", 35)))
        offers = self.catalog.search(given["q"])
        body = {
            "_type": "Images",
            "totalEstimatedMatches": len(offers),
            "currentOffset": start,
            "nextOffset": start + count,
            "queryContext": {"originalQuery": given["q"]},
            "value": [
                _value(offer, self.root(request, offer)) for offer in offers[start : start + count]
            ],
        }
        return web.json_response(body)


def _value(offer: Offer, root: str) -> dict[str, Any]:
    width, height = offer.size
    return {
        "imageId": offer.path.rpartition("/")[2],
        "name": offer.title,
        "contentUrl": root + offer.path,
        "hostPageUrl": f"{root}about/{offer.path.rpartition('/')[2]}.html",
        "encodingFormat": offer.mime.rpartition("/")[2],
        "width": width,
        "height": height,
        "creativeCommons": "PublicNoRightsReserved",
    }


def _error(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"_type": "ErrorResponse", "errors": [{"code": code, "message": message}]}
    return web.json_response(body, status=status, headers=headers)
