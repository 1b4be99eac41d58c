"""Openverse's protocol, spoken over a catalog; written from its public source and description."""

from typing import Any

from aiohttp import web

from adc_plugins_rehearse.catalog import Offer
from adc_plugins_rehearse.protocols.protocol import Protocol

PATH = "/v1/images/"
TOKEN_PATH = "/v1/auth_tokens/token/"
CLIENT, SECRET, TOKEN = "gallery-demo-client", "gallery-demo-secret", "gallery-demo-token"
MAX_RESULTS = 240


class OpenverseProtocol(Protocol):
    """Answers image searches as Openverse does: tokens, page sizes, depth, limits and errors."""

    def add_to(self, app: web.Application) -> None:
        """Answer at `/v1/images/` and give tokens."""
        app.router.add_get(PATH, self._answer)
        app.router.add_post(TOKEN_PATH, self._stem)

    async def _stem(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("client_id") != CLIENT or form.get("client_secret") != SECRET:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        given = {"access_token": TOKEN, "expires_in": 36_000, "token_type": "Bearer"}
        return web.json_response(given | {"scope": "read write"})

    async def _answer(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("Authorization")
        if bearer is not None and bearer != f"Bearer {TOKEN}":
            return _error(401, "Invalid token.")
        most = 20 if bearer is None else 50
        page, size = (_number(request, name, default) for name, default in _DEFAULTS)
        if size > most:
            return _error(401, f"page_size must be less than or equal to {most}.")
        if page < 1 or size < 1 or (page - 1) * size >= MAX_RESULTS:
            return _error(400, "Invalid page requested.")
        if not self.spend():
            return _error(429, "Request was throttled.", {"Retry-After": "60"})
        offers = self.catalog.search(request.query.get("q", ""))[:MAX_RESULTS]
        shown = offers[(page - 1) * size : page * size]
        body = {
            "result_count": len(offers),
            "page_count": -(-len(offers) // size),
            "page_size": size,
            "page": page,
            "results": [_result(offer, self.root(request, offer)) for offer in shown],
        }
        return web.json_response(body)


_DEFAULTS = (("page", 1), ("page_size", 20))


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    return int(text) if text.isdecimal() else 0


def _result(offer: Offer, root: str) -> dict[str, Any]:
    width, height = offer.size
    return {
        "id": offer.path.rpartition("/")[2],
        "title": offer.title,
        "foreign_landing_url": f"{root}about/{offer.path.rpartition('/')[2]}.html",
        "url": root + offer.path,
        "creator": "The gallery",
        "creator_url": root,
        "license": "cc0",
        "license_version": "1.0",
        "license_url": "https://creativecommons.org/publicdomain/zero/1.0/",
        "provider": "gallery",
        "source": "gallery",
        "filetype": offer.mime.rpartition("/")[2],
        "attribution": f'"{offer.title}" by The gallery is marked with CC0 1.0.',
        "mature": False,
        "width": width,
        "height": height,
    }


def _error(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"detail": detail}, status=status, headers=headers)
