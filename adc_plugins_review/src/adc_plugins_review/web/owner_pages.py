"""The owner's dashboard."""

from aiohttp import web


def routes(owner: str) -> list[web.RouteDef]:
    """List the addresses of the dashboard."""
    return []
