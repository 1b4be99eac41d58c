"""How many connections there may be: nobody who opens hundreds keeps the others out."""

import asyncio
import ipaddress
import socket
from contextlib import suppress

from aiohttp import web

MOST, MOST_OF_ONE = 256, 64
"""Connections at once, and those of one address."""

KEEP_ALIVE = 30.0
"""Seconds for which a connection may be silent."""


async def accept(bound: socket.socket, server: web.Server, *, proxied: bool) -> None:
    """Hand connections to a server until this is cancelled; close those that are too many.

    Args:
        bound: socket that listens.
        server: of aiohttp.
        proxied: connections from this machine are a proxy's, which are many people's.
    """
    loop = asyncio.get_running_loop()
    bound.setblocking(False)
    while True:
        try:
            connection, peer = await loop.sock_accept(bound)
        except OSError:  # gone before it was accepted, or no file is left to open
            await asyncio.sleep(0.1)
            continue
        most_of_one = MOST if proxied and ipaddress.ip_address(peer[0]).is_loopback else MOST_OF_ONE
        addresses = [one for handler in server.connections if (one := _address_of(handler))]
        if len(addresses) >= MOST or addresses.count(peer[0]) >= most_of_one:
            connection.close()
            continue
        with suppress(OSError):
            await loop.connect_accepted_socket(server, connection)


def _address_of(handler: web.RequestHandler) -> str | None:
    if handler.transport is None:
        return None
    peer = handler.transport.get_extra_info("peername")
    return str(peer[0]) if peer else None
