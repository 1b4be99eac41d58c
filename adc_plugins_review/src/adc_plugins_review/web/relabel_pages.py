"""Relabel."""

from aiohttp import web


def routes(worker: str, owner: str) -> list[web.RouteDef]:
    """List the addresses of the page."""
    return []
