"""Google's Custom Search JSON API, spoken over a catalog.

Written from Google's public description of the service; it shows our reading of it, no more.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.protocols.protocol import Protocol

PATH = "/customsearch/v1"
KEY = "gallery-demo-key"
ENGINE = "gallery-demo-engine"
MAX_RESULTS = 100


class GoogleProtocol(Protocol):
    """Answers image searches as Google's Custom Search does: paging, keys, quota and errors."""

    def add_to(self, app: web.Application) -> None:
        """Answer at `/customsearch/v1`."""
        app.router.add_get(PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        given = request.query
        if not given.get("key"):
            return _error(403, "The request is missing a valid API key.", "forbidden")
        if given["key"] != KEY:
            return _error(
                400,
                "API key not valid. Please pass a valid API key.",
                "badRequest",
                detail="API_KEY_INVALID",
            )
        start, count = _number(given, "start", 1), _number(given, "num", 10)
        if (
            given.get("cx") != ENGINE
            or not given.get("q")
            or given.get("searchType") != "image"
            or not 1 <= count <= 10
            or not 1 <= start <= MAX_RESULTS + 1 - count
        ):
            return _error(400, "Request contains an invalid argument.", "badRequest")
        if not self.spend():
            return _error(
                429,
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of service "
                "'customsearch.googleapis.com' for consumer 'project_number:0'.",
                "rateLimitExceeded",
                status="RESOURCE_EXHAUSTED",
            )
        return web.json_response(self._results(request, given["q"], start, count))

    def _results(self, request: web.Request, text: str, start: int, count: int) -> dict[str, Any]:
        offers = self.catalog.search(text)[:MAX_RESULTS]
        shown = offers[start - 1 : start - 1 + count]
        request_facts = {
            "title": f"Google Custom Search - {text}",
            "totalResults": str(len(offers)),
            "searchTerms": text,
            "count": len(shown),
            "startIndex": start,
            "searchType": "image",
            "cx": ENGINE,
        }
        results: dict[str, Any] = {
            "kind": "customsearch#search",
            "queries": {"request": [request_facts]},
            "searchInformation": {"totalResults": str(len(offers))},
        }
        if start + count <= len(offers):
            following = request_facts | {"startIndex": start + count, "count": count}
            results["queries"]["nextPage"] = [following]
        if shown:
            results["items"] = [_item(offer, self.root(request, offer)) for offer in shown]
        return results


def _item(offer: Offer, root: str) -> dict[str, Any]:
    width, height = offer.size
    return {
        "kind": "customsearch#result",
        "title": offer.title,
        "link": root + offer.path,
        "displayLink": root.split("/")[2],
        "snippet": offer.title,
        "mime": offer.mime,
        "fileFormat": offer.mime,
        "image": {
            "contextLink": f"{root}about/{offer.path.rpartition('/')[2]}.html",
            "width": width,
            "height": height,
            "thumbnailLink": root + offer.path,
            "thumbnailWidth": width,
            "thumbnailHeight": height,
        },
    }


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    return int(text) if text.isdecimal() else 0


def _error(
    code: int, message: str, reason: str, *, status: str = "", detail: str = ""
) -> web.Response:
    error: dict[str, Any] = {
        "code": code,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
        "status": status or {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED"}[code],
    }
    if detail:
        info = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": info, "reason": detail, "domain": "googleapis.com"}]
    return web.json_response({"error": error}, status=code)
