"""Brave's image search, spoken over a catalog; written from its public description."""

from typing import Any

from aiohttp import web

from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.protocols.protocol import Protocol

PATH = "/res/v1/images/search"
KEY = "gallery-demo-key"
MAX_RESULTS = 200


class BraveProtocol(Protocol):
    """Answers image searches as Brave does: one page, keys, limits and errors."""

    def add_to(self, app: web.Application) -> None:
        """Answer at `/res/v1/images/search`."""
        app.router.add_get(PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        text, count = request.query.get("q", ""), request.query.get("count", "50")
        if request.headers.get("X-Subscription-Token") != KEY:
            return _error(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided token is invalid.")
        if not text or not (count.isdecimal() and 1 <= int(count) <= MAX_RESULTS):
            return _error(422, "VALIDATION", "Unable to validate request parameter(s)")
        if not self.spend():
            return _error(429, "RATE_LIMITED", "Request rate limit exceeded for plan.")
        shown = self.catalog.search(text)[: int(count)]
        body = {
            "type": "images",
            "query": {"original": text, "altered": None, "spellcheck_off": True},
            "results": [_result(offer, self.root(request, offer)) for offer in shown],
            "extra": {"might_be_offensive": False},
        }
        return web.json_response(body)


def _result(offer: Offer, root: str) -> dict[str, Any]:
    width, height = offer.size
    return {
        "type": "image_result",
        "title": offer.title,
        "url": f"{root}about/{offer.path.rpartition('/')[2]}.html",
        "source": root.split("/")[2],
        "properties": {"url": root + offer.path, "width": width, "height": height},
        "confidence": "high",
    }


def _error(status: int, code: str, detail: str) -> web.Response:
    error = {"id": "0", "status": status, "code": code, "detail": detail}
    return web.json_response({"type": "ErrorResponse", "error": error}, status=status)
