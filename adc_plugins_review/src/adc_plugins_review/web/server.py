"""The server of a review: its addresses, and how it starts and ends."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from adc_core import InputError
from adc_plugins_review.campaign.agreement import KeptFigures
from adc_plugins_review.campaign.duplicates import DuplicateGroups
from adc_plugins_review.campaign.suspects import Suspects
from adc_plugins_review.web import (
    duplicates_pages,
    owner_pages,
    platform_pages,
    relabel_pages,
    worker_pages,
)
from adc_plugins_review.web.connections import KEEP_ALIVE, accept
from adc_plugins_review.web.desk import Desk
from adc_plugins_review.web.guard import DESK, GUARD, MAX_BODY, Guard
from adc_plugins_review.web.images import worker_image
from adc_plugins_review.web.pages import page, static_file

_TOKEN = r"{token:[A-Za-z0-9_-]{1,64}}"


@dataclass(frozen=True)
class Address:
    """Where a server answers.

    Attributes:
        host: name or number to listen on.
        port: 0 for any free one.
        public_url: under which people reach it; None: as it listens.
        embed: origins that may show the pages in a frame.
    """

    host: str = "127.0.0.1"
    port: int = 8321
    public_url: str | None = None
    embed: tuple[str, ...] = ()


async def _front(_: web.Request) -> web.Response:
    return page("message", message="you need a link")


def make_application(desk: Desk, address: Address, port: int) -> web.Application:
    """Put the pages together.

    Args:
        desk: the review.
        address: where it answers.
        port: that it listens on.
    """
    names = {address.host, "localhost", "127.0.0.1", "[::1]"}
    hosts = {f"{name}:{port}" for name in names} | (names if port in (80, 443) else set())
    if address.public_url is not None:
        hosts.add(urlsplit(address.public_url).netloc)
    guard = Guard(hosts, address.embed)
    application = web.Application(middlewares=[guard.middleware], client_max_size=MAX_BODY)
    application[DESK] = desk
    application[GUARD] = guard
    application[relabel_pages.SUSPECTS] = Suspects(desk.source)
    application[owner_pages.FIGURES] = KeptFigures()
    similarity = desk.plan.duplicate_similarity
    application[duplicates_pages.GROUPS] = DuplicateGroups(desk.source, similarity)
    worker, owner = f"/w/{_TOKEN}", f"/o/{_TOKEN}"
    application.add_routes(
        [
            web.get("/", _front),
            web.get("/static/{name:[a-z.]{1,32}}", static_file),
            web.get(worker, worker_pages.start_page),
            web.get(worker + "/instructions", worker_pages.instructions_page),
            web.get(worker + "/vote", worker_pages.vote_page),
            web.post(worker + "/vote", worker_pages.keep_vote),
            web.get(worker + "/select", worker_pages.select_page),
            web.post(worker + "/select", worker_pages.keep_selection),
            web.post(worker + "/batch", worker_pages.deal_batch),
            web.post(worker + "/submit", worker_pages.close_batch),
            web.get(worker + r"/image/{n:\d{1,9}}", worker_image),
            *platform_pages.routes(),
            *owner_pages.routes(owner),
            *relabel_pages.routes(worker, owner),
            *duplicates_pages.routes(worker, owner),
        ]
    )
    return application


@asynccontextmanager
async def running(desk: Desk, address: Address) -> AsyncIterator[int]:
    """Answer while the block runs; give it the port.

    Args:
        desk: the review.
        address: where to answer.

    Raises:
        InputError: the address cannot be used.
    """
    # Bound before the application is made, whose guard has to know the port.
    bound = _bound(address)
    port = bound.getsockname()[1]
    runner = web.AppRunner(
        make_application(desk, address, port), access_log=None, keepalive_timeout=KEEP_ALIVE,
        handle_signals=False,
    )  # fmt: skip
    await runner.setup()
    assert runner.server is not None
    proxied = address.public_url is not None
    accepting = asyncio.create_task(accept(bound, runner.server, proxied=proxied))
    try:
        yield port
    finally:
        accepting.cancel()
        await asyncio.wait([accepting])
        bound.close()
        await runner.cleanup()


async def until_signal(tick: Callable[[], Awaitable[None]], every: float) -> None:
    """Wait for SIGINT or SIGTERM.

    Args:
        tick: called at once, and then now and then.
        every: seconds between two calls.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        await tick()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise InputError(
            f"{address.host}:{address.port} cannot be used ({error.strerror}): choose another "
            "--host or --port"
        ) from None
